"""The flight recorder: what is written down of workers while they live, and kept when they die.

While they live only their memory is read now and then; their requests lie on the scoreboard. The
last blocks stay here, whatever becomes of generations; the oldest is forgotten for a new one.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from canter.observe.scoreboard import WorkerSlot
from canter.supervisor.deaths import Block, Trend, cause_of, is_told, remains_of
from canter.supervisor.reports import Death
from canter.supervisor.roster import Handle
from canter.worker.memory import resident_bytes

BLOCKS_KEPT: Final = 20
LOOK_EVERY_SECONDS: Final = 2.0
STACKS_CHARACTERS: Final = 8000


class Recorder:
    """One for the supervisor's life. `now` is the roster's clock, in seconds."""

    def __init__(self) -> None:
        self._blocks: deque[Block] = deque(maxlen=BLOCKS_KEPT)
        self._trends: dict[int, Trend] = {}
        self._stacks: dict[int, str] = {}
        self._due = 0.0

    @property
    def blocks(self) -> Sequence[Block]:
        """The last deaths, oldest first."""
        return tuple(self._blocks)

    def look(self, pids: Iterable[int], now: float) -> None:
        """Read the memory of the living, if that was not done just now."""
        if now < self._due:
            return
        self._due = now + LOOK_EVERY_SECONDS
        for pid in pids:
            size = resident_bytes(pid)
            if size:  # one that has died and was not buried yet has none
                self._trends.setdefault(pid, Trend()).note(now, size)

    def note_stack(self, pid: int, text: str) -> None:
        """Where a thread was whose request was given up; it is told if the worker dies of it."""
        self._stacks[pid] = text[-STACKS_CHARACTERS:]

    def bury(
        self, handle: Handle, death: Death, slot: WorkerSlot, failure: tuple[str, str], now: float
    ) -> Block | None:
        """What is to be told of a death; None for an ordinary leave.

        failure: why it could not start, and the traceback, where that was so.
        """
        trend = self._trends.pop(handle.pid, None)
        stacks = self._stacks.pop(handle.pid, "")
        if not is_told(handle, death):
            return None
        message, traceback = failure
        unfinished, finished = remains_of(slot, time.monotonic_ns())
        block = Block(
            at=round(time.time(), 3),
            worker=handle.name,
            pid=handle.pid,
            generation=handle.generation,
            cause=cause_of(handle, death, message),
            age_seconds=round(now - handle.born, 3),
            requests=slot.requests,
            unfinished=unfinished,
            finished=finished,
            memory=() if trend is None else trend.weights(now),
            stacks=traceback[-STACKS_CHARACTERS:] or stacks,
        )
        self._keep(block, is_boot=handle.serving_since is None)
        return block

    def _keep(self, block: Block, *, is_boot: bool) -> None:
        """A loop of starts that fail alike is one entry, so that it hides nothing else."""
        last = self._blocks[-1] if self._blocks else None
        if is_boot and last is not None and last.cause == block.cause:
            self._blocks[-1] = replace(block, times=last.times + 1)
        else:
            self._blocks.append(block)
