"""The table of phases: what may follow what."""

from __future__ import annotations

import pytest

from canter.engine import phases
from canter.engine.phases import FOLLOWERS, MAY_FOLLOW, Phase


def test_every_phase_has_its_followers():
    assert set(FOLLOWERS) == set(Phase)


@pytest.mark.parametrize("phase", Phase)
def test_the_bits_say_the_same_as_the_table(phase):
    assert {next_ for next_ in Phase if MAY_FOLLOW[phase] >> next_ & 1} == FOLLOWERS[phase]


def test_nothing_follows_the_end():
    assert FOLLOWERS[Phase.CLOSED] == frozenset()


@pytest.mark.parametrize("phase", set(Phase) - {Phase.CLOSED})
def test_every_phase_can_end(phase):
    assert Phase.CLOSED in FOLLOWERS[phase]


@pytest.mark.parametrize("phase", Phase)
def test_only_a_complete_request_is_run(phase):
    assert (Phase.RUNNING in FOLLOWERS[phase]) == (phase is Phase.READY)


def test_every_phase_can_be_reached():
    reached = {Phase.IDLE}
    while more := {next_ for phase in reached for next_ in FOLLOWERS[phase]} - reached:
        reached |= more
    assert reached == set(Phase)


@pytest.mark.parametrize("phase", Phase)
def test_the_plain_numbers_are_the_members(phase):
    assert getattr(phases, phase.name, phase) == phase
