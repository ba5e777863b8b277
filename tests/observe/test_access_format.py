"""The access-log format: every atom, Python's widths, and lines that cannot be forged."""

from __future__ import annotations

import base64
import os
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.errors import ConfigError
from canter.observe.access import DEFAULT_FORMAT, AccessEntry
from canter.observe.access_format import compile_format
from canter.observe.access_line import escape
from canter.observe.outcomes import Outcome

STARTED_AT = 1_795_392_000.25


def environ(**extra: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "RAW_URI": "/a%20b?x=1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "PATH_INFO": "/a b",
        "QUERY_STRING": "x=1",
        "canter.request_id": "r-1",
        **extra,
    }


def entry(**changes: Any) -> AccessEntry:
    fields: dict[str, Any] = {
        "environ": environ(),
        "client": "192.0.2.7",
        "status": 200,
        "headers": [("Content-Type", "text/html"), ("X-Tag", "one"), ("x-tag", "two")],
        "body_bytes": 1234,
        "started_at": STARTED_AT,
        "queue_ns": 5_000,
        "app_ns": 7_000_000,
        "total_ns": 1_002_345_678,
        "outcome": Outcome.OK,
        **changes,
    }
    return AccessEntry(**fields)


def line(text: str, of: AccessEntry | None = None) -> str:
    written = compile_format(text).line(of or entry())
    assert written.endswith("\n")
    return written[:-1]


@pytest.mark.parametrize(
    ("atom", "value"),
    [
        ("h", "192.0.2.7"),
        ("l", "-"),
        ("u", "-"),
        ("r", "GET /a%20b?x=1 HTTP/1.1"),
        ("m", "GET"),
        ("U", "/a b"),
        ("q", "x=1"),
        ("H", "HTTP/1.1"),
        ("s", "200"),
        ("B", "1234"),
        ("b", "1234"),
        ("f", "-"),
        ("a", "-"),
        ("T", "1"),
        ("M", "1002"),
        ("D", "1002345"),
        ("L", "1.002345"),
        ("outcome", "ok"),
        ("queue", "5"),
        ("app", "7000"),
        ("request_id", "r-1"),
        ("{host}i", "-"),
        ("{content-type}o", "text/html"),
        ("{X-Tag}o", "one,two"),
        ("{missing}o", "-"),
        ("{query_string}e", "x=1"),
        ("{missing}e", "-"),
    ],
)
def test_an_atom_has_its_value(atom, value):
    assert line(f"%({atom})s") == value


def test_the_process_is_the_one_that_writes_the_line():
    assert line("%(p)s") == f"<{os.getpid()}>"


def test_request_headers_are_found_whatever_the_case_of_their_name():
    asked = entry(environ=environ(HTTP_X_FORWARDED_FOR="192.0.2.1", CONTENT_TYPE="text/x"))
    assert line("%({X-Forwarded-For}i)s %({content-type}i)s", asked) == "192.0.2.1 text/x"


def test_environ_values_of_any_type_can_be_logged():
    asked = entry(environ=environ(**{"wsgi.multithread": True}))
    assert line("%({wsgi.multithread}e)s", asked) == "True"


def test_referer_and_agent_come_from_their_headers():
    asked = entry(environ=environ(HTTP_REFERER="http://a/", HTTP_USER_AGENT="curl/8"))
    assert line('"%(f)s" "%(a)s"', asked) == '"http://a/" "curl/8"'


@pytest.mark.parametrize(
    ("credentials", "user"),
    [
        (b"anna:secret", "anna"),
        (b"anna maria:x", r"anna\x20maria"),
        (b'a"b:x', r"a\"b"),
        (b"\xe9:x", r"\xe9"),
        (b":x", "-"),
    ],
)
def test_the_user_is_that_of_basic_authorization(credentials, user):
    value = "Basic " + base64.b64encode(credentials).decode()
    assert line("%(u)s", entry(environ=environ(HTTP_AUTHORIZATION=value))) == user


@pytest.mark.parametrize("value", ["Bearer abc", "Basic", "Basic %%%", "basic \xff"])
def test_an_authorization_without_a_user_is_a_dash(value):
    assert line("%(u)s", entry(environ=environ(HTTP_AUTHORIZATION=value))) == "-"


def test_the_time_is_when_the_request_ended_in_the_common_log_format():
    written = line("%(t)s")
    assert re.fullmatch(r"\[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]", written)
    assert time.mktime(time.strptime(written[1:21], "%d/%b/%Y:%H:%M:%S")) == int(STARTED_AT) + 1


def test_the_time_moves_with_the_entries():
    function = compile_format("%(t)s").line
    stamps = {function(entry(started_at=STARTED_AT + second)) for second in (0, 0.1, 1, -60, 0)}
    assert len(stamps) == 3


def test_nothing_sent_is_logged_as_dashes():
    assert line("%(s)s %(b)s %(B)s", entry(status=0, body_bytes=0)) == "- - 0"


def test_what_never_became_a_request_has_its_line_as_received():
    odd = entry(environ=None, request_line='GET "/\r\n', status=400, outcome=Outcome.MALFORMED)
    assert line('"%(r)s" %(m)s %(s)s %(outcome)s', odd) == r'"GET \"/\x0d\x0a" - 400 malformed'
    assert line("%(r)s", entry(environ=None)) == "-"


def test_a_peer_without_an_address_is_a_dash():
    assert line("%(h)s", entry(client="")) == "-"


def test_the_default_format_is_gunicorns_with_time_and_outcome():
    written = line(DEFAULT_FORMAT)
    assert re.fullmatch(
        r'192\.0\.2\.7 - - \[.*\] "GET /a%20b\?x=1 HTTP/1\.1" 200 1234 "-" "-" 1002345 ok', written
    )


def test_percent_signs_braces_and_quotes_of_the_format_are_literal():
    assert line("100%% {x} '\"\\ %(s)s {{}}") == "100% {x} '\"\\ 200 {{}}"


def test_flags_and_widths_are_pythons():
    assert line("%(D)09d|%(m)-6s|%(m)6s|%(m).2s|%(T)d|%(D)x") == (
        f"001002345|GET   |   GET|GE|1|{1002345:x}"
    )


def test_an_unknown_atom_is_a_dash_and_a_warning():
    compiled = compile_format("%(nonsense)s %({x}z)s %(s)s")
    assert compiled.line(entry()) == "- - 200\n"
    assert ["nonsense" in compiled.warnings[0], "{x}z" in compiled.warnings[1]] == [True, True]


@pytest.mark.parametrize("text", ["%", "%(h)", "%(h", "%d", "%(h)q", "100% of %(s)s"])
def test_a_text_that_is_no_format_is_refused(text):
    with pytest.raises(ConfigError, match=r"not a field"):
        compile_format(text)


def test_a_number_format_for_a_text_is_refused():
    with pytest.raises(ConfigError, match=r"%\(m\)s"):
        compile_format("%(m)d")


FOREIGN_FORMAT = '%(h)s %(u)s "%(r)s" "%(f)s" "%(a)s" "%({x}i)s" "%({x}o)s" "%({x}e)s" %(U)s'


@given(
    st.text(st.characters(codec="latin-1")),
    st.text(st.characters(codec="latin-1")),
    st.text(),
)
def test_no_value_can_end_its_line_or_its_quotes(one, two, three):
    forged = entry(
        client=two,
        environ=environ(
            RAW_URI=one, PATH_INFO=two, HTTP_REFERER=three, HTTP_USER_AGENT=one, HTTP_X=two, x=three
        ),
        headers=[("X", three)],
    )
    written = line(FOREIGN_FORMAT, forged)
    assert written.isascii()
    assert written.isprintable()
    assert written.replace("\\\\", "").replace('\\"', "").count('"') == 12


@given(st.text())
def test_escaping_tells_different_values_apart_and_can_be_undone(text):
    escaped = escape(text)
    undone = re.sub(
        r'\\(["\\])|\\x(..)|\\u(....)|\\U(.{8})',
        lambda m: m[1] or chr(int(m[2] or m[3] or m[4], 16)),
        escaped,
    )
    assert undone == text


def test_ordinary_text_is_left_as_it_is():
    ordinary = "Mozilla/5.0 (X11; Linux) 'quoted' <a> {b} 100%"
    assert escape(ordinary) == ordinary
    assert line("%(a)s", entry(environ=environ(HTTP_USER_AGENT=ordinary))) == ordinary


def test_headers_in_the_format_reach_the_source_only_as_text():
    hostile = "x'] or __import__('os')._exit(1) or ['"
    assert line(f"%({{{hostile.replace('(', '').replace(')', '')}}}i)s") == "-"


@pytest.mark.parametrize(
    ("traceparent", "trace_id"),
    [
        (
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "4bf92f3577b34da6a3ce929d0e0e4736",
        ),
        (
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "4bf92f3577b34da6a3ce929d0e0e4736",
        ),
        ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "-"),
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", "-"),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736", "-"),
        ("", "-"),
    ],
)
def test_a_trace_s_id_is_that_of_w3c_trace_context(traceparent, trace_id):
    of = entry(environ=environ(HTTP_TRACEPARENT=traceparent))
    assert line("%(trace_id)s", of) == trace_id
