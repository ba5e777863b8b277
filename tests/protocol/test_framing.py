"""Where a body ends, judged by its two fields alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.faults import BadFraming, ExpectationFailed, UnknownCoding
from canter.protocol.framing import (
    MAXIMUM_LENGTH,
    connection_options,
    decide_expectation,
    decide_length,
    decide_persistence,
    parse_length,
)
from canter.protocol.request import CHUNKED


def test_without_either_field_there_is_no_body():
    assert decide_length(None, None, http_10=False) == 0


@given(st.integers(0, MAXIMUM_LENGTH), st.integers(0, 30))
def test_a_length_is_digits_and_leading_zeros_change_nothing(number, zeros):
    assert parse_length("0" * zeros + str(number)) == number


@given(st.text().filter(lambda text: not (text.isascii() and text.isdecimal())))
def test_whatever_else_is_no_length(text):
    with pytest.raises(BadFraming):
        parse_length(text)


@given(st.integers(MAXIMUM_LENGTH + 1))
def test_a_length_that_cannot_be_counted_is_refused(number):
    with pytest.raises(BadFraming):
        parse_length(str(number))


def test_a_length_of_a_million_digits_is_refused_without_being_computed():
    with pytest.raises(BadFraming, match="beyond counting"):
        parse_length("9" * 1_000_000)


@pytest.mark.parametrize("coding", ["chunked", "CHUNKED", " chunked\t"])
def test_chunked_alone_is_read(coding):
    assert decide_length(None, coding, http_10=False) == CHUNKED


@given(st.text(st.sampled_from('chunked, ;=\tgzip"x'), max_size=30))
def test_no_other_coding_is_ever_read(coding):
    if coding.strip(" \t").lower() != "chunked":
        with pytest.raises((BadFraming, UnknownCoding)):
            decide_length(None, coding, http_10=False)


@given(st.text(max_size=5), st.text(max_size=9))
def test_both_fields_together_are_never_read(length, coding):
    with pytest.raises(BadFraming):
        decide_length(length, coding, http_10=False)


def test_no_coding_is_read_in_http_10():
    with pytest.raises(BadFraming):
        decide_length(None, "chunked", http_10=True)


@pytest.mark.parametrize(
    ("connection", "in_10", "in_11"),
    [
        ("", False, True),
        ("keep-alive", True, True),
        ("close", False, False),
        ("Close, Keep-Alive", False, False),
        ("x , KEEP-ALIVE", True, True),
        ("closed", False, True),
    ],
)
def test_close_wins_and_http_10_has_to_ask_for_more(connection, in_10, in_11):
    options = connection_options(connection)
    assert decide_persistence(options, http_10=True) is in_10
    assert decide_persistence(options, http_10=False) is in_11


@pytest.mark.parametrize("expect", ["100-continue", "100-CONTINUE", " 100-continue ,,100-continue"])
def test_a_client_of_http_11_can_wait_for_100(expect):
    assert decide_expectation(expect, http_10=False) is True
    assert decide_expectation(expect, http_10=True) is False


@pytest.mark.parametrize("expect", ["x", "100-continue=1", "100-continue, x", "200-ok"])
@pytest.mark.parametrize("http_10", [True, False])
def test_other_expectations_are_not_met(expect, http_10):
    with pytest.raises(ExpectationFailed):
        decide_expectation(expect, http_10=http_10)
