"""Faults know their status, and their details are safe in a log."""

from __future__ import annotations

from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol import faults


def all_faults(fault=faults.Fault):
    return [fault] + [other for derived in fault.__subclasses__() for other in all_faults(derived)]


@pytest.mark.parametrize("fault", all_faults())
def test_every_fault_has_an_error_status_and_its_phrase(fault):
    assert 400 <= fault.status <= 599
    renamed = {413: "Content Too Large", 414: "URI Too Long"}
    assert fault.reason == renamed.get(fault.status, HTTPStatus(fault.status).phrase)
    assert fault.closes is True


@pytest.mark.parametrize("fault", all_faults())
def test_every_fault_says_what_it_is_for(fault):
    assert fault.__doc__
    assert fault("detail").detail == "detail" == str(fault("detail"))


def test_an_overload_says_when_to_come_back():
    assert faults.Overloaded("full").retry_after_seconds == 1
    assert faults.Overloaded("full", 30).retry_after_seconds == 30


@given(st.one_of(st.binary(), st.text()))
def test_what_is_quoted_is_printable_ascii_on_one_short_line(sent):
    text = faults.quoted(sent)
    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= 48 * 10 + 5


def test_what_is_cut_says_so():
    assert faults.quoted(b"a" * 48) == "'" + "a" * 48 + "'"
    assert faults.quoted(b"a" * 49) == "'" + "a" * 48 + "'..."
