"""Two supervisors side by side: what may follow what, and when a successor is refused."""

from __future__ import annotations

import itertools

import pytest

from canter.supervisor.lineage import (
    LINEAGES,
    Lineage,
    LineageEvent,
    next_lineage,
    why_not_upgrade,
)
from canter.supervisor.states import Phase


def test_whoever_outlives_the_other_is_alone_again():
    assert next_lineage(Lineage.HEIR, LineageEvent.PREDECESSOR_ENDED) is Lineage.ALONE
    succeeded = next_lineage(Lineage.ALONE, LineageEvent.FORKED)
    assert next_lineage(succeeded, LineageEvent.SUCCESSOR_ENDED) is Lineage.ALONE


def test_every_state_leads_to_being_alone():
    for lineage in set(Lineage) - {Lineage.ALONE}:
        assert Lineage.ALONE in {LINEAGES.get((lineage, event)) for event in LineageEvent}


@pytest.mark.parametrize("lineage", set(Lineage) - {Lineage.ALONE})
def test_there_are_never_three(lineage: Lineage):
    assert (lineage, LineageEvent.FORKED) not in LINEAGES
    assert "process 7" in (why_not_upgrade(Phase.RUNNING, lineage, 7) or "")


def test_only_a_server_that_runs_starts_a_successor():
    for phase, lineage in itertools.product(Phase, Lineage):
        refused = why_not_upgrade(phase, lineage, 7) is not None
        assert refused is not (phase is Phase.RUNNING and lineage is Lineage.ALONE)
