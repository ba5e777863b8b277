"""Leniencies about lines rewrite a head byte for byte, and nothing else."""

from __future__ import annotations

from canter.protocol.http1.straighten import straighten
from canter.protocol.limits import Leniency

FOLDING = Leniency(permit_obsolete_folding=True)
SPACES = Leniency(strip_header_spaces=True)


def test_a_fold_becomes_spaces_of_the_same_length():
    assert straighten(b"A: 1\r\n\t2\r\n\r\n", 0, FOLDING) == (b"A: 1  \t2\r\n\r\n", 12)


def test_a_colon_moves_to_its_name():
    assert straighten(b"A \t: 1\r\n\r\n", 0, SPACES) == (b"A: \t 1\r\n\r\n", 10)


def test_a_colon_within_a_value_stays():
    wire = b"A: b : c\r\n\r\n"
    assert straighten(wire, 0, SPACES) == (wire, len(wire))


def test_each_leniency_is_only_about_itself():
    assert straighten(b"A : 1\r\n 2\r\n\r\n", 0, FOLDING)[0] == b"A : 1   2\r\n\r\n"
    assert straighten(b"A : 1\r\n 2\r\n\r\n", 0, SPACES)[0] == b"A:  1\r\n 2\r\n\r\n"


def test_what_is_before_the_fields_and_behind_the_head_stays():
    wire = b"X :\r\n y" + b"A: 1\r\n\r\n" + b"B : 2\r\n 3\r\n\r\n"
    both = Leniency(permit_obsolete_folding=True, strip_header_spaces=True)
    assert straighten(wire, 7, both) == (wire, len(wire))


def test_a_head_without_fields_stays():
    wire = b"\r\n\r\n A : 1"
    assert straighten(wire, 0, Leniency(True, True)) == (wire, len(wire))


def test_the_last_lf_is_held_back_until_the_next_line_has_begun():
    assert straighten(b"A: 1\r\n", 0, FOLDING) == (b"A: 1\r\n", 5)
    assert straighten(b"A: 1\r\nB", 0, FOLDING) == (b"A: 1\r\nB", 7)
    assert straighten(b"A: 1\r\n", 0, SPACES) == (b"A: 1\r\n", 6)
