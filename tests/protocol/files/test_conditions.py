"""Conditional requests, in RFC 9110's order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.files.conditions import (
    Verdict,
    format_date,
    judge,
    parse_date,
    range_applies,
)

TAG = '"abc-10"'
MODIFIED = 784111777
AT = "Sun, 06 Nov 1994 08:49:37 GMT"
BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT"
AFTER = "Sun, 06 Nov 1994 08:49:38 GMT"
NOW = MODIFIED + 1000


def verdict(**fields: str) -> Verdict:
    return judge({f"HTTP_{name.upper()}": value for name, value in fields.items()}, TAG, MODIFIED)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"if_match": TAG},
        {"if_match": f'"x", {TAG}'},
        {"if_match": "*"},
        {"if_unmodified_since": AT},
        {"if_unmodified_since": AFTER},
        {"if_unmodified_since": "yesterday"},
        {"if_none_match": '"x"'},
        {"if_none_match": ""},
        {"if_none_match": "abc-10"},
        {"if_modified_since": BEFORE},
        {"if_modified_since": "yesterday"},
        {"if_modified_since": f"{AT}, {AT}"},
        # The tag goes before the date, whatever that says.
        {"if_match": TAG, "if_unmodified_since": BEFORE},
        {"if_none_match": '"x"', "if_modified_since": AFTER},
    ],
)
def test_what_holds_changes_nothing(fields):
    assert verdict(**fields) is Verdict.GO_ON


@pytest.mark.parametrize(
    "fields",
    [
        {"if_none_match": TAG},
        {"if_none_match": f"W/{TAG}"},
        {"if_none_match": f'"x" , {TAG}'},
        {"if_none_match": "*"},
        {"if_modified_since": AT},
        {"if_modified_since": AFTER},
        {"if_modified_since": "Sunday, 06-Nov-94 08:49:37 GMT"},
        {"if_modified_since": "Sun Nov  6 08:49:37 1994"},
        {"if_none_match": TAG, "if_modified_since": BEFORE},
        {"if_match": TAG, "if_none_match": TAG},
    ],
)
def test_what_the_client_has_is_not_sent_again(fields):
    assert verdict(**fields) is Verdict.NOT_MODIFIED


@pytest.mark.parametrize(
    "fields",
    [
        {"if_match": '"x"'},
        {"if_match": f"W/{TAG}"},  # weak tags never match strongly
        {"if_match": ""},
        {"if_unmodified_since": BEFORE},
        {"if_match": '"x"', "if_none_match": TAG},
        {"if_unmodified_since": BEFORE, "if_modified_since": AFTER},
    ],
)
def test_a_condition_that_fails_goes_before_one_that_saves_bytes(fields):
    assert verdict(**fields) is Verdict.FAILED


@pytest.mark.parametrize(
    ("if_range", "applies"),
    [
        (None, True),
        (TAG, True),
        (f"W/{TAG}", False),
        ('"x"', False),
        (AT, True),
        (BEFORE, False),
        (AFTER, False),
        ("rubbish", False),
        ("", False),
    ],
)
def test_a_range_is_for_the_very_file_that_the_client_has(if_range, applies):
    environ = {} if if_range is None else {"HTTP_IF_RANGE": if_range}
    assert range_applies(environ, TAG, MODIFIED, NOW) is applies


def test_a_date_says_nothing_of_a_file_that_may_still_change_in_this_second():
    assert not range_applies({"HTTP_IF_RANGE": AT}, TAG, MODIFIED, MODIFIED)


@given(seconds=st.integers(0, 253402300799))
def test_a_date_comes_back_as_it_was(seconds):
    assert parse_date(format_date(seconds)) == seconds


@given(text=st.one_of(st.text(), st.text("SunNov 0123456789:,-GMT+")))
def test_any_text_is_a_date_or_none(text):
    assert isinstance(parse_date(text), int | None)


def test_a_time_that_no_date_can_tell_is_the_nearest_that_can():
    assert format_date(-1) == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert format_date(2**62) == "Fri, 31 Dec 9999 23:59:59 GMT"
