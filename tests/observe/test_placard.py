"""A text that one process writes and others read."""

from __future__ import annotations

from canter.observe.placard import Placard
from tests.forking import exit_status, fork_and_run


def test_there_is_nothing_to_read_before_something_is_written():
    assert Placard(10).read() == b""


def test_the_last_text_is_read_whatever_its_length():
    placard = Placard(10)
    for text in (b"first", b"a longer 1", b"", b"x"):
        assert placard.write(text)
        assert placard.read() == text


def test_what_does_not_fit_is_not_cut():
    placard = Placard(4)
    placard.write(b"four")
    assert not placard.write(b"fives")
    assert placard.read() == b""


def test_half_a_text_is_never_given_out():
    placard = Placard(10)
    placard.write(b"whole")
    at = placard._memory.find(b"whole")
    placard._memory[at : at + 1] = b"W"
    assert placard.read() == b""


def test_another_process_reads_what_is_written_after_the_fork():
    placard = Placard(1000)
    assert exit_status(fork_and_run(lambda: placard.write(b"from the child"))) == 0
    assert placard.read() == b"from the child"
