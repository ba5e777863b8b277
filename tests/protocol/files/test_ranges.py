"""Which parts of a file a Range asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.files.ranges import RANGES_MAXIMUM, wanted_spans


@pytest.mark.parametrize(
    ("value", "spans"),
    [
        ("bytes=0-0", ((0, 1),)),
        ("bytes=0-99", ((0, 100),)),
        ("bytes=90-", ((90, 10),)),
        ("bytes=90-1000", ((90, 10),)),
        ("bytes=-10", ((90, 10),)),
        ("bytes=-1000", ((0, 100),)),
        ("BYTES = 1-2 , 4-5", ((1, 2), (4, 2))),
        ("bytes=50-59,0-9", ((50, 10), (0, 10))),  # in the client's order
        ("bytes=1-2,,4-5,", ((1, 2), (4, 2))),
        ("bytes=1-2,200-300", ((1, 2),)),
    ],
)
def test_stretches_are_cut_to_the_file(value, spans):
    assert wanted_spans(value, 100) == spans


@pytest.mark.parametrize("value", ["bytes=100-", "bytes=200-300", "bytes=-0", "bytes=100-,-0"])
def test_nothing_of_it_is_in_the_file(value):
    assert wanted_spans(value, 100) == ()


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=x",
        "bytes=-",
        "bytes=5-4",
        "bytes=0x1-2",
        "bytes=+1-2",
        "bytes=1-2;3-4",
        "bytes=1-2, bytes=4-5",
        "bytes=\u0661-2",
        "lines=1-2",
        "bytes=0-5,4-9",  # overlapping
        "bytes=0-,0-",
        "bytes=0-49,50-99",  # no less than all of it
        "bytes=" + ",".join(f"{n}-{n}" for n in range(RANGES_MAXIMUM + 1)),
        "bytes=0-" + "0" * 2000,
    ],
)
def test_the_file_is_sent_whole(value):
    assert wanted_spans(value, 100) is None


def test_an_empty_file_has_no_parts():
    assert wanted_spans("bytes=0-", 0) is None
    assert wanted_spans("bytes=-1", 0) is None


@given(
    value=st.one_of(st.text(), st.text("0123456789-, ").map(lambda text: f"bytes={text}")),
    size=st.integers(0, 2**40),
)
def test_what_is_sent_lies_in_the_file_and_is_no_more_than_the_file(value, size):
    spans = wanted_spans(value, size)
    if spans:
        assert all(0 <= it.offset < it.offset + it.length <= size for it in spans)
        assert sum(it.length for it in spans) <= size
        assert len(spans) <= RANGES_MAXIMUM
