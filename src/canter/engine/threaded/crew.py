"""The threads of a worker: who leads, who runs the application, who stands by.

There are N application threads and one reserve. At any moment one of them leads: it alone polls,
reads, accepts and writes what is left over. Complete requests wait in `ready`.

- An application thread that leads runs a ready request itself. In the INLINE tempo it keeps the
  lead meanwhile, and the reserve watches: when the call has gone on for about a millisecond, the
  reserve takes the lead away, and the caller is an ordinary worker until its call is done. In the
  EAGER tempo it hands the lead over before the call.
- The reserve leads only while every application thread is busy, or until work comes: it never calls
  the application, so that a thread-local (a database connection) exists N times and not more.
- A thread that comes back from a call it lost the lead over takes the next ready request, or parks.

Watching costs the quick requests little: the reserve looks at a counter every fourth millisecond
while there is work, every one while calls last, and sleeps soundly while there is none.

What protects what: `mutex` guards who leads, who is parked, and taking from `ready`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Any, Protocol

from canter.engine.clock import now_ns, waits_so_far
from canter.engine.latch import Latch
from canter.engine.tempo import SLOW_NS, Pace, Tempo
from canter.engine.threaded.connection import Connection
from canter.engine.threaded.loop import Loop
from canter.engine.threaded.member import Member
from canter.engine.threaded.service import Service
from canter.engine.vigil import Vigil
from canter.observe.scoreboard import ThreadSlot

_PAUSE_AFTER_FAULT_SECONDS = 0.05
# Of so many inline calls one is watched for waiting off the processor: asking costs a system call.
_MEASURE_EVERY = 16
_INLINE = Tempo.INLINE


class Work(Protocol):
    """What the crew does beside serving requests; given by the engine."""

    def turn(self) -> None:
        """One round of the loop, and what comes before it; waits until there is something new.

        By the leader, where it is the reserve or `Crew.asked` is set; else it turns the loop
        itself.
        """

    def tell_waiting(self, count: int) -> None:
        """So many requests wait for a thread by now; from any thread."""

    def at_leisure(self) -> None:
        """An application thread has nothing to do; from that thread."""

    def ended(self) -> None:
        """The last thread leaves."""


class Crew:
    """The threads and their roles.

    loop: what the leader turns; set before the start. asked: the work has something to do before
    the next round; set by any thread, which then ends the present round.
    """

    loop: Loop

    def __init__(self, slots: list[ThreadSlot], work: Work, service: Service, name: str) -> None:
        self._work = work
        self._service = service
        self._name = name
        self.members = [Member(index, slot) for index, slot in enumerate(slots)]
        self.reserve = Member(len(slots), None)
        self.mutex = Latch()
        self.pace = Pace(len(slots))
        self.ready: deque[Connection] = deque()
        self._parked: list[Member] = []
        self._leader: Member | None = None
        self._alive = 0
        self._over = False
        self.asked = False
        self._vigil = Vigil()
        self._inline_calls = 0

    # -- life -------------------------------------------------------------------------------

    def start(self) -> None:
        """Start every thread; the first application thread leads."""
        everyone = [*self.members, self.reserve]
        self._alive = len(everyone)
        self._leader = self.members[0]
        for member in everyone:
            # Threads that the application starts inherit this, and are then waited for at a clean
            # end. A worker ends by os._exit: one of ours that is stuck holds nothing.
            thread = threading.Thread(
                target=self._live, args=(member,), name=f"{self._name}-{member.index}", daemon=False
            )
            member.thread = thread
            thread.start()

    def dismiss(self) -> None:
        """There is nothing more to do: let every thread leave that is not inside a call."""
        with self.mutex:
            self._over = True
            parked, self._parked = self._parked, []
        for member in parked:
            _wake(member)
        self._vigil.wake()

    def busy(self) -> int:
        """How many application calls are going on."""
        count = 0
        for member in self.members:  # asked in every round where all are busy
            if member.exchange is not None:
                count += 1
        return count

    def abandoned(self) -> int:
        """How many of them were given up and go on all the same."""
        exchanges = [member.exchange for member in self.members]
        return sum(exchange is not None and exchange.abandoned for exchange in exchanges)

    def present_environ(self) -> dict[str, Any] | None:
        """That of the request which the calling thread runs, if it runs one."""
        ident = threading.get_ident()
        for member in self.members:
            exchange = member.exchange
            if exchange is not None and member.ident == ident:
                return exchange.environ
        return None

    @property
    def reserve_leads(self) -> bool:
        """Whether the reserve has the lead."""
        return self._leader is self.reserve

    def _live(self, member: Member) -> None:
        member.ident = threading.get_ident()
        stand_by = self._watch if member is self.reserve else self._park
        while not self._over:
            try:
                if self._leader is member:
                    self._lead(member)
                elif member is self.reserve or not self._help(member):
                    stand_by(member)
            except BaseException as error:
                # Nothing may end a thread of the crew. The pause keeps a fault that comes back at
                # once from eating the processor.
                self._service.failed(error)
                time.sleep(_PAUSE_AFTER_FAULT_SECONDS)
        with self.mutex:
            self._alive -= 1
            last = self._alive == 0
        if last:
            self._vigil.close()
            self._work.ended()

    # -- leading ----------------------------------------------------------------------------

    def _lead(self, member: Member) -> None:
        """Lead until the lead is handed over, lost, or the work is over."""
        ready = self.ready
        work = self._work
        loop = self.loop
        is_reserve = member is self.reserve
        loop.crowded = is_reserve
        while self._leader is member and not self._over:
            if not ready:
                if is_reserve or self.asked:
                    work.turn()
                else:
                    loop.turn()
            elif is_reserve:
                if not self._hand_work(member):
                    work.turn()  # whoever comes back from a call takes from `ready`
            elif self.pace.tempo is _INLINE or self.pace.may_inline(now_ns()):
                self._run_inline(member)
            else:
                connection = self._take()
                if connection is not None:
                    self._hand_over(member, True)
                    self._service.serve(connection, member)

    def _run_inline(self, member: Member) -> None:
        """Run one request while leading, under the reserve's eye."""
        connection = self._take()
        if connection is None:
            return
        self._inline_calls = calls = self._inline_calls + 1
        waits = waits_so_far() if calls % _MEASURE_EVERY == 0 else -1
        number = self._vigil.begin()
        member.inline = True
        try:
            self._service.serve(connection, member)
        finally:
            member.inline = False
            # The reserve decides under the mutex: either it sees the end, or we see its lead. Taken
            # by hand: this runs once for each request, and a with statement costs twice as much.
            self.mutex.acquire()
            self._vigil.end(number)
            self.mutex.release()
        if self._leader is not member:
            return  # judged when the lead was taken away
        duration_ns = member.ended_ns - member.began_ns
        if waits >= 0 or duration_ns >= SLOW_NS:
            waited = waits >= 0 and waits_so_far() != waits
            self.pace.note_inline(
                duration_ns,
                waited=waited,
                now_ns=member.ended_ns,
                stands_for=1 if duration_ns >= SLOW_NS else _MEASURE_EVERY,
            )

    def _hand_work(self, member: Member) -> bool:
        """The reserve leads and requests are ready: find them a thread.

        Where calls are inline an application thread gets the lead and True is returned; else as
        many are woken as there are requests, and the reserve goes on leading.
        """
        if self.pace.may_inline(now_ns()):
            if not self._hand_over(member):
                return False
            self._work.tell_waiting(0)  # it runs all that are at hand
            return True
        with self.mutex:
            count = min(len(self.ready), len(self._parked))
            woken = [self._parked.pop() for _ in range(count)]
        for helper in woken:
            _wake(helper)
        return False

    def _take(self) -> Connection | None:
        try:
            return self.ready.popleft()
        except IndexError:  # a thread that came back from its call was quicker
            return None

    def _hand_over(self, member: Member, to_reserve: bool = False) -> bool:
        """Give the lead to a parked application thread, or else to the reserve."""
        with self.mutex:
            if self._leader is not member:
                return True
            if self._parked:
                heir = self._parked.pop()
            elif to_reserve:
                heir = self.reserve
            else:
                return False
            self._leader = heir
        if heir is self.reserve:
            self._vigil.wake()
        else:
            _wake(heir)
        return True

    # -- not leading ------------------------------------------------------------------------

    def _help(self, member: Member) -> bool:
        """Run one ready request without leading; False when there is none."""
        connection = self._take()
        # Where a thread of the application leads, it runs what is at hand.
        self._work.tell_waiting(len(self.ready) if self._leader is self.reserve else 0)
        if connection is None:
            return False
        self._service.serve(connection, member)
        return True

    def _park(self, member: Member) -> None:
        """Wait until there is something to do."""
        with self.mutex:
            # Whoever adds to `ready` looks for parked threads afterwards: seeing it empty here,
            # under the same lock, loses no request.
            if self._leader is member or self.ready or self._over:
                return
            self._parked.append(member)
        self._work.at_leisure()
        member.wake.acquire()

    def _watch(self, member: Member) -> None:
        """The reserve: wait for the lead, or take it from a call that goes on for too long."""
        while self._leader is not member and not self._over:
            number = self._vigil.watch()
            if number and self._seize(member, number):
                return

    def _seize(self, member: Member, number: int) -> bool:
        """Take the lead away from a leader that is still inside the same call."""
        with self.mutex:
            leader = self._leader
            if not self._vigil.going_on(number) or leader is None:
                return False
            leader.inline = False  # before the new leader's first turn
            self._leader = member
        moment_ns = now_ns()
        lasted_ns = max(SLOW_NS, moment_ns - leader.began_ns)
        self.pace.note_inline(lasted_ns, waited=False, now_ns=moment_ns)
        return True


def _wake(member: Member) -> None:
    """Let a member look around; a second wake-up before it did so is the same as one."""
    try:
        member.wake.release()
    except RuntimeError:
        pass
