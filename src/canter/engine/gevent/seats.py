"""Places on the scoreboard for requests that run: one for each, given back at its end.

A place is what a thread is to the threaded engine, and whoever reads the board sees no difference.
"""

from __future__ import annotations

from canter.engine.threaded.member import Member
from canter.observe.scoreboard import THREAD_WORDS, ThreadSlot, WorkerSlot


class Seats:
    """The places of one worker. taken: how many requests run."""

    def __init__(self, slot: WorkerSlot) -> None:
        self._slot = slot
        self._members: list[Member] = []
        self._free: list[Member] = []
        self.taken = 0

    def take(self) -> Member:
        """A place; one that nobody sees where the board is full."""
        self.taken += 1
        if self._free:
            return self._free.pop()
        index = len(self._members)
        if index >= self._slot.threads:
            return Member(-1, _nowhere())
        member = Member(index, self._slot.thread(index))
        self._members.append(member)
        return member

    def give_back(self, member: Member) -> None:
        """The request is over."""
        self.taken -= 1
        member.thread = None
        if member.index >= 0:
            self._free.append(member)

    def sitting(self, index: int) -> Member | None:
        """Who has a place, if anybody ever had."""
        return self._members[index] if 0 <= index < len(self._members) else None

    def all_running(self) -> list[Member]:
        """Those that have a request."""
        return [member for member in self._members if member.exchange is not None]


def _nowhere() -> ThreadSlot:
    memory = memoryview(bytearray(THREAD_WORDS * 8))
    return ThreadSlot(memory.cast("Q"), memory)
