"""What an application may answer, and what it is told when it may not (PEP 3333)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.response import (
    HAS_DATE,
    HAS_LENGTH,
    HAS_SERVER,
    WANTS_CLOSE,
    InvalidResponse,
    judge_response,
    judge_status,
)
from tests.protocol.memory import kept_bytes


class Safe(str):
    """As frameworks mark text that is safe for HTML; with methods of its own."""

    __slots__ = ()

    def __str__(self) -> str:
        return "something\r\nelse"

    __repr__ = __format__ = __str__  # type: ignore[assignment]


# -- the status --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("200 OK", 200),
        ("404 Not Found", 404),
        ("599 Whatever This Is", 599),
        ("999 Beyond The Registry", 999),
        ("200 ", 200),
        ("200", 200),
        ("200 Tr\xe8s bien", 200),
        ("200 a\tb", 200),
    ],
)
def test_a_status_is_three_digits_and_a_reason(status, code):
    assert judge_status(status) == code
    assert judge_response(status, []).code == code
    assert judge_response(status, []).status == status


@pytest.mark.parametrize(
    "status",
    [
        "",
        "OK",
        "20 OK",
        "2000 OK",
        "200OK",
        " 200 OK",
        "2x0 OK",
        "\u0662\u0660\u0660 OK",
        "000 Zero",
        "200 OK\r\nX: y",
        "200 OK\n",
        "200 O\0K",
        "200 \u20ac",
        "200 \x7f",
    ],
)
def test_a_status_that_is_none_is_named(status):
    with pytest.raises(InvalidResponse, match=re.escape(repr(status))):
        judge_response(status, [])


@pytest.mark.parametrize("status", [b"200 OK", 200, None, ["200 OK"]])
def test_a_status_that_is_no_str_is_named_with_its_type(status):
    with pytest.raises(InvalidResponse, match=f"must be a str, not {type(status).__name__}"):
        judge_response(status, [])


def test_a_subclass_of_str_is_sent_as_the_text_that_it_holds():
    head = judge_response(Safe("200 OK"), [("X", "y"), (Safe("Link"), Safe("</a>"))])
    assert head.fields == [("X", "y"), ("Link", "</a>")]
    assert {type(text) for field in head.fields for text in field} == {str}
    assert type(head.status) is str
    assert head.code == 200


def test_a_subclass_of_str_is_judged_like_any_text():
    with pytest.raises(InvalidResponse, match="forbids"):
        judge_response("200 OK", [("X", Safe("a\nb"))])
    with pytest.raises(InvalidResponse, match="not a header name"):
        judge_response("200 OK", [(Safe("a b"), "c")])


@pytest.mark.parametrize("field", [(Safe("X"), b"v"), (b"X", Safe("v"))])
def test_beside_a_subclass_of_str_other_types_are_still_refused(field):
    with pytest.raises(InvalidResponse, match="must be a str, not bytes"):
        judge_response("200 OK", [field])


@pytest.mark.parametrize("status", ["100 Continue", "101 Switching Protocols", "199 Odd"])
def test_an_interim_status_is_refused(status):
    with pytest.raises(InvalidResponse, match="final status"):
        judge_response(status, [])


# -- header names and values -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r", "na\xefve", "(x)", "a\0", " a", "a\n"])
def test_a_name_that_is_no_token_is_named(name):
    with pytest.raises(InvalidResponse, match=re.escape(repr(name))):
        judge_response("200 OK", [(name, "value")])


@pytest.mark.parametrize("name", [b"X-Name", 1, None])
def test_a_name_that_is_no_str_is_named_with_its_type(name):
    with pytest.raises(InvalidResponse, match=f"must be a str, not {type(name).__name__}"):
        judge_response("200 OK", [(name, "value")])


@pytest.mark.parametrize("value", [b"v", 1, None, ("v",)])
def test_a_value_that_is_no_str_is_named_with_its_header(value):
    with pytest.raises(InvalidResponse, match="'X-Name' must be a str"):
        judge_response("200 OK", [("X-Name", value)])


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x", "a\nb", "a\rb", "a\0b", "a\x7f", "\u20ac"])
def test_a_value_that_would_split_the_response_is_refused_without_being_shown(value):
    with pytest.raises(InvalidResponse, match="'X-Name' has a character that HTTP forbids") as told:
        judge_response("200 OK", [("X-Name", value)])
    assert "Set-Cookie" not in str(told.value)


@pytest.mark.parametrize("value", ["", "a b", "a\tb", " a ", "caf\xe9", "\x80", "~"])
def test_text_tabs_and_latin_1_may_be_in_a_value(value):
    head = judge_response("200 OK", [("X-Name", value)])
    assert head.fields == [("X-Name", value)]


def test_a_name_is_judged_again_where_it_comes_with_another_value():
    judge_response("200 OK", [("X-Once", "good")])
    with pytest.raises(InvalidResponse):
        judge_response("200 OK", [("X-Once", "bad\n")])


@pytest.mark.parametrize("headers", [None, 5])
def test_headers_that_are_no_list_are_refused(headers):
    with pytest.raises(InvalidResponse, match=f"must be a list, not {type(headers).__name__}"):
        judge_response("200 OK", headers)


@pytest.mark.parametrize("field", [("one",), ("a", "b", "c"), 7, None])
def test_a_field_that_is_no_pair_is_refused(field):
    for before in ([], [(Safe("X"), "y")]):
        with pytest.raises(InvalidResponse, match="tuple of two str"):
            judge_response("200 OK", [*before, field])


def test_what_the_application_does_to_its_list_afterwards_changes_nothing():
    headers = [("X-Name", "before")]
    head = judge_response("200 OK", headers)
    headers[0] = ("X-Name", "after\r\nX-Evil: 1")
    headers.append(("X-More", "1"))
    assert head.fields == [("X-Name", "before")]


def test_a_repeated_field_stays_repeated_in_order():
    cookies = [("Set-Cookie", "a=1"), ("X", "y"), ("Set-Cookie", "b=2")]
    assert judge_response("200 OK", cookies).fields == cookies


# -- facts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fact"), [("Date", HAS_DATE), ("dATE", HAS_DATE), ("Server", HAS_SERVER)]
)
def test_own_date_and_server_are_noticed_and_sent(name, fact):
    head = judge_response("200 OK", [(name, "mine")])
    assert head.facts == fact
    assert head.fields == [(name, "mine")]


@pytest.mark.parametrize("value", ["close", "Close", "keep-alive, close", " close ", "x,close"])
def test_connection_close_is_honoured_and_never_passed_on(value):
    head = judge_response("200 OK", [("Connection", value), ("X", "y")])
    assert head.facts & WANTS_CLOSE
    assert head.fields == [("X", "y")]


@pytest.mark.parametrize(
    ("value", "dropped"),
    [("keep-alive", ()), ("", ()), ("close", ()), ("Upgrade", ("Connection",))],
)
def test_other_options_of_connection_are_dropped_by_name(value, dropped):
    head = judge_response("200 OK", [("Connection", value)])
    assert head.dropped == dropped
    assert head.fields == []


@pytest.mark.parametrize(
    "name",
    [
        "Keep-Alive",
        "Proxy-Authenticate",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "TRANSFER-encoding",
        "Upgrade",
    ],
)
def test_hop_by_hop_fields_are_left_out_and_named(name):
    head = judge_response("200 OK", [("X", "y"), (name, "chunked"), ("Z", "z")])
    assert head.fields == [("X", "y"), ("Z", "z")]
    assert head.dropped == (name,)
    assert head.declared == [("X", "y"), (name, "chunked"), ("Z", "z")]


# -- Content-Length ----------------------------------------------------------------------------


@pytest.mark.parametrize(("value", "length"), [("0", 0), ("12", 12), ("0012", 12)])
def test_the_declared_length_is_known(value, length):
    head = judge_response("200 OK", [("X", "y"), ("content-LENGTH", value)])
    assert head.content_length == length
    assert head.facts & HAS_LENGTH
    assert head.dropped == ()


def test_without_one_there_is_no_declared_length():
    head = judge_response("200 OK", [("X", "5")])
    assert head.content_length == -1
    assert not head.facts & HAS_LENGTH


@pytest.mark.parametrize("value", ["", "-1", "+1", "1_0", "0x1", "1.0", "1, 1", "\u0661", "9" * 19])
def test_a_length_that_is_none_is_refused(value):
    with pytest.raises(InvalidResponse, match="Content-Length"):
        judge_response("200 OK", [("Content-Length", value)])


def test_two_lengths_that_differ_are_refused():
    with pytest.raises(InvalidResponse, match="two Content-Length: 3 and 4"):
        judge_response("200 OK", [("Content-Length", "3"), ("content-length", "4")])


def test_two_lengths_that_agree_are_one():
    head = judge_response("200 OK", [("Content-Length", "3"), ("content-length", "03")])
    assert head.content_length == 3
    assert [name.lower() for name, _ in head.fields].count("content-length") == 1


# -- memory and properties -----------------------------------------------------------------------


def test_an_application_that_invents_names_and_statuses_fills_no_memory():
    def answer(number: int) -> None:
        judge_response(f"{200 + number % 400} Reason {number}", [(f"X-{number}", "v")])

    assert kept_bytes(answer) < 50_000


TEXT = st.text(st.characters(max_codepoint=0x2FF), max_size=12)


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4))
def test_what_passes_is_one_line_for_each_field(fields):
    try:
        head = judge_response("200 OK", fields)
    except InvalidResponse:
        return
    for name, value in head.fields:
        line = f"{name}: {value}".encode("latin-1")
        assert not set(line) & set(b"\r\n\0")
        assert line.split(b":", 1)[0].decode() == name


@given(TEXT)
def test_a_status_either_passes_as_one_line_or_is_refused(status):
    try:
        code = judge_status(status)
    except InvalidResponse:
        return
    assert 200 <= code <= 999
    assert status.startswith(str(code))
    assert not set(status.encode("latin-1")) & set(b"\r\n\0")
