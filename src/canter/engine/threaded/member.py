"""One thread of a crew, as the others see it."""

from __future__ import annotations

import threading

from canter.observe.scoreboard import ThreadSlot
from canter.wsgi.exchange import Exchange


class Member:
    """One thread.

    index: counts application threads from 0; the reserve has the last one. slot: its part of the
    scoreboard; None for the reserve. wake: held while nobody has called the thread. ident: Python's
    number of the thread. exchange: the call that goes on. began_ns, ended_ns: of the last call.
    aim: whether somebody is about to interrupt the call (`canter.engine.threaded.overtime`).
    started_ns: when it began or last made progress, as on the scoreboard. inline: it leads, and
    runs a request meanwhile.
    """

    __slots__ = (
        "aim",
        "began_ns",
        "ended_ns",
        "exchange",
        "ident",
        "index",
        "inline",
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
        self.began_ns = 0
        self.started_ns = 0
        self.ended_ns = 0
        self.thread: threading.Thread | None = None
        self.aim = 0
        self.inline = False

    def wait_for_client(self) -> None:
        """The call waits for its client, which is no fault of the application: its time stops."""
        if self.slot is not None:
            self.slot.pause()

    def go_on(self, now_ns: int) -> None:
        """The call makes progress: its time begins anew."""
        self.started_ns = now_ns
        if self.slot is not None:
            self.slot.restart(now_ns)
