"""The observer: one process beside the workers that serves metrics, health and the status page.

It is a worker like any other whose application is `canter.observe.site`, so that a slow scraper or
a viewer costs the service nothing. It reads nothing by itself: once a second it is sent a snapshot.
A dead one is started again after a back-off; at the end it stays until the last worker has left, so
that readiness can say why.

States and who moves them: `Observer` alone, by `_MOVES`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import time
from collections.abc import Callable, Iterable
from enum import Enum, auto
from random import random
from typing import Any, Final, NoReturn

from canter.engine.siblings import Siblings
from canter.errors import BindError
from canter.net.addresses import Address, parse_bind
from canter.net.listeners import Listener, open_listeners
from canter.observe.exposition import MULTIPROCESS_VARIABLE, Exposition, require_library
from canter.observe.logs import ErrorLog
from canter.observe.placard import Placard
from canter.observe.scoreboard import Scoreboard
from canter.observe.site import METRICS, STATUS, Site
from canter.settings import Settings
from canter.supervisor.backoff import Backoff
from canter.supervisor.crew import Crew
from canter.worker.channel import Channel
from canter.worker.identity import Identity
from canter.worker.messages import Drain, News, Ready, Serve
from canter.worker.process import run_worker
from canter.worker.task import Closable, WorkerTask

SNAPSHOT_SECONDS: Final = 1.0
_SHOWN: Final = {METRICS: "metrics", STATUS: "status page"}
_THREADS = 8
_BACKLOG = 128
_PLACARD_BYTES = 4 * 1024 * 1024
_LAST_SECONDS = 2.0


class ObserverState(Enum):
    """Where the process is in its life."""

    ABSENT = auto()
    BOOTING = auto()
    SERVING = auto()
    LEAVING = auto()


class _Event(Enum):
    FORKED = auto()
    PROVEN = auto()
    TOLD_TO_LEAVE = auto()
    DIED = auto()


_MOVES: Final[dict[tuple[ObserverState, _Event], ObserverState]] = {
    (ObserverState.ABSENT, _Event.FORKED): ObserverState.BOOTING,
    (ObserverState.BOOTING, _Event.PROVEN): ObserverState.SERVING,
    (ObserverState.BOOTING, _Event.TOLD_TO_LEAVE): ObserverState.LEAVING,
    (ObserverState.SERVING, _Event.TOLD_TO_LEAVE): ObserverState.LEAVING,
    (ObserverState.BOOTING, _Event.DIED): ObserverState.ABSENT,
    (ObserverState.SERVING, _Event.DIED): ObserverState.ABSENT,
    (ObserverState.LEAVING, _Event.DIED): ObserverState.ABSENT,
}


def open_sites(settings: Settings) -> tuple[Listener, ...]:
    """The sockets that `metrics_bind` and `status_bind` ask for; none where neither is set.

    Raises ConfigError, also where prometheus-client is missing, and BindError; nothing is left open
    then.
    """
    if settings.metrics_bind or settings.metrics_path:
        require_library()
    found: list[Listener] = []
    with contextlib.ExitStack() as undo:
        for site, texts in ((METRICS, settings.metrics_bind), (STATUS, settings.status_bind)):
            for listener in open_listeners([_address(text, site) for text in texts], _BACKLOG):
                undo.callback(listener.close)
                undo.callback(listener.remove_file)
                listener.named = site
                found.append(listener)
        undo.pop_all()
    return tuple(found)


def _address(text: str, site: str) -> Address:
    """The status page shows what runs: where no host is named it is for this machine only."""
    names_no_host = text.strip().removeprefix("tcp://").startswith(":")
    return parse_bind(f"127.0.0.1{text.strip()}" if site == STATUS and names_no_host else text)


class Observer:
    """Keeps the process there and its snapshots fresh; does nothing until it is opened.

    look: gives the snapshot of now.
    """

    def __init__(self, crew: Crew, log: ErrorLog, look: Callable[[], dict[str, Any]]) -> None:
        self._crew = crew
        self._log = log
        self._look = look
        self._sites: tuple[Listener, ...] = ()
        self._settings: Settings | None = None
        self._placard: Placard | None = None
        self._identity = Identity()
        self._state = ObserverState.ABSENT
        self._pid: int | None = None
        self._backoff = Backoff()
        self._due = 0.0

    def open(self, settings: Settings, identity: Identity, *, may_wait: bool) -> Placard | None:
        """Show at the addresses of `settings`, as `identity`, from the next round on.

        Gives what workers are to show at `metrics_path`, where there is one. Raises ConfigError or
        BindError; with `may_wait`, addresses that are taken, by the supervisor that this one
        succeeds, are tried again until they are free.
        """
        if not settings.metrics_bind and not settings.status_bind and not settings.metrics_path:
            return None
        if settings.metrics_path:
            self._placard = Placard(_PLACARD_BYTES)
        self._settings = _observers_own(settings)
        self._identity = identity
        try:
            self._sites = open_sites(settings)
            self._tell_where()
        except BindError as error:
            if not may_wait:
                raise
            self._log.logger.info("%s; trying again until it is free", error)
        return self._placard

    def patience_seconds(self, now: float) -> float | None:
        """How long nothing need be done here; None = for ever."""
        if self._settings is None:
            return None
        due = self._backoff.retry_at if self._state is ObserverState.ABSENT else self._due
        return max(0.0, due - now)

    def take_in(self, now: float, not_ours: Callable[[], Iterable[Closable]]) -> None:
        """One round: start a missing process, hear what it says, send what is due."""
        if self._settings is None or self._state is ObserverState.LEAVING:
            return
        if self._state is ObserverState.ABSENT:
            if now >= self._backoff.retry_at and self._has_sites(self._settings, now):
                self._start(now, not_ours())
            return
        channel = self._channel()
        channel.flush()
        for message in channel.receive():
            if isinstance(message, Ready):
                self._move(_Event.PROVEN)
                channel.send(Serve())
        if self._state is ObserverState.SERVING and now >= self._due:
            self._due = now + SNAPSHOT_SECONDS
            self._send(self._look())
        self._reap(now)

    def end(self) -> None:
        """The last worker has left: tell viewers, and wait for the process, not for long."""
        for site in self._sites:
            site.remove_file()
            site.close()
        if self._pid is None:
            return
        if self._state is ObserverState.SERVING:
            self._send({**self._look(), "phase": "ended"})
        self._channel().send(Drain(answer_backlog=False, within_seconds=_LAST_SECONDS / 2))
        self._channel().flush_within(_LAST_SECONDS / 4)
        self._move(_Event.TOLD_TO_LEAVE)
        deadline = time.monotonic() + _LAST_SECONDS
        while time.monotonic() < deadline:
            self._reap(time.monotonic())
            if self._state is ObserverState.ABSENT:
                return
            time.sleep(0.01)
        self._crew.signal(self._pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._pid, 0)

    # ------------------------------------------------------------------------------- inside

    def _tell_where(self) -> None:
        for site in self._sites:
            self._log.logger.info("%s at %s", _SHOWN[site.named], site.url)

    def _has_sites(self, settings: Settings, now: float) -> bool:
        if not settings.metrics_bind and not settings.status_bind:
            return True
        with contextlib.suppress(BindError):
            if not self._sites:
                self._sites = open_sites(settings)
                self._tell_where()
        if not self._sites:
            self._backoff.note_failure(now, random())  # noqa: S311 - no secret
        return bool(self._sites)

    def _move(self, event: _Event) -> None:
        self._state = _MOVES[self._state, event]

    def _channel(self) -> Channel:
        assert self._pid is not None
        return self._crew.channels[self._pid]

    def _send(self, snapshot: dict[str, Any]) -> None:
        try:
            self._channel().send(News(json.dumps(snapshot)))
        except ValueError as error:
            # Hundreds of workers with long requests: what they run is the longest part of it.
            self._log.logger.debug("%s", error)
            for generation in snapshot["generations"]:
                for worker in generation["workers"]:
                    worker["running"] = []
            self._channel().send(News(json.dumps(snapshot)))

    def _start(self, now: float, not_ours: Iterable[Closable]) -> None:
        directory = os.environ.get(MULTIPROCESS_VARIABLE, "")
        site = Site(lambda: Exposition(directory), self._placard)
        board = Scoreboard(1, _THREADS)
        settings = self._settings
        assert settings is not None

        def live(channel: Channel, channels: tuple[Closable, ...]) -> NoReturn:
            run_worker(
                WorkerTask(
                    generation=0,
                    settings=settings,
                    slot=board.slot(0),
                    siblings=Siblings(),
                    channel=channel,
                    listeners=self._sites,
                    application=site,
                    identity=self._identity,
                    multiprocess=False,
                    not_ours=tuple(it for it in channels if it not in self._sites),
                    log=self._log,
                    role="observer",
                    # A signal to the whole group must not end what tells of the end.
                    heeds_signals=False,
                    on_news=site.take,
                )
            )

        try:
            self._pid = self._crew.fork(live, not_ours)
        except OSError as error:
            self._backoff.note_failure(now, random())  # noqa: S311 - no secret
            self._log.logger.error("the observer could not be started: %s", error)
            return
        self._due = now
        self._move(_Event.FORKED)

    def _reap(self, now: float) -> None:
        assert self._pid is not None
        for pid, death in self._crew.reap([self._pid]):
            if self._state is not ObserverState.LEAVING:
                self._log.logger.error("the observer (%d) %s", pid, death.cause)
                self._backoff.note_failure(now, random())  # noqa: S311 - no secret
            self._crew.channels.pop(pid).close()
            self._move(_Event.DIED)
            self._pid = None

    def copies(self) -> tuple[Closable, ...]:
        """What a worker inherits and must not keep open."""
        return self._sites


def _observers_own(settings: Settings) -> Settings:
    """The settings of a small WSGI service beside the one that they describe."""
    return dataclasses.replace(
        settings,
        worker_class="threads",
        threads=_THREADS,
        worker_connections=64,
        timeout=0.0,
        slow_request=0.0,
        graceful_timeout=_LAST_SECONDS,
        accesslog=None,
        tracing=False,
        metrics_path=None,
        health_path=None,
        health_check=None,
        max_requests=0,
        request_body="buffer",
        limit_request_body=1024,
        reload=False,
        wsgi_app=None,
    )
