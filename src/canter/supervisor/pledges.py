"""Orders whose answer has to wait for something to happen: who waits, and for what.

A ticket names who asked. Each event gives the replies that are due by it. Pure; times are seconds
of a monotonic clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

from canter.supervisor.orders import Answer, Refusal, Reply

STACKS_SECONDS = 2.0
"""How long workers have to tell their stacks: what they do for it takes milliseconds."""

Due: TypeAlias = list[tuple[int, Reply]]
"""Replies that can be given now, each with the ticket of who asked."""


@dataclass(slots=True)
class _Round:
    """One asking for stacks."""

    ticket: int
    missing: set[int]
    deadline: float
    found: dict[int, str] = field(default_factory=dict)

    def reply(self) -> Reply:
        workers = [{"pid": pid, "stacks": text} for pid, text in sorted(self.found.items())]
        return Answer({"workers": workers, "silent": sorted(self.missing)})


class Pledges:
    """Everything that was promised and is not yet answered."""

    def __init__(self) -> None:
        # The generation whose outcome it is; None until that has begun.
        self._reloads: dict[int, int | None] = {}
        self._stops: list[int] = []
        self._rounds: dict[int, _Round] = {}
        self._last_round = 0

    # ------------------------------------------------------------------------------ promised

    def reload(self, ticket: int) -> None:
        """Promise the outcome of the next generation that begins."""
        self._reloads[ticket] = None

    def stop(self, ticket: int) -> None:
        """Promise to tell when the service has ended."""
        self._stops.append(ticket)

    def stacks(self, ticket: int, pids: Iterable[int], now: float) -> int:
        """Promise the stacks of these workers; the number of the round, for them to answer with."""
        self._last_round += 1
        self._rounds[self._last_round] = _Round(ticket, set(pids), now + STACKS_SECONDS)
        return self._last_round

    def next_deadline(self) -> float | None:
        """When `overdue` has something to say at the latest."""
        return min((it.deadline for it in self._rounds.values()), default=None)

    # ------------------------------------------------------------------------------ happened

    def begun(self, generation: int) -> None:
        """A generation begins: it is what those wait for that had none yet."""
        for ticket, waits_for in self._reloads.items():
            if waits_for is None:
                self._reloads[ticket] = generation

    def not_begun(self, error: str, live: int | None) -> Due:
        """The settings of a new generation cannot be used."""
        return self._settle_reloads(None, _failed(error, "", live))

    def promoted(self, generation: int, pids: Iterable[int]) -> Due:
        """A generation serves."""
        reply = Answer({"generation": generation, "workers": sorted(pids)})
        return self._settle_reloads(generation, reply)

    def discarded(self, generation: int, error: str, traceback: str, live: int | None) -> Due:
        """A generation could not be started."""
        return self._settle_reloads(generation, _failed(error, traceback, live))

    def stopping(self) -> Due:
        """The service is to end: no reload will."""
        due: Due = [(ticket, Refusal("the server is stopping")) for ticket in self._reloads]
        self._reloads.clear()
        return due

    def told(self, number: int, pid: int, stacks: str) -> Due:
        """A worker has told its stacks."""
        asked = self._rounds.get(number)
        if asked is None or pid not in asked.missing:
            return []
        asked.missing.discard(pid)
        asked.found[pid] = stacks
        return self._finish(lambda it: not it.missing)

    def gone(self, pid: int) -> Due:
        """A worker has ended; it has no stacks any more."""
        for asked in self._rounds.values():
            asked.missing.discard(pid)
        return self._finish(lambda it: not it.missing)

    def overdue(self, now: float) -> Due:
        """What can be told without those that did not answer in time."""
        return self._finish(lambda it: not it.missing or now >= it.deadline)

    def ended(self) -> Due:
        """The service has ended."""
        due = self.stopping()
        due += [(ticket, Answer({"stopped": True})) for ticket in self._stops]
        due += self._finish(lambda _: True)
        self._stops.clear()
        return due

    def _settle_reloads(self, generation: int | None, reply: Reply) -> Due:
        tickets = [t for t, waits_for in self._reloads.items() if waits_for == generation]
        for ticket in tickets:
            del self._reloads[ticket]
        return [(ticket, reply) for ticket in tickets]

    def _finish(self, is_due: Callable[[_Round], bool]) -> Due:
        numbers = [number for number, asked in self._rounds.items() if is_due(asked)]
        rounds = [self._rounds.pop(number) for number in numbers]
        return [(asked.ticket, asked.reply()) for asked in rounds]


def _failed(error: str, traceback: str, live: int | None) -> Refusal:
    return Refusal(error, {"traceback": traceback, "generation": live})
