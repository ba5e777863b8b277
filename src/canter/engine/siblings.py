"""The other workers of a generation, as an engine sees them."""

from __future__ import annotations

import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from canter.engine.balance import Load
from canter.net.handoff import Letter, invite, post
from canter.observe.scoreboard import Field, WorkerSlot

# A slot whose loop has not come round for so long tells nothing about its worker.
_STALE_NS = 2_000_000_000

_OPEN = int(Field.OPEN)
_HEARTBEAT_NS = int(Field.HEARTBEAT_NS)
_CONNECTIONS = int(Field.CONNECTIONS)
_QUEUED = int(Field.QUEUED)
_COLLECTED_NS = int(Field.COLLECTED_NS)
_LISTENING = int(Field.LISTENING)


@dataclass(frozen=True, slots=True)
class Siblings:
    """The other workers' places, used or free; none where a worker is alone.

    slots: their parts of the scoreboard. boxes: for each of them, where connections go in that
    move there (`canter.net.handoff`). tray: where those come out that move here.
    """

    slots: tuple[WorkerSlot, ...] = ()
    boxes: tuple[socket.socket, ...] = ()
    tray: socket.socket | None = None


class Neighbour:
    """One sibling: its slot on the board, its letter box, and what is on its way there.

    What its threads run is read from the threads' own words, so that it is true at this moment,
    and not when its loop last came round.
    """

    __slots__ = ("_box", "_sent", "_sent_ns", "slot")

    def __init__(self, slot: WorkerSlot, box: socket.socket) -> None:
        self.slot = slot
        self._box = box
        self._sent = 0
        self._sent_ns = 0

    @property
    def serves(self) -> bool:
        """Whether it takes connections, unless it is stuck."""
        return bool(self.slot.words[_OPEN])

    def load(self, now_ns: int) -> Load | None:
        """Its load now; None where it does not serve, or is stuck."""
        words = self.slot.words
        if not words[_OPEN] or now_ns - words[_HEARTBEAT_NS] > _STALE_NS:
            return None
        return Load(
            self.slot.busy_threads(), words[_QUEUED], words[_CONNECTIONS], bool(words[_LISTENING])
        )

    def room(self, threads: int, now_ns: int) -> int:
        """How many more requests it could run at once, beside those that are on their way to it."""
        load = self.load(now_ns)
        if load is None or load.queued:
            return 0
        if self.slot.words[_COLLECTED_NS] >= self._sent_ns:
            self._sent = 0
        return threads - load.running - self._sent

    @property
    def queued(self) -> int:
        """How many requests wait there for a thread, if it serves."""
        words = self.slot.words
        return words[_QUEUED] if words[_OPEN] else 0

    def send(self, descriptor: int, letter: Letter) -> bool:
        """Move a connection there; False when its box is full."""
        # The moment before: once there it may be collected at once.
        sent_ns = time.monotonic_ns()
        if not post(self._box, descriptor, letter):
            return False
        self._sent += 1
        self._sent_ns = sent_ns
        return True

    def invite(self) -> None:
        """Tell it that there is room here."""
        invite(self._box)


def neighbours_of(siblings: Siblings) -> Sequence[Neighbour]:
    """Each of them, for the engine that moves connections there."""
    return [Neighbour(slot, box) for slot, box in zip(siblings.slots, siblings.boxes, strict=True)]
