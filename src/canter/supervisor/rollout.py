"""How many workers there may be, and must be, while some take the place of others.

The words are those of a Kubernetes Deployment: the surge is how many workers there may be beyond
those that are wanted, unavailable is how many of the wanted may be missing. A generation that
follows another uses them, and so does a worker that is recycled.

Pure: values in, values out.
"""

from __future__ import annotations

from dataclasses import dataclass

from canter.supervisor.roster import Generation, Roster
from canter.supervisor.states import GenerationState
from canter.worker.states import WorkerState


@dataclass(frozen=True, slots=True)
class Rollout:
    """What the rules allow at this moment.

    new: workers of the generation that begins. old: workers of the one that serves.
    at_once: all new workers are proven before the first of them serves.
    """

    new: int
    old: int
    at_once: bool


def rollout_of(roster: Roster) -> Rollout | None:
    """How far the booting generation may go, and the live one must stay; None if none boots."""
    new = roster.in_state(GenerationState.BOOTING)
    if new is None:
        return None
    old = roster.in_state(GenerationState.LIVE)
    if old is None:
        return Rollout(new.wanted, 0, at_once=True)
    surge, missing = allowances(new)
    if not new.is_heir or new.failure is not None or (surge >= new.wanted and not missing):
        return Rollout(new.wanted, old.wanted, at_once=True)
    most = max(new.wanted, old.wanted)
    kept = min(old.wanted, max(0, most - missing - serving(roster, new)))
    allowed = min(new.wanted, max(0, most + surge - len(roster.staying(old))))
    return Rollout(allowed, kept, at_once=False)


def allowances(generation: Generation) -> tuple[int, int]:
    """How many workers may be extra and how many missing while the generation takes over.

    Where nothing is said all may be extra. Where both come to nothing nobody could ever be
    replaced, so one may be missing.
    """
    plan, wanted = generation.plan, generation.wanted
    surge = wanted if plan.surge is None else plan.surge.of_at_least(wanted)
    missing = min(plan.unavailable.of_at_most(wanted), wanted)
    return surge, missing if surge or missing else 1


def recycling_allowances(generation: Generation) -> tuple[int, int]:
    """The same while single workers are recycled: one after the other where nothing is said."""
    if generation.plan.surge is None:
        return 1, allowances(generation)[1]
    return allowances(generation)


def still_needed(roster: Roster, failed: Generation) -> int:
    """How many workers of a failed generation must serve until the live one is whole again."""
    live = roster.in_state(GenerationState.LIVE)
    if live is None or failed.state is not GenerationState.FAILED:
        return 0
    return max(0, live.wanted - allowances(failed)[1] - serving(roster, live))


def serving(roster: Roster, generation: Generation) -> int:
    """How many of its workers serve and were not told to leave."""
    return sum(1 for h in roster.staying(generation) if h.state is WorkerState.SERVING)
