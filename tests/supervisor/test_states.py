"""The two tables: every state is reached, every state leads to the end, nothing else happens."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import pytest

from canter.supervisor.states import (
    GENERATIONS,
    PHASES,
    Command,
    GenerationEvent,
    GenerationState,
    Phase,
    next_generation_state,
    next_phase,
)

TABLES: list[tuple[Mapping[tuple[Any, Any], Any], type[Enum], Enum, Enum]] = [
    (GENERATIONS, GenerationState, GenerationState.BOOTING, GenerationState.GONE),
    (PHASES, Phase, Phase.STARTING, Phase.ENDED),
]


def reached_from(table: Mapping[tuple[Any, Any], Any], first: Enum) -> set[Enum]:
    reached = {first}
    while True:
        more = {table[key] for key in table if key[0] in reached} | reached
        if more == reached:
            return reached
        reached = more


@pytest.mark.parametrize(("table", "states", "first", "last"), TABLES)
def test_every_state_is_reached_and_leads_to_the_end(table, states, first, last):
    assert reached_from(table, first) == set(states)
    assert all(last in reached_from(table, state) for state in states)
    assert not [key for key in table if key[0] is last]


def test_a_generation_that_was_discarded_never_serves():
    discarded = next_generation_state(GenerationState.BOOTING, GenerationEvent.DISCARDED)
    assert discarded is GenerationState.FAILED
    with pytest.raises(KeyError):
        next_generation_state(discarded, GenerationEvent.PROMOTED)


def test_asking_twice_for_a_gentle_stop_hurries():
    phase = next_phase(Phase.RUNNING, Command.STOP_GRACEFULLY)
    assert phase is Phase.STOPPING
    assert next_phase(phase, Command.STOP_GRACEFULLY) is Phase.HURRYING


@pytest.mark.parametrize("phase", [p for p in Phase if p is not Phase.ENDED])
@pytest.mark.parametrize("command", [Command.STOP_GRACEFULLY, Command.STOP_AT_ONCE])
def test_a_stop_is_understood_in_every_phase(phase: Phase, command: Command):
    assert next_phase(phase, command) in {Phase.STOPPING, Phase.HURRYING}


def test_only_the_first_start_can_end_the_server_by_failing():
    assert [key[0] for key in PHASES if key[1] is Command.FIRST_FAILED] == [Phase.STARTING]
