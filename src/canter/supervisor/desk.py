"""Where orders from the control socket are carried out: each line is taken in, judged and answered.

What it does itself is quick: reading the board, telling workers something. What ends or renews the
service it asks of the loop. Answers that have to wait are remembered as pledges.
"""

from __future__ import annotations

import logging
import os
import platform
import selectors
import time
from collections.abc import Iterable
from typing import Any, Protocol, assert_never

import canter
from canter import extensions
from canter.errors import ConfigError
from canter.net.expiry import Expiries
from canter.net.listeners import waiting_in
from canter.observe.logs import level_number
from canter.settings.comparing import settings_told
from canter.supervisor.control import ControlSocket
from canter.supervisor.crew import Crew
from canter.supervisor.deploy import Deploys
from canter.supervisor.ledger import Ledger
from canter.supervisor.memory import MemoryWatch
from canter.supervisor.orders import (
    Answer,
    Deaths,
    LogLevel,
    Order,
    OrderError,
    Refusal,
    Reload,
    Reply,
    Scale,
    Snapshot,
    Stacks,
    Status,
    Stop,
    TellSettings,
    encode_reply,
    judge_change,
    judge_scale,
    judge_stacks,
    judge_stop,
    parse_order,
)
from canter.supervisor.pledges import Due, Pledges
from canter.supervisor.readings import sight_slot
from canter.supervisor.recorder import Recorder
from canter.supervisor.roster import Failure, Generation, Roster
from canter.supervisor.snapshot import Surroundings, load_of, take_snapshot
from canter.supervisor.states import Command, GenerationState
from canter.supervisor.status import Facts, Sight, status_report
from canter.worker.messages import SetLogLevel, TellStacks
from canter.worker.task import Closable


class Superior(Protocol):
    """Who decides about the service as a whole."""

    def reload(self, cause: str) -> None:
        """Have a new generation begin."""

    def stop(self, command: Command, cause: str) -> None:
        """Have the service end."""


class Desk:
    """The clerk between control socket and server; without a socket there is nothing to do."""

    def __init__(
        self,
        roster: Roster,
        crew: Crew,
        deploys: Deploys,
        log: logging.Logger,
        superior: Superior,
        application: str,
        ledger: Ledger,
        recorder: Recorder,
    ) -> None:
        self._ledger = ledger
        self._recorder = recorder
        self._memory = MemoryWatch()
        self._expiries = Expiries()
        self._socket: ControlSocket | None = None
        self._roster = roster
        self._crew = crew
        self._deploys = deploys
        self._log = log
        self._superior = superior
        self._application = application
        self._pledges = Pledges()
        self._born = time.monotonic()

    def take_in(self, now: float) -> None:
        """Take in what is asked and answer what is due."""
        if self._socket is None:
            return
        for ticket, line in self._socket.take_in(now):
            try:
                reply = self._carry_out(parse_order(line), ticket, now)
            except OrderError as error:
                reply = Refusal(str(error))
            if reply is not None:
                self._socket.reply(ticket, encode_reply(reply), now)
        self._give(self._pledges.overdue(now))

    def patience_seconds(self, now: float) -> float | None:
        """How long nothing need be done here, whatever happens; None = for ever."""
        if self._socket is None:
            return None
        moments = (self._socket.next_deadline(), self._pledges.next_deadline())
        soonest = min((it for it in moments if it is not None), default=None)
        return None if soonest is None else max(0.0, soonest - now)

    def copies(self) -> Iterable[Closable]:
        """What a worker inherits and must not keep open."""
        return () if self._socket is None else self._socket.copies()

    def finish(self) -> None:
        """The service has ended: give the answers that are still owed."""
        self._give(self._pledges.ended())

    def open(self, socket: ControlSocket, selector: selectors.BaseSelector) -> None:
        """Orders come over `socket` from here on."""
        self._socket = socket
        socket.watch(selector)

    def close(self) -> None:
        """The selector is about to be closed; answers can still be given."""
        if self._socket is not None:
            self._socket.unwatch()

    # ----------------------------------------------------------------------- what is carried out

    def _carry_out(self, order: Order, ticket: int, now: float) -> Reply | None:
        """The reply, or None when it has to wait. Raises OrderError."""
        match order:
            case Status():
                return Answer(self._status(now))
            case Reload():
                judge_change(self._roster)
                self._pledges.reload(ticket)
                self._superior.reload("canter reload")
            case Stop():
                self._pledges.stop(ticket)
                command = judge_stop(order, self._roster.phase)
                if command is not None:
                    self._superior.stop(command, "canter stop")
            case Scale():
                return self._scale(order)
            case Stacks():
                self._ask_for_stacks(order, ticket, now)
            case LogLevel(level=level):
                return self._set_log_level(level)
            case Snapshot():
                return Answer(self.snapshot())
            case Deaths():
                return Answer({"deaths": [it.as_data() for it in self._recorder.blocks]})
            case TellSettings():
                return self._tell_settings()
            case _:
                assert_never(order)
        return None

    def snapshot(self) -> dict[str, object]:
        """Everything, for those who watch: without query strings, which may hold secrets."""
        wall = time.time()
        now = time.monotonic()
        around = Surroundings(
            at=wall,
            started_at=wall - (now - self._born),
            build=extensions.build(),
            python=platform.python_version(),
            backlog={it.url: waiting_in(it.sock) for it in self._deploys.open_listeners()},
            certificates=self._expiries.of(self._deploys.certificate_files(self._live())),
        )
        facts = self._facts(now)
        return take_snapshot(self._roster, self._sights(), facts, self._ledger, around, now)

    def load(self) -> dict[str, Any]:
        """How much room there is now."""
        return load_of(self._roster, self._sights())

    def _status(self, now: float) -> dict[str, object]:
        return status_report(self._roster, self._sights(), self._facts(now), now)

    def _sights(self) -> dict[int, Sight]:
        return {
            pid: sight_slot(
                self._deploys[handle.generation].board.slot(handle.slot), self._memory.of(pid)
            )
            for pid, handle in self._roster.handles.items()
        }

    def _facts(self, now: float) -> Facts:
        return Facts(
            version=canter.__version__,
            pid=os.getpid(),
            age_seconds=now - self._born,
            application=self._application,
            addresses=self._deploys.urls(),
            log_level=logging.getLevelName(self._log.level).lower(),
        )

    def _scale(self, order: Scale) -> Reply:
        change, before = judge_scale(order, self._roster)
        self._roster.change_wanted(change)
        self._log.info("canter scale: %d workers wanted, %d before", order.workers, before)
        return Answer({"before": before, "workers": order.workers})

    def _ask_for_stacks(self, order: Stacks, ticket: int, now: float) -> None:
        pids = judge_stacks(order, self._roster)
        number = self._pledges.stacks(ticket, pids, now)
        for pid in pids:
            self._crew.channels[pid].send(
                TellStacks(number, -1 if order.thread is None else order.thread)
            )

    def _tell_settings(self) -> Reply:
        live = self._live()
        if live is None:
            raise OrderError("no generation serves yet")
        return Answer({"settings": settings_told(self._deploys[live].settings)})

    def _set_log_level(self, level: str) -> Reply:
        try:
            self._log.setLevel(level_number(level))
        except ConfigError as error:
            raise OrderError(str(error)) from None
        for channel in self._crew.channels.values():
            channel.send(SetLogLevel(level))
        self._log.info("canter log-level: %s", level)
        return Answer({"level": level.lower()})

    # --------------------------------------------------------------------------- what happened

    def note_begun(self, generation: int) -> None:
        """A generation begins."""
        self._pledges.begun(generation)

    def note_not_begun(self, error: str) -> None:
        """A reload failed before there was a generation."""
        self._give(self._pledges.not_begun(error, self._live()))

    def note_promoted(self, generation: Generation) -> None:
        """A generation serves."""
        pids = [worker.pid for worker in self._roster.staying(generation)]
        self._give(self._pledges.promoted(generation.number, pids))

    def note_discarded(self, generation: Generation) -> None:
        """A generation could not be started."""
        failure = generation.failure or Failure(1, "it was given up")
        due = self._pledges.discarded(
            generation.number, failure.message, failure.traceback, self._live()
        )
        self._give(due)

    def note_stopping(self) -> None:
        """The service is to end."""
        self._give(self._pledges.stopping())

    def note_stacks(self, number: int, pid: int, text: str) -> None:
        """A worker has told what its threads run."""
        self._give(self._pledges.told(number, pid, text))

    def note_death(self, pid: int) -> None:
        """A worker has ended."""
        self._give(self._pledges.gone(pid))

    def _live(self) -> int | None:
        live = self._roster.in_state(GenerationState.LIVE)
        return None if live is None else live.number

    def _give(self, due: Due) -> None:
        if self._socket is not None:
            now = time.monotonic()
            for ticket, reply in due:
                self._socket.reply(ticket, encode_reply(reply), now)
