"""The table of a reader's phases: it leads everywhere, and the reader moves by it alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.faults import Fault
from canter.protocol.http1.states import ILLEGAL, MOVES, TABLE, WIDTH, Event, Phase
from tests.protocol.http1.feeding import SUBJECTS, Setup
from tests.protocol.http1.strategies import damaged, requests

TERMINAL = {Phase.FAILED, Phase.HANDED_OVER}


def reachable(phase):
    found = {phase}
    while more := {after for (before, _), after in TABLE.items() if before in found} - found:
        found |= more
    return found


def test_every_phase_is_reached():
    assert reachable(Phase.LINE) == set(Phase)


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_leads_to_an_end(phase):
    assert reachable(phase) & TERMINAL


def test_nothing_leads_back_from_a_fault_or_a_hand_over():
    assert reachable(Phase.FAILED) <= TERMINAL
    assert reachable(Phase.HANDED_OVER) == {Phase.HANDED_OVER}


def test_the_table_as_bytes_is_the_table():
    for phase in Phase:
        for event in Event:
            move = MOVES[phase * WIDTH + event]
            assert (None if move == ILLEGAL else Phase(move)) == TABLE.get((phase, event))


def test_what_is_behind_fields_is_a_body_and_what_is_behind_trailers_an_end():
    """The reader compares phases by order."""
    assert [phase for phase in Phase if phase <= Phase.FIELDS] == [Phase.LINE, Phase.FIELDS]
    assert {phase for phase in Phase if phase >= Phase.FAILED} == TERMINAL
    assert [phase for phase in Phase if Phase.CHUNK_SIZE <= phase <= Phase.TRAILERS] == [
        Phase.CHUNK_SIZE,
        Phase.CHUNK_DATA,
        Phase.CHUNK_END,
        Phase.TRAILERS,
    ]


def test_a_move_that_the_table_does_not_have_is_a_mistake():
    reader = Setup().reader(SUBJECTS["reference"])
    with pytest.raises(RuntimeError, match="CHUNK_READ while in LINE"):
        reader._move(Event.CHUNK_READ)


@given(wire=st.one_of(requests(), damaged()))
def test_a_reader_fed_by_bytes_moves_only_along_the_table(wire):
    for subject in SUBJECTS.values():
        reader = Setup().reader(subject)
        phase = Phase.LINE
        for at in range(len(wire)):
            reader.feed(wire[at : at + 1])
            try:
                if reader.body_complete:
                    reader.next_request({})
                else:
                    reader.read_body(1)
            except Fault:
                assert reader.phase is Phase.FAILED
                break
            assert reader.phase in reachable(phase)
            phase = reader.phase
