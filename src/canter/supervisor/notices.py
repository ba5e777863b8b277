"""What a service manager is told of the server, and when. Pure: the roster in, messages out.

The messages are those of systemd's sd_notify(3). READY means that all workers of the first
generation serve; a reload is over when no generation boots any more, whether it succeeded or not.
"""

from __future__ import annotations

from enum import Enum, auto

from canter.supervisor.roster import Roster
from canter.supervisor.states import GenerationState, Phase
from canter.worker.states import WorkerState

EXTENSION_SECONDS = 20.0
"""How long the manager may hear nothing while something takes time."""
_EXTEND_EVERY_SECONDS = 5.0
_MICROSECONDS = 1_000_000
_NEVER = float("inf")


class Standing(Enum):
    """What the manager knows of us."""

    STARTING = auto()
    READY = auto()
    RELOADING = auto()
    STOPPING = auto()


def standing(roster: Roster) -> Standing:
    """How the server stands."""
    match roster.phase:
        case Phase.STARTING:
            return Standing.STARTING
        case Phase.RUNNING:
            boots = roster.in_state(GenerationState.BOOTING) is not None
            return Standing.RELOADING if boots or roster.is_reload_wanted else Standing.READY
        case _:
            return Standing.STOPPING


def status_line(roster: Roster) -> str:
    """One line for people: what `systemctl status` shows."""
    match standing(roster):
        case Standing.STARTING:
            return f"starting: {_serving(roster, GenerationState.BOOTING)}"
        case Standing.READY:
            return f"serving: {_serving(roster, GenerationState.LIVE)}"
        case Standing.RELOADING:
            return f"reloading; meanwhile {_serving(roster, GenerationState.LIVE)}"
        case Standing.STOPPING:
            left = len(roster.handles)
            return f"stopping: {left} {'worker' if left == 1 else 'workers'} left"


def _serving(roster: Roster, state: GenerationState) -> str:
    generation = roster.in_state(state)
    if generation is None:
        return "no worker serves"
    workers = roster.staying(generation)
    ready = sum(1 for it in workers if it.state in {WorkerState.READY, WorkerState.SERVING})
    text = f"{ready} of {generation.wanted} workers ready, generation {generation.number}"
    if state is GenerationState.LIVE and generation.failure is not None and ready < len(workers):
        return f"{text}; the last failure: {generation.failure.message}"
    return text


class Notices:
    """What has been told, so that everything is told once.

    `watchdog_seconds`: how long we may be silent before we are taken for dead; None = for ever.
    """

    def __init__(self, watchdog_seconds: float | None = None) -> None:
        self._told: Standing | None = None
        self._status = ""
        self._reloads = 0
        self._extend_at = 0.0
        self._sign_every = None if watchdog_seconds is None else watchdog_seconds / 2
        self._sign_at = 0.0 if watchdog_seconds is not None else _NEVER

    def sign_of_life(self, now: float) -> list[str]:
        """For the watchdog, when it is due."""
        if self._sign_every is None or now < self._sign_at:
            return []
        self._sign_at = now + self._sign_every
        return ["WATCHDOG=1"]

    def news(self, roster: Roster, now: float) -> list[str]:
        """What has changed since the last call; lines that belong together."""
        lines: list[str] = []
        stands = standing(roster)
        if stands is not self._told or roster.reloads_asked != self._reloads:
            lines += self._change(stands, now)
        self._told, self._reloads = stands, roster.reloads_asked
        status = status_line(roster)
        if status != self._status:
            self._status = status
            lines.append(f"STATUS={_one_line(status)}")
        if stands is not Standing.READY and now >= self._extend_at:
            self._extend_at = now + _EXTEND_EVERY_SECONDS
            lines.append(f"EXTEND_TIMEOUT_USEC={int(EXTENSION_SECONDS * _MICROSECONDS)}")
        return lines

    def _change(self, stands: Standing, now: float) -> list[str]:
        match stands:
            case Standing.STARTING:
                return []
            case Standing.READY:
                return ["READY=1"]
            case Standing.RELOADING:
                # Said again for every request, with its time: a manager that asked for one while
                # another was under way waits for an answer that is younger than its question.
                return ["RELOADING=1", f"MONOTONIC_USEC={int(now * _MICROSECONDS)}"]
            case Standing.STOPPING:
                return ["STOPPING=1"] if self._told is not Standing.STOPPING else []

    def next_deadline(self, roster: Roster) -> float:
        """When there may be something to tell though nothing has happened (inf = never)."""
        extend_at = _NEVER if standing(roster) is Standing.READY else self._extend_at
        return min(self._sign_at, extend_at)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:500]
