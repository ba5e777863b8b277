"""Slips of the pen lead to the name that was meant, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.settings.registry import SETTINGS, nearest_name
from canter.settings.spelling import hint, nearest

NAMES = ("workers", "threads", "timeout", "bind")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("worker", "workers"),
        ("wrokers", "workers"),
        ("thraeds", "threads"),
        ("THREADS", "threads"),
        ("--time-out", "timeout"),
        ("bnd", "bind"),
        ("bend", "bind"),
    ],
)
def test_a_slip_leads_to_the_name(word, meant):
    assert nearest(word, NAMES) == meant


@pytest.mark.parametrize("word", ["", "x", "port", "workers_per_core", "ports", "somethingelse"])
def test_a_word_of_its_own_leads_nowhere(word):
    assert nearest(word, NAMES) is None
    assert hint(word, NAMES) == ""


def test_the_nearest_of_several_names_wins():
    assert nearest("limit_request_fields", ["limit_request_line", "limit_request_field"]) == (
        "limit_request_field"
    )


def test_the_number_of_slips_can_be_bounded():
    assert nearest("graceful_timeo", ["graceful_timeout"], at_most=3) == "graceful_timeout"
    assert nearest("graceful_timeo", ["graceful_timeout"], at_most=1) is None


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("access_logfile", "accesslog"),
        ("access-logfile", "accesslog"),
        ("log_level", "loglevel"),
        ("keep_alive", "keepalive"),
        ("env", "raw_env"),
        ("thread", "threads"),
    ],
)
def test_an_option_s_name_leads_to_its_setting(word, meant):
    assert nearest_name(word) == meant


@given(st.sampled_from(sorted(SETTINGS)), st.integers(0, 40))
def test_a_letter_left_out_of_any_setting_leads_back_to_it(name, position):
    cut = name[: position % len(name)] + name[position % len(name) + 1 :]
    # `user` without a letter may be as near to another name; near enough it must be.
    assert nearest_name(cut) is not None or len(cut) < 4


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=5))
def test_any_words_can_be_compared(word, names):
    found = nearest(word, names)
    assert found is None or found in names
