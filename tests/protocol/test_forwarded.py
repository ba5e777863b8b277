"""What fronts tell of the client, and whom it is believed from."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.faults import BadForwarding, Fault
from canter.protocol.forwarded import parse_forwarded
from canter.protocol.http1.reader import Reader
from canter.protocol.limits import Leniency, Limits
from canter.protocol.trust import ClientFields, TrustPolicy

OURS = (ip_network("127.0.0.1"), ip_network("10.0.0.0/8"))


def environ(
    *fields: str,
    by: ClientFields = "x-forwarded",
    trusted: bool = True,
    allow: Any = OURS,
) -> dict[str, Any]:
    policy = TrustPolicy(
        allow=allow, secure_scheme_headers={"X-FORWARDED-PROTO": "https"}, client_fields=by
    )
    reader = Reader(Limits(), Leniency(), trust=policy, trusted=trusted)
    lines = ["GET /path HTTP/1.1", "Host: inner.example", *fields, "", ""]
    reader.feed("\r\n".join(lines).encode())
    request = reader.next_request({"wsgi.url_scheme": "http", "SCRIPT_NAME": ""})
    assert request is not None
    assert request.names_client == ("REMOTE_ADDR" in request.environ)
    return request.environ


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("192.0.2.7", ("192.0.2.7", None)),
        ("192.0.2.7:4711", ("192.0.2.7", "4711")),
        ("2001:DB8::7", ("2001:db8::7", None)),
        ("[2001:db8::7]:4711", ("2001:db8::7", "4711")),
        ("203.0.113.9, 192.0.2.7", ("192.0.2.7", None)),
        ("203.0.113.9, 192.0.2.7, 10.1.1.1, 10.2.2.2", ("192.0.2.7", None)),
        ("10.1.1.1, 10.2.2.2", ("10.1.1.1", None)),
        ("made up; <script>, 192.0.2.7", ("192.0.2.7", None)),
        ("192.0.2.7, unknown", (None, None)),
        ("", (None, None)),
    ],
)
def test_the_client_is_the_first_hop_from_the_right_that_is_not_ours(value, client):
    found = environ(f"X-Forwarded-For: {value}")
    assert (found.get("REMOTE_ADDR"), found.get("REMOTE_PORT")) == client


def test_who_believes_everybody_believes_the_last_hop_only():
    found = environ("X-Forwarded-For: 203.0.113.9, 192.0.2.7", allow="*")
    assert found["REMOTE_ADDR"] == "192.0.2.7"


def test_several_lines_are_one_list():
    found = environ("X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 192.0.2.7, 10.0.0.1")
    assert found["REMOTE_ADDR"] == "192.0.2.7"


def test_scheme_host_port_and_prefix_are_the_outer_ones():
    found = environ(
        "X-Forwarded-Proto: https",
        "X-Forwarded-Host: www.example",
        "X-Forwarded-Port: 8443",
        "X-Forwarded-Prefix: /app/",
    )
    assert found["wsgi.url_scheme"] == "https"
    assert found["HTTP_HOST"] == "www.example:8443"
    assert found["SERVER_PORT"] == "8443"
    assert (found["SCRIPT_NAME"], found["PATH_INFO"]) == ("/app", "/path")


def test_of_lists_the_value_of_the_client_s_hop_counts():
    found = environ(
        "X-Forwarded-For: 203.0.113.9, 192.0.2.7, 10.0.0.1",
        "X-Forwarded-Host: evil.example, www.example, inner.example",
    )
    assert found["HTTP_HOST"] == "www.example"


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("for=192.0.2.7", ("192.0.2.7", None)),
        ('For="[2001:db8::7]:4711"', ("2001:db8::7", "4711")),
        ("for=203.0.113.9, for=192.0.2.7;by=x, for=10.0.0.1", ("192.0.2.7", None)),
        ("for=_hidden", (None, None)),
        ("proto=https", (None, None)),
    ],
)
def test_the_client_of_forwarded(value, client):
    found = environ(f"Forwarded: {value}", by="forwarded")
    assert (found.get("REMOTE_ADDR"), found.get("REMOTE_PORT")) == client


def test_scheme_and_host_of_forwarded_are_those_of_the_client_s_hop():
    found = environ(
        'Forwarded: for=203.0.113.9;host=evil.example, for=192.0.2.7;proto=https;host="a.test:1"',
        "Forwarded: for=10.0.0.1;proto=http;host=inner.example",
        by="forwarded",
    )
    assert (found["wsgi.url_scheme"], found["HTTP_HOST"]) == ("https", "a.test:1")


@pytest.mark.parametrize("by", ["off", "x-forwarded", "forwarded"])
@pytest.mark.parametrize("trusted", [True, False])
def test_one_family_is_believed_from_whom_we_trust_and_never_both(by, trusted):
    found = environ(
        "X-Forwarded-For: 192.0.2.1", "Forwarded: for=192.0.2.2", by=by, trusted=trusted
    )
    believed = {"off": None, "x-forwarded": "192.0.2.1", "forwarded": "192.0.2.2"}
    assert found.get("REMOTE_ADDR") == (believed[by] if trusted else None)


@pytest.mark.parametrize(
    "fields",
    [
        ["X-Forwarded-Proto: gopher"],
        ["X-Forwarded-Host: a b"],
        ["X-Forwarded-Port: 0"],
        ["X-Forwarded-Port: 65536"],
        ["X-Forwarded-Prefix: //evil.example"],
        ["X-Forwarded-Prefix: app"],
        [
            "X-Forwarded-For: 192.0.2.7, 10.0.0.1, 10.0.0.2",
            "X-Forwarded-Host: a.example, b.example",
        ],
    ],
)
def test_what_a_front_tells_wrong_is_refused(fields):
    with pytest.raises(BadForwarding):
        environ(*fields)
    environ(*fields, trusted=False)


@pytest.mark.parametrize(
    "value",
    [
        "for",
        "for=",
        "=x",
        "for=a;for=b",
        "for=a,",
        "for=a;",
        'for="a',
        "for=a b",
        "for==a",
        ",for=a",
    ],
)
def test_a_malformed_forwarded_field_is_refused(value):
    with pytest.raises(BadForwarding):
        environ(f"Forwarded: {value}", by="forwarded")


def test_quoted_values_are_unescaped():
    assert parse_forwarded(r'for="a\"b"; proto=http') == [{"for": 'a"b', "proto": "http"}]


PIECES = st.lists(
    st.sampled_from(
        ["for=", "192.0.2.7", ",", ";", '"', "proto=", "https", " ", "[::1]", ":", "\\"]
    )
).map("".join)


@given(PIECES, st.sampled_from(["x-forwarded", "forwarded"]))
def test_any_fields_are_understood_or_one_fault(value, by):
    fields = [f"{name}: {value}" for name in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host")]
    try:
        found = environ(*fields, by=by)
    except Fault:
        return
    assert found["wsgi.url_scheme"] in ("http", "https")
