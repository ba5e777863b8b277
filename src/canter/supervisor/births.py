"""How workers come to be: forked here, or by their generation's fork server.

A fork server is asked and answers later. Until then the worker is *expected*: it has a place on the
board and a channel, but no process number yet. What a fork server owes when it dies may exist or
not; if it does it sees its channel end, leaves, and gives its place back by that.
"""

from __future__ import annotations

import logging
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace

from canter.errors import BootError
from canter.observe.logs import ErrorLog
from canter.observe.scoreboard import WorkerSlot
from canter.supervisor.crew import Crew
from canter.supervisor.deploy import Deploys
from canter.supervisor.hooks import ServerHooks
from canter.supervisor.roster import Generation, Handle, Roster
from canter.supervisor.states import GenerationState
from canter.worker.channel import Channel, make_channel
from canter.worker.forkserver import ask_for_worker, run_fork_server
from canter.worker.hooks.own import WorkerHooks
from canter.worker.loader import describe_failure
from canter.worker.messages import Forked, NotForked
from canter.worker.process import run_worker
from canter.worker.task import Application, Closable, ForkServerTask, WorkerTask


@dataclass(frozen=True, slots=True)
class _Expected:
    """A worker that a fork server was asked for."""

    server: int
    generation: int
    slot: int
    channel: Channel


class Births:
    """Forks, and keeps what is expected. `outsiders`: what no child may keep open."""

    def __init__(
        self,
        roster: Roster,
        crew: Crew,
        deploys: Deploys,
        selector: selectors.BaseSelector,
        application: Application | None,
        hooks: ServerHooks,
        outsiders: Callable[[], tuple[Closable, ...]],
        log: logging.Logger,
    ) -> None:
        self._roster = roster
        self._crew = crew
        self._deploys = deploys
        self._selector = selector
        self._application = application
        self._hooks = hooks
        self._outsiders = outsiders
        self._log = log
        self._requests: dict[int, socket.socket] = {}
        self._expected: dict[int, _Expected] = {}
        self._owed: list[_Expected] = []
        self._last_ticket = 0

    @property
    def is_expecting(self) -> bool:
        """Whether there may be children that nobody knows by number yet."""
        return bool(self._expected)

    def fork(self, number: int, log: ErrorLog, now: float) -> None:
        """One more worker of generation `number`, now or when its fork server has forked it."""
        generation = self._roster.generations[number]
        if generation.failure is not None and generation.state is GenerationState.BOOTING:
            return
        slot = self._deploys[number].take_slot()
        server = self._roster.fork_server_of(generation)
        try:
            if server is None:
                self._fork_here(generation, slot, log, now)
            else:
                self._ask(server, generation, slot, now)
        except BootError as error:
            self._deploys[number].give_back(slot.index)
            self._roster.note_fork_failure(generation, *describe_failure(error), now)
        except OSError as error:
            self._deploys[number].give_back(slot.index)
            text = f"a worker could not be started: {error.strerror or error}"
            self._roster.note_fork_failure(generation, text, "", now)

    def preload(self, number: int, log: ErrorLog, now: float) -> None:
        """Start the fork server of generation `number`."""
        generation = self._roster.generations[number]
        slot = self._deploys[number].take_slot()
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)

        # This runs in the fork server. So does pre_fork: what it is for lies there.
        def worker(index: int, channel: Channel, multiprocess: bool) -> WorkerTask:  # noqa: FBT001
            deploy = self._deploys[number]
            task = self._task(
                generation,
                deploy.board.slot(index),
                channel,
                log,
                (),
                self._hooks.forking(deploy.settings),
            )
            return replace(task, multiprocess=multiprocess)

        def task(channel: Channel, not_ours: tuple[Closable, ...]) -> ForkServerTask:
            own = self._task(generation, slot, channel, log, (ours, *not_ours), None)
            return ForkServerTask(own, theirs, worker)

        try:
            pid = self._crew.fork(
                lambda channel, not_ours: run_fork_server(task(channel, not_ours)),
                self._not_theirs(number),
            )
        except OSError as error:
            ours.close()
            self._deploys[number].give_back(slot.index)
            text = f"a fork server could not be started: {error.strerror or error}"
            self._roster.note_fork_failure(generation, text, "", now)
            return
        finally:
            theirs.close()
        self._requests[pid] = ours
        self._roster.add_fork_server(generation, pid, slot.index, now)
        self._selector.register(self._crew.channels[pid], selectors.EVENT_READ)
        self._log.debug("fork server %d starts", pid)

    # -------------------------------------------------------------------------- what happened

    def hear(self, server: Handle, answer: Forked | NotForked, now: float) -> None:
        """A fork server has answered."""
        expected = self._expected.get(answer.ticket)
        if expected is None or expected.server != server.pid:
            self._log.error("%s answers what it was not asked", server.name)
            return
        del self._expected[answer.ticket]
        if isinstance(answer, Forked):
            if self._crew.is_new_child(answer.pid):
                generation = self._roster.generations[expected.generation]
                self._crew.channels[answer.pid] = expected.channel
                self._selector.register(expected.channel, selectors.EVENT_READ)
                self._hooks.adopted(self._deploys[generation.number].settings, answer.pid)
                self._roster.add_worker(generation, answer.pid, expected.slot, now)
                self._log.debug("worker %d starts, forked by %s", answer.pid, server.name)
                return
            # A fork server runs what the application brought: its word alone is not enough.
            self._log.error("%s names %d, which is no worker", server.name, answer.pid)
        self._let_go(expected)

    def note_death(self, pid: int) -> None:
        """A process has ended; if it was a fork server, nobody will answer what it was asked."""
        requests = self._requests.pop(pid, None)
        if requests is None:
            return
        requests.close()
        for ticket, expected in list(self._expected.items()):
            if expected.server == pid:
                del self._expected[ticket]
                self._let_go(expected)

    def look_after_owed(self) -> None:
        """Take back the places of workers that were never announced, once those are gone."""
        for owed in list(self._owed):
            descriptor = owed.channel.fileno()
            owed.channel.receive()
            if not owed.channel.is_open:
                self._selector.unregister(descriptor)
                self._owed.remove(owed)
                if owed.generation in self._deploys:
                    self._deploys[owed.generation].give_back(owed.slot)

    def _let_go(self, expected: _Expected) -> None:
        expected.channel.say_goodbye()
        self._selector.register(expected.channel, selectors.EVENT_READ)
        self._owed.append(expected)

    # --------------------------------------------------------------------------------- doing

    def _ask(self, server: Handle, generation: Generation, slot: WorkerSlot, now: float) -> None:
        ours, theirs = make_channel()
        self._last_ticket += 1
        ticket = self._last_ticket
        try:
            ask_for_worker(
                self._requests[server.pid],
                ticket,
                slot.index,
                theirs,
                multiprocess=generation.plan.is_multiprocess or generation.wanted > 1,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._roster.note_asked(server, ticket, now)
        self._expected[ticket] = _Expected(server.pid, generation.number, slot.index, ours)

    def _fork_here(
        self, generation: Generation, slot: WorkerSlot, log: ErrorLog, now: float
    ) -> None:
        hooks = self._hooks.forking(self._deploys[generation.number].settings)
        pid = self._crew.fork(
            lambda channel, not_ours: run_worker(
                self._task(generation, slot, channel, log, not_ours, hooks)
            ),
            self._not_theirs(generation.number),
        )
        self._hooks.forked(hooks, pid)
        self._roster.add_worker(generation, pid, slot.index, now)
        self._selector.register(self._crew.channels[pid], selectors.EVENT_READ)
        self._log.debug("worker %d starts", pid)

    def _task(
        self,
        generation: Generation,
        slot: WorkerSlot,
        channel: Channel,
        log: ErrorLog,
        not_ours: tuple[Closable, ...],
        hooks: WorkerHooks | None,
    ) -> WorkerTask:
        deploy = self._deploys[generation.number]
        return WorkerTask(
            generation=generation.number,
            settings=deploy.settings,
            slot=slot,
            siblings=deploy.siblings_of(slot),
            channel=channel,
            listeners=deploy.listeners,
            application=self._application,
            identity=deploy.identity,
            multiprocess=generation.plan.is_multiprocess or generation.wanted > 1,
            not_ours=not_ours,
            log=log,
            hooks=hooks,
            keyring=deploy.keyring,
            placard=self._deploys.placard,
        )

    def _not_theirs(self, number: int) -> tuple[Closable, ...]:
        """What a child of generation `number` inherits from here and must not keep open."""
        deploy = self._deploys[number]
        return (
            *(x for x in self._deploys.open_listeners() if x not in deploy.listeners),
            *self._deploys.boxes_of_others(deploy),
            *self._nobodys(),
        )

    def not_the_observers(self) -> tuple[Closable, ...]:
        """The same for a child that belongs to no generation."""
        return (*self._deploys.open_listeners(), *self._deploys.every_box(), *self._nobodys())

    def _nobodys(self) -> tuple[Closable, ...]:
        return (
            *self._requests.values(),
            *(expected.channel for expected in (*self._expected.values(), *self._owed)),
            *self._outsiders(),
            self._selector,
        )
