"""One thread of a crew, as the others see it."""

from __future__ import annotations

import threading

from canter.observe.scoreboard import ThreadSlot
from canter.wsgi.exchange import Exchange


class Member:
    """One thread.

    index: counts application threads from 0; the reserve has the last one. slot: its part of the
    scoreboard; None for the reserve. wake: held while nobody has called the thread. ident: Python's
    number of the thread. exchange: the call that goes on. started_ns, ended_ns: of the last call.
    """

    __slots__ = (
        "ended_ns",
        "exchange",
        "ident",
        "index",
        "slot",
        "started_ns",
        "thread",
        "wake",
    )

    def __init__(self, index: int, slot: ThreadSlot | None) -> None:
        self.index = index
        self.slot = slot
        self.wake = threading.Lock()
        self.wake.acquire()
        self.ident = 0
        self.exchange: Exchange | None = None
        self.started_ns = 0
        self.ended_ns = 0
        self.thread: threading.Thread | None = None
