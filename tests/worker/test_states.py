"""The table of a worker's life: complete, and without a way back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.worker.states import (
    TRANSITIONS,
    ImpossibleEventError,
    WorkerEvent,
    WorkerState,
    next_state,
)


def test_an_ordinary_life():
    state = WorkerState.BOOTING
    seen = [state]
    for event in (
        WorkerEvent.PROVEN,
        WorkerEvent.SERVES,
        WorkerEvent.LEAVES,
        WorkerEvent.ENDED,
    ):
        state = next_state(state, event)
        seen.append(state)
    assert seen == list(WorkerState)


@given(st.lists(st.sampled_from(WorkerEvent)))
def test_any_events_lead_forward_or_are_refused(events: list[WorkerEvent]):
    state = WorkerState.BOOTING
    for event in events:
        try:
            following = next_state(state, event)
        except ImpossibleEventError:
            continue
        assert following >= state
        state = following


@pytest.mark.parametrize("state", [s for s in WorkerState if s is not WorkerState.GONE])
def test_a_worker_may_die_and_may_be_told_to_leave_at_any_time(state: WorkerState):
    assert next_state(state, WorkerEvent.ENDED) is WorkerState.GONE
    assert next_state(state, WorkerEvent.LEAVES) is WorkerState.DRAINING


@pytest.mark.parametrize("event", WorkerEvent)
def test_nothing_happens_to_the_dead(event: WorkerEvent):
    with pytest.raises(ImpossibleEventError, match=f"{event.name} while GONE"):
        next_state(WorkerState.GONE, event)


def test_a_worker_that_is_told_to_leave_may_just_have_said_that_it_is_ready():
    for event in (WorkerEvent.PROVEN, WorkerEvent.SERVES):
        assert next_state(WorkerState.DRAINING, event) is WorkerState.DRAINING


def test_a_worker_never_serves_unproven():
    with pytest.raises(ImpossibleEventError):
        next_state(WorkerState.BOOTING, WorkerEvent.SERVES)


def test_every_state_is_reached():
    assert {WorkerState.BOOTING, *TRANSITIONS.values()} == set(WorkerState)
