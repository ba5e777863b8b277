"""A worker's own hooks, at the moments of its life."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Any

from canter.engine.contract import AroundCalls
from canter.errors import BootError
from canter.net.listeners import Listener
from canter.observe.logs import ErrorLog
from canter.observe.scoreboard import WorkerSlot
from canter.settings import Settings
from canter.worker.hooks.around import RequestHooks
from canter.worker.hooks.calling import Hooks
from canter.worker.hooks.views import ServerView, WorkerView
from canter.worker.logbook import make_logger


class WorkerHooks:
    """The hooks of one worker with the views that they are given; made before the fork."""

    def __init__(
        self, settings: Settings, log: logging.Logger, server: ServerView, worker: WorkerView
    ) -> None:
        self._hooks = Hooks(settings, log)
        self._log = log
        self.server = server
        self.worker = worker
        self._left = False

    @classmethod
    def apart(cls, settings: Settings, log: ErrorLog) -> WorkerHooks:
        """Those of a worker that has no supervisor of ours."""
        facade = make_logger(settings, log)
        server, worker = ServerView(settings, facade), WorkerView(settings, facade, 1)
        return cls(settings, log.logger, server, worker)

    def forked(self, slot: WorkerSlot, listeners: Sequence[Listener]) -> None:
        """This is a process of its own now. Raises BootError."""
        self.worker.settle(slot, listeners)
        self._hooks.demand(BootError, "post_fork", self.server, self.worker)

    def initialised(self, application: Any) -> Any:
        """The application is imported; the one to serve. Raises BootError."""
        worker = self.worker
        worker.wsgi = worker.app.callable = application
        self._hooks.demand(BootError, "post_worker_init", worker)
        worker.booted = True
        # Agents wrap the application at either place.
        return worker.wsgi if worker.wsgi is not application else worker.app.callable

    def around_calls(self) -> AroundCalls | None:
        """What runs around each call of the application, None if nothing does."""
        hooks = RequestHooks(self._hooks, self.worker, self._log)
        return hooks if hooks.has_any else None

    @property
    def wants_abort(self) -> bool:
        """Whether somebody wants to be told of ABRT."""
        return self._hooks.find_quietly("worker_abort", 1, 1)[0] is not None

    def interrupted(self) -> None:
        """The worker was told to stop at once."""
        self.worker.alive = False
        self._hooks.call("worker_int", self.worker)

    def aborted(self) -> None:
        """A request's time is over, or the whole worker's."""
        self._hooks.call("worker_abort", self.worker)

    def leaving(self) -> None:
        """The process is about to end; only the first time counts."""
        if not self._left:
            self._left = True
            self.worker.alive = False
            self._hooks.call("worker_exit", self.server, self.worker)
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
