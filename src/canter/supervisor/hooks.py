"""The hooks that run in the supervisor, and the one `server` that they are all given.

The settings of the generation that is concerned say which function it is. Before the first worker a
hook that fails ends the start; afterwards it is logged and the service goes on, except that a
worker whose `pre_fork` fails is not started.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from canter.errors import BootError, CanterError
from canter.net.listeners import Listener, waiting_in
from canter.observe.logs import ErrorLog
from canter.settings import Settings
from canter.worker.hooks.calling import Hooks
from canter.worker.hooks.own import WorkerHooks
from canter.worker.hooks.views import ListenerView, ServerView, WorkerView
from canter.worker.logbook import make_logger

_LOAD_EVERY_SECONDS = 1.0


class ServerHooks:
    """Calls them; the loop and the start say when."""

    def __init__(self, settings: Settings, log: ErrorLog) -> None:
        self._logger = log.logger
        self._facade = make_logger(settings, log)
        self._settings = settings
        self.server = ServerView(settings, self._facade)
        self._wanted: int | None = None
        self._load_due = 0.0

    def starting(self, workers: int) -> None:
        """Nothing has been opened yet. Raises CanterError."""
        self._demand("nworkers_changed", *self._note_wanted(workers))
        self._demand("on_starting")

    def ready(self, listeners: Iterable[Listener]) -> None:
        """The sockets are open. Raises CanterError."""
        self._listen(listeners)
        self._demand("when_ready")

    def reloading(self, settings: Settings, workers: int, listeners: Iterable[Listener]) -> None:
        """A generation with these settings is about to begin."""
        self.use(settings)
        self._listen(listeners)
        self._call("nworkers_changed", *self._note_wanted(workers))
        self._call("on_reload")

    def log_to(self, settings: Settings, log: ErrorLog) -> None:
        """Another error log, or another class for it. Raises ConfigError."""
        self._facade = self.server.log = make_logger(settings, log)
        self._logger = log.logger

    def reopen_logs(self) -> None:
        """A logger of the deployment's own may have files to reopen."""
        try:
            self._facade.reopen_files()
        except Exception as error:
            self._logger.error("logger_class: reopen_files failed: %s", error, exc_info=error)

    def use(self, settings: Settings) -> None:
        """These are the newest settings, or the newest that held."""
        self._settings = settings
        self.server.use(settings)

    def note_wanted(self, workers: int | None) -> None:
        """So many workers are wanted now; None: nobody says."""
        if workers is not None and workers != self._wanted:
            self._call("nworkers_changed", *self._note_wanted(workers))

    def forking(self, settings: Settings) -> WorkerHooks:
        """A worker is about to be started. Raises BootError when it must not be."""
        server = self.server
        server.worker_age += 1
        worker = WorkerView(settings, self._facade, server.worker_age)
        Hooks(settings, self._logger).demand(BootError, "pre_fork", server, worker)
        return WorkerHooks(settings, self._logger, server, worker)

    def forked(self, hooks: WorkerHooks, pid: int) -> None:
        """It has been started as process `pid`."""
        hooks.worker.pid = pid
        self.server.WORKERS[pid] = hooks.worker
        self._measure("gunicorn.workers", len(self.server.WORKERS), "gauge")

    def adopted(self, settings: Settings, pid: int) -> None:
        """A fork server has started a worker as process `pid`, and has called `pre_fork`."""
        self.server.worker_age += 1
        self.server.WORKERS[pid] = WorkerView(settings, self._facade, self.server.worker_age)
        self.server.WORKERS[pid].pid = pid

    def buried(self, settings: Settings, pid: int) -> None:
        """The process of a worker of these settings has ended."""
        worker = self.server.WORKERS.pop(pid, None)
        if worker is not None:
            worker.alive = False
            self._measure("gunicorn.workers", len(self.server.WORKERS), "gauge")
            Hooks(settings, self._logger).call("child_exit", self.server, worker)

    def executing(self) -> None:
        """The program is about to be started anew."""
        self._call("pre_exec")

    def ended(self) -> None:
        """The last worker is gone."""
        self._call("on_exit")

    def note_load(self, now: float, load: Callable[[], Mapping[str, Any]]) -> float | None:
        """Once a second, where there is somebody to tell, how busy the service is.

        Returns in how many seconds the next time is, None for never.
        """
        if self._settings.statsd_host is None:
            return None
        if now >= self._load_due:
            self._load_due = now + _LOAD_EVERY_SECONDS
            if self._settings.enable_backlog_metric:
                self._measure_backlog()
            found = load()
            self._measure("canter.threads", found["threads"], "gauge")
            self._measure("canter.threads.busy", found["busy"], "gauge")
            self._measure("canter.utilization", found["utilization"], "gauge")
            self._measure("canter.queued", found["queued"], "gauge")
        return self._load_due - now

    def _measure_backlog(self) -> None:
        waiting = [waiting_in(listener.sock) for listener in self.server.LISTENERS]
        if None not in waiting:
            total = sum(count for count in waiting if count is not None)
            self._measure("gunicorn.backlog", total, "histogram")

    def _measure(self, metric: str, value: float, kind: str) -> None:
        extra = {"metric": metric, "value": value, "mtype": kind}
        self._facade.debug("%s is %g", metric, value, extra=extra)

    def _listen(self, listeners: Iterable[Listener]) -> None:
        self.server.LISTENERS = [ListenerView(listener) for listener in listeners]

    def _note_wanted(self, workers: int) -> tuple[int, int | None]:
        before, self._wanted = self._wanted, workers
        self.server.num_workers = workers
        return workers, before

    def _call(self, name: str, *more: object) -> None:
        Hooks(self._settings, self._logger).call(name, self.server, *more)

    def _demand(self, name: str, *more: object) -> None:
        Hooks(self._settings, self._logger).demand(CanterError, name, self.server, *more)
