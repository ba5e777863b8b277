"""SIGUSR2, and what it means for everything else that two supervisors serve at the same addresses.

While there are two, the older one is the service: it has the pid file and the control socket, and
the service manager hears it. It stays so until it is told to leave; then the younger one takes
over. Socket files and listen queues belong to both, so neither removes or empties them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from canter.supervisor.control import ControlSocket
from canter.supervisor.deploy import Deploys
from canter.supervisor.lineage import Lineage, LineageEvent, why_not_upgrade
from canter.supervisor.notify import Herald
from canter.supervisor.places import Places
from canter.supervisor.roster import Roster
from canter.supervisor.succession import Succession
from canter.worker.task import Closable


class Starter(Protocol):
    """Who has started us and waits to hear how that went."""

    def say(self, text: str) -> None:
        """What the person who gave the command should read."""

    def leave(self, status: int) -> None:
        """The command may end, with `status`."""

    def close(self) -> None:
        """For a worker: it has nothing to say."""


@dataclass(frozen=True, slots=True)
class Outside:
    """Who and what a supervisor has to do with beside its workers."""

    places: Places
    herald: Herald
    succession: Succession
    starter: Starter | None = None

    def note_serving(self) -> None:
        """The first generation serves."""
        if self.starter is not None:
            self.starter.leave(0)

    def copies(self) -> tuple[Closable, ...]:
        """What a worker inherits and must not keep open."""
        return (
            self.herald.copies()
            if self.starter is None
            else (
                *self.herald.copies(),
                self.starter,
            )
        )


class Upgrade:
    """Called by the loop only. `open_desk` is given the control socket when it is ours."""

    def __init__(
        self,
        outside: Outside,
        roster: Roster,
        deploys: Deploys,
        log: logging.Logger,
        open_desk: Callable[[ControlSocket], None],
    ) -> None:
        self._outside = outside
        self._succession = outside.succession
        self._roster = roster
        self._deploys = deploys
        self._log = log
        self._open_desk = open_desk

    def begin(self) -> None:
        """The loop starts: who is alone has the control socket from the first moment."""
        if self._succession.is_alone:
            self._open(self._outside.places.take_control())

    def ask(self, cause: str) -> None:
        """Somebody asks for a successor, which is what the program and the settings are by now."""
        succession = self._succession
        reason = why_not_upgrade(self._roster.phase, succession.lineage, succession.other)
        if reason is not None:
            self._log.warning("%s: no upgrade: %s", cause, reason)
            return
        self._log.info("%s: starting a successor", cause)
        try:
            succession.begin(self._deploys.heirlooms())
        except OSError as error:
            self._log.error("the successor could not be started: %s", error)
        self._deploys.are_shared = not succession.is_alone

    def look(self) -> None:
        """Notice when we are alone again, the one or the other way."""
        event = self._succession.look()
        if event is None:
            return
        self._deploys.are_shared = False
        if event is LineageEvent.PREDECESSOR_ENDED:
            self._outside.herald.take_over()
            self._open(self._outside.places.inherit())
        elif self._roster.refill() is not None:
            self._log.warning("starting the workers again that SIGWINCH has stopped")

    def note_stop(self) -> None:
        """We are told to leave."""
        succession = self._succession
        self._roster.others_listen = self._deploys.are_shared or self._deploys.are_lent()
        if succession.lineage is Lineage.SUCCEEDED and succession.other is not None:
            self._outside.herald.hand_to(succession.other)

    def _open(self, control: ControlSocket | None) -> None:
        if control is not None:
            self._open_desk(control)
