"""The soft time-out: `RequestTimeout`, raised in the thread whose call has lasted too long.

Python can raise an exception in another thread: it is delivered when that thread next runs Python
code, which may be a moment later. So that it hits the call that it is meant for and nothing else:

- It is raised only while the thread is inside the application, not inside our own code, whose locks
  and books it could disturb. It is delivered at the next call, return or turn of a loop.
- A thread that comes out of a call passes a fence: it takes back its exchange, so that nobody aims
  at it any more, waits for whoever is just aiming, and throws away what has not been delivered.
- What reaches our own code all the same on the way to the fence ends this exchange, and no other.

A call that hangs in compiled code (a database's answer, a sleep) runs no Python code, and only the
hard time-out ends it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from canter.engine.contract import AroundCalls
from canter.engine.threaded.member import Member
from canter.errors import BootError
from canter.wsgi.exchange import Application, Exchange
from canter.wsgi.overtime import RequestTimeout

# Where a thread's innermost frame is in one of these, it is not inside the application.
_OURS = (
    "canter.engine.",
    "canter.wsgi.",
    "canter.protocol.",
    "canter.net.",
    "canter.observe.",
    "canter.worker.",
)
# The frames at the bottom of every thread; compiled code of ours has none of its own above them.
_THREAD_STARTS = ("run", "_bootstrap", "_bootstrap_inner")
_AGAIN_SECONDS = 0.01
_LONGEST_SECONDS = 1.0

_FREE = 0
_AIMED_AT = 1
_HIT = 2


class SoftLimit:
    """Looks for calls that take too long, and interrupts each of them once.

    around: what goes on around each call, if anything.
    """

    def __init__(self, seconds: float, around: AroundCalls | None) -> None:
        self._limit_ns = int(seconds * 1e9)
        self._around = around
        self._raise_in = _raiser()

    # -- the leader -------------------------------------------------------------------------

    def look(self, members: Sequence[Member], now_ns: int) -> float:
        """Interrupt what is due; in how many seconds, at most, to look again."""
        soonest_ns = min(int(_LONGEST_SECONDS * 1e9), self._limit_ns // 4)
        for member in members:
            exchange = member.exchange
            if exchange is None or member.aim != _FREE:
                continue
            left_ns = member.started_ns + self._limit_ns - now_ns
            if left_ns <= 0 and not self._interrupt(member, exchange):
                left_ns = int(_AGAIN_SECONDS * 1e9)
            if left_ns > 0:
                soonest_ns = min(soonest_ns, left_ns)
        return soonest_ns / 1e9

    def _interrupt(self, member: Member, exchange: Exchange) -> bool:
        """Raise in a thread; False while it is where nothing may be raised."""
        slot = member.slot
        if slot is None or not slot.started_ns or exchange.abandoned:
            return False  # it waits for its client, or was given up
        member.aim = _AIMED_AT
        fires = member.exchange is exchange and _is_inside_application(member.ident)
        if fires:
            self._raise_in(member.ident, RequestTimeout)
        member.aim = _HIT if fires else _FREE
        return fires

    # -- the thread that runs the request -----------------------------------------------------

    def run(self, application: Application, exchange: Exchange, member: Member) -> None:
        """`exchange.run`, within the limit. Afterwards nothing is raised in this thread."""
        late: RequestTimeout | None = None
        try:
            if self._around is None:
                exchange.run(application)
            else:
                self._around.run(application, exchange)
            self._pass_fence(member)
        except RequestTimeout as problem:
            # It is raised once only: from here on nothing can come.
            late = problem
            self._pass_fence(member)
        if late is not None:
            exchange.break_off(late)

    def _pass_fence(self, member: Member) -> None:
        member.exchange = None
        if member.aim == _FREE:
            return
        while member.aim == _AIMED_AT:
            time.sleep(0)  # the leader is between two lines of `_interrupt`
        if member.aim == _HIT:
            self._raise_in(member.ident, None)
        member.aim = _FREE


def _is_inside_application(ident: int) -> bool:
    """Whether the innermost Python code of a thread is neither ours nor the thread's own start."""
    frame = sys._current_frames().get(ident)  # noqa: SLF001 - the documented way
    if frame is None:
        return False
    module = str(frame.f_globals.get("__name__"))
    if module == "threading":
        return frame.f_code.co_name not in _THREAD_STARTS
    return not module.startswith(_OURS)


def _raiser() -> Callable[[int, Any], object]:
    """A function that raises a class in a thread; with None, that takes back what is on its way."""
    try:
        import ctypes

        set_exception = ctypes.pythonapi.PyThreadState_SetAsyncExc
    except (ImportError, AttributeError):
        raise BootError("soft_timeout needs ctypes, which this Python does not have") from None
    set_exception.argtypes = (ctypes.c_ulong, ctypes.py_object)
    set_exception.restype = ctypes.c_int
    nothing: Any = ctypes.py_object()

    def raise_in(ident: int, kind: Any) -> object:
        return set_exception(ident, nothing if kind is None else kind)

    return raise_in
