"""wsgi.input over a body that arrives in pieces, compared with a file that holds it whole."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.faults import Truncated
from canter.wsgi.input import BodyInput


class Pieces:
    """A body that arrives in these pieces; asking beyond its end is an error of the reader."""

    def __init__(self, *pieces: bytes, problem: Exception | None = None) -> None:
        self._pieces = [piece for piece in pieces if piece]
        self._problem = problem
        self._over = False
        self.pulled = 0

    def __call__(self) -> bytes:
        assert not self._over, "read past the end of the body"
        self.pulled += 1
        if self._pieces:
            return self._pieces.pop(0)
        if self._problem is not None:
            raise self._problem
        self._over = True
        return b""


CALLS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.none() | st.integers(-1, 12)),
        st.tuples(st.just("readline"), st.none() | st.integers(-1, 12)),
        st.tuples(st.just("readlines"), st.none() | st.integers(0, 12)),
        st.tuples(st.just("next"), st.none()),
    ),
    max_size=12,
)
PIECES = st.lists(st.text("ab\n", max_size=8).map(str.encode), max_size=6)


@given(PIECES, CALLS)
def test_it_reads_like_a_file_that_holds_the_whole_body(pieces, calls):
    stream = BodyInput(Pieces(*pieces))
    whole = io.BytesIO(b"".join(pieces))
    for name, size in calls:
        if name == "next":
            assert next(iter(stream), None) == next(whole, None)
        else:
            assert getattr(stream, name)(size) == getattr(whole, name)(size)
    assert stream.read() == whole.read()
    assert stream.read() == b""
    assert stream.read(5) == b""
    assert stream.readline() == b""
    assert stream.readlines() == []


def test_no_size_means_all():
    assert BodyInput(Pieces(b"a", b"b\nc")).read() == b"ab\nc"
    assert BodyInput(Pieces(b"a", b"b\nc")).readline() == b"ab\n"
    assert BodyInput(Pieces(b"a", b"b\nc")).readlines() == [b"ab\n", b"c"]
    assert list(BodyInput(Pieces(b"a", b"b\nc"))) == [b"ab\n", b"c"]


def test_no_more_is_waited_for_than_was_asked_for():
    pieces = Pieces(b"abc", b"def", b"ghi")
    stream = BodyInput(pieces)
    assert stream.read(0) == b""
    assert stream.readline(0) == b""
    assert pieces.pulled == 0
    assert stream.read(2) == b"ab"
    assert pieces.pulled == 1
    assert stream.read(1) == b"c"
    assert pieces.pulled == 1
    assert stream.readline(2) == b"de"
    assert pieces.pulled == 2


@pytest.mark.parametrize("size", [None, -1, 100])
def test_a_body_that_breaks_off_never_looks_complete(size):
    stream = BodyInput(Pieces(b"abc", problem=Truncated("cut")))
    for _ in range(2):
        with pytest.raises(Truncated):
            stream.read(size)


def test_a_body_that_breaks_off_raises_in_every_way_of_reading():
    for read in (BodyInput.readline, BodyInput.readlines, list):
        with pytest.raises(Truncated):
            read(BodyInput(Pieces(b"abc", problem=Truncated("cut"))))


def test_what_came_before_the_break_can_be_read():
    stream = BodyInput(Pieces(b"abc", problem=Truncated("cut")))
    assert stream.read(3) == b"abc"
    with pytest.raises(Truncated):
        stream.read(1)
