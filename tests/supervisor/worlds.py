"""A supervisor's surroundings without a process: invented numbers, a clock that tests move."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from typing import TypeVar

from canter.supervisor.actions import Action, BeginGeneration, Fork, Preload, Signal, TellToDrain
from canter.supervisor.deaths import Block, Unfinished, cause_of
from canter.supervisor.policy import Reading, Running, decide
from canter.supervisor.reports import Death
from canter.supervisor.roster import Generation, Handle, Plan, Roster
from canter.worker.messages import Forked, Message, Ready, Serving
from canter.worker.states import WorkerState

PLAN = Plan(
    workers=2,
    threads=2,
    timeout_seconds=30.0,
    graceful_seconds=20.0,
    boot_seconds=60.0,
    max_workers=20,
)


class World:
    """A roster, and what its workers would do: `act` decides and carries out, as the loop does."""

    def __init__(self, plan: Plan = PLAN, jitter: Callable[[], float] = lambda: 0.5) -> None:
        self.now = 1000.0
        self.plan = plan
        self.roster = Roster(jitter)
        self.readings: dict[int, Reading] = {}
        self.done: list[Action] = []
        self.can_fork = True
        self._pids = itertools.count(101)
        self._tickets = itertools.count(1)
        self.roster.add_generation(plan)

    def act(self) -> list[Action]:
        """Decide and do until nothing follows any more; what was done."""
        begun = len(self.done)
        for _ in range(50):
            actions = decide(self.roster, self.now, self.readings)
            if not actions:
                return self.done[begun:]
            for action in actions:
                self.roster.note(action, self.now)
                self.done.append(action)
                self._carry_out(action)
        raise AssertionError(f"it never comes to rest: {self.done[-5:]}")

    def _carry_out(self, action: Action) -> None:
        if isinstance(action, Fork):
            generation = self.roster.generations[action.generation]
            if self.can_fork and generation.plan.preloads:
                server = self.roster.fork_server_of(generation)
                assert server is not None, "there is nothing to fork from"
                self.roster.note_asked(server, next(self._tickets), self.now)
            elif self.can_fork:
                pid = next(self._pids)
                self.roster.add_worker(generation, pid, pid, self.now)
            else:
                self.roster.note_fork_failure(generation, "no process left", "", self.now)
        elif isinstance(action, Preload):
            generation = self.roster.generations[action.generation]
            pid = next(self._pids)
            self.roster.add_fork_server(generation, pid, pid, self.now)
        elif isinstance(action, BeginGeneration):
            self.roster.add_generation(self.plan)

    def advance(self, seconds: float) -> list[Action]:
        """Let time pass, then act."""
        self.now += seconds
        return self.act()

    # ---- what workers do

    def hear(self, pid: int, message: Message) -> list[Action]:
        self.roster.hear(self.roster.handles[pid], message, self.now)
        return self.act()

    def die(self, pid: int, requests: int = 0) -> list[Action]:
        self.readings.pop(pid, None)
        self.roster.note_death(self.roster.handles[pid], requests, "was killed", self.now)
        return self.act()

    def fork_all(self) -> list[int]:
        """Fork servers fork what they were asked for; the new workers."""
        forked = []
        for server in list(self.roster.handles.values()):
            for ticket in list(server.asked):
                pid = next(self._pids)
                self.roster.hear(server, Forked(ticket, pid), self.now)
                generation = self.roster.generations[server.generation]
                self.roster.add_worker(generation, pid, pid, self.now)
                forked.append(pid)
        self.act()
        return forked

    def boot_all(self) -> None:
        """Every worker that boots gets ready, and serves when it is told to."""
        for handle in list(self.roster.handles.values()):
            if handle.state is WorkerState.BOOTING:
                self.hear(handle.pid, Ready())
        for handle in list(self.roster.handles.values()):
            if handle.state is WorkerState.READY and handle.told_to_serve_at is not None:
                self.hear(handle.pid, Serving())

    def leave_all(self) -> None:
        """Every worker that was told to leave ends."""
        for handle in list(self.roster.handles.values()):
            if handle.leave is not None:
                self.die(handle.pid)

    def run_request(self, pid: int, *, thread: int = 0, started_ns: int = 5, age: float) -> None:
        """Worker `pid` runs a request of that age; its loop is alive."""
        before = self.readings.get(pid)
        others = [r for r in before.running if r.thread != thread] if before else []
        running = (*others, Running(thread, started_ns, age))
        self.readings[pid] = Reading(WorkerState.SERVING, 0.5, running)

    # ---- questions

    @property
    def pids(self) -> list[int]:
        return list(self.roster.handles)

    def handle(self, pid: int) -> Handle:
        return self.roster.handles[pid]

    def serving(self) -> list[int]:
        """Workers that serve and were not told to leave."""
        return [
            h.pid
            for h in self.roster.handles.values()
            if h.state is WorkerState.SERVING and h.leave is None
        ]

    def generation(self, number: int) -> Generation:
        return self.roster.generations[number]


def started(plan: Plan = PLAN) -> World:
    """A world whose first generation serves: workers 101, 102, ..."""
    world = World(plan)
    world.act()
    world.boot_all()
    return world


def plan(**changes: object) -> Plan:
    """The usual plan with some changes."""
    return dataclasses.replace(PLAN, **changes)  # type: ignore[arg-type]


A = TypeVar("A", bound=Action)


def of_kind(actions: list[Action], kind: type[A]) -> list[A]:
    """The actions of this kind."""
    return [action for action in actions if isinstance(action, kind)]


def only(actions: list[Action], kind: type[A]) -> A:
    """The one action of this kind."""
    (action,) = of_kind(actions, kind)
    return action


def told_to_leave(actions: list[Action]) -> list[int]:
    """The workers that these actions make leave."""
    return [a.pid for a in actions if isinstance(a, TellToDrain | Signal)]


def reload(world: World) -> list[int]:
    """Ask for a new generation; its workers."""
    before = set(world.pids)
    world.roster.request_reload()
    world.act()
    return [pid for pid in world.pids if pid not in before]


def a_block(handle: Handle, death: Death) -> Block:
    """What the flight recorder keeps of a worker that had one request."""
    return Block(
        at=1700000000.0,
        worker=handle.name,
        pid=handle.pid,
        generation=handle.generation,
        cause=cause_of(handle, death),
        age_seconds=12.0,
        requests=7,
        unfinished=(Unfinished(0, "GET /a?secret=1", 2.5, waits=False),),
        finished=(),
        memory=(),
        stacks="",
    )
