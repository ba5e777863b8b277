"""Hosts and field names, judged by themselves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.fields import explain_field, is_host, judge_trailers

HOSTS = ["a", "a.b", "A-b_c.d~e", "1.2.3.4", "[::1]", "[2001:db8::1.2.3.4]", "a%20b", "a!$&'()*+;="]
NOT_HOSTS = [
    "",
    ".:x",
    "a b",
    "a/b",
    "a@b",
    "a,b",
    "a%2",
    "a%zz",
    "[]",
    "[a]",
    "[::1",
    "::1]",
    "\xe9",
]


@pytest.mark.parametrize("port", ["", ":", ":0", ":80", ":65535", ":00080"])
@pytest.mark.parametrize("host", HOSTS)
def test_a_host_may_have_a_port(host, port):
    assert is_host(host + port)


@pytest.mark.parametrize("port", [":65536", ":+1", ":x", ":8 0", ":080000", ":8:0", ":\u0661"])
@pytest.mark.parametrize("host", HOSTS)
def test_a_port_is_a_number_of_a_port(host, port):
    assert not is_host(host + port)


@pytest.mark.parametrize("host", NOT_HOSTS)
def test_what_is_no_host_is_none_with_a_port_either(host):
    assert not is_host(host)
    assert not is_host(host + ":80")


@given(st.text())
def test_nothing_that_ends_a_host_in_another_parser_passes(text):
    if is_host(text):
        assert text.isascii()
        assert not set(text) & set('/?#@,\\ \t\r\n\0"<>^`{|}')


@given(st.binary(max_size=40))
def test_every_line_that_is_refused_can_be_explained_in_one_safe_line(line):
    said = explain_field(line.replace(b"\n", b"") + b"\r\n")
    assert said.isascii()
    assert said.isprintable()


def test_ordinary_trailers_pass():
    judge_trailers({"HTTP_X_DIGEST": "x", "HTTP_EXPIRES": "y"})
