"""Whom a policy trusts, and what a trusted front may say."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from canter.protocol.faults import BadForwarding
from canter.protocol.scheme import apply_scheme
from canter.protocol.trust import TrustPolicy

LOCAL = TrustPolicy(
    allow=(ip_network("127.0.0.1"), ip_network("10.0.0.0/8"), ip_network("::1")),
    secure_scheme_headers={"X-FORWARDED-PROTO": "https", "X-FORWARDED-SSL": "on"},
    forwarder_headers=("SCRIPT_NAME",),
)


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.1.2.3", "::1", "::ffff:10.0.0.1"])
def test_peers_in_the_list_are_trusted(peer):
    assert LOCAL.trusts(peer)


@pytest.mark.parametrize(
    "peer", ["127.0.0.2", "11.0.0.1", "::2", "::ffff:11.0.0.1", "", "x", "[::1]"]
)
def test_other_peers_are_not(peer):
    assert not LOCAL.trusts(peer)


def test_peers_on_a_unix_socket_are_trusted():
    assert TrustPolicy().trusts(None)


def test_a_star_trusts_everybody():
    assert TrustPolicy(allow="*").trusts("8.8.8.8")
    assert TrustPolicy(allow="*").trusts("not an address")


def test_nobody_else_is_trusted_by_default():
    assert not TrustPolicy().trusts("127.0.0.1")


@pytest.mark.parametrize(
    ("fields", "scheme"),
    [
        ({}, "http"),
        ({"HTTP_X_FORWARDED_PROTO": "https"}, "https"),
        ({"HTTP_X_FORWARDED_PROTO": "http"}, "http"),
        ({"HTTP_X_FORWARDED_SSL": "on"}, "https"),
        ({"HTTP_X_FORWARDED_SSL": "on", "HTTP_X_FORWARDED_PROTO": "https"}, "https"),
        ({"HTTP_X_FORWARDED_PROTO": ""}, "http"),
    ],
)
def test_the_scheme_is_what_the_front_says(fields, scheme):
    environ = {"wsgi.url_scheme": "http", **fields}
    apply_scheme(LOCAL.schemes, environ, False)
    assert environ["wsgi.url_scheme"] == scheme


def test_a_front_that_says_nothing_leaves_the_scheme_of_the_connection():
    environ = {"wsgi.url_scheme": "https"}
    apply_scheme(LOCAL.schemes, environ, False)
    assert environ["wsgi.url_scheme"] == "https"


def test_a_front_may_not_contradict_itself():
    environ = {"HTTP_X_FORWARDED_SSL": "off", "HTTP_X_FORWARDED_PROTO": "https"}
    with pytest.raises(BadForwarding):
        apply_scheme(LOCAL.schemes, environ, False)


def test_names_of_scheme_fields_are_found_in_any_case():
    policy = TrustPolicy(allow="*", secure_scheme_headers={"x-my-scheme": "tls"})
    environ = {"wsgi.url_scheme": "http", "HTTP_X_MY_SCHEME": "tls"}
    apply_scheme(policy.schemes, environ, False)
    assert environ["wsgi.url_scheme"] == "https"
    assert policy.has_unusual_names
    assert not LOCAL.has_unusual_names


def test_policies_are_values():
    assert TrustPolicy(allow="*") == TrustPolicy(allow="*")
    assert TrustPolicy(allow="*") != TrustPolicy()
