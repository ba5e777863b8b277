"""All that a new worker is given when it is forked."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from canter.engine.siblings import Siblings
from canter.net.certificates import Keyring
from canter.net.listeners import Listener
from canter.observe.access import AccessLog
from canter.observe.logged_access import LoggedAccess
from canter.observe.logs import ErrorLog
from canter.observe.placard import Placard
from canter.observe.scoreboard import WorkerSlot
from canter.settings import Settings
from canter.worker.channel import Channel
from canter.worker.hooks.own import WorkerHooks
from canter.worker.identity import Identity

Application: TypeAlias = Callable[..., Any]


class Closable(Protocol):
    """Anything with a descriptor to give back."""

    def close(self) -> None:
        """Give it back."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a process has once it is who it should be and has imported the application."""

    application: Application
    access: AccessLog | LoggedAccess | None


@dataclass(frozen=True, slots=True)
class WorkerTask:
    """What to serve, where, as whom.

    application: a callable that the embedding program made; None = load `settings.wsgi_app`.
    hooks: made by the supervisor, who has called those before the fork.
    siblings: the other workers of the generation. keyring: the contexts for TLS, if it is spoken.
    not_ours: what the fork copied and the worker must not keep open, other workers' channels first.
    loaded: what a fork server has done before the fork, so that this worker need not.
    role: what it is called in `ps`. on_news: takes the supervisor's snapshots, in the observer.
    heeds_signals: whether a signal ends it, or only the supervisor does.
    placard: where the observer writes the metrics for `metrics_path`.
    """

    generation: int
    settings: Settings
    slot: WorkerSlot
    siblings: Siblings
    channel: Channel
    listeners: tuple[Listener, ...]
    application: Application | None
    identity: Identity
    multiprocess: bool
    not_ours: tuple[Closable, ...]
    log: ErrorLog
    hooks: WorkerHooks | None = None
    keyring: Keyring | None = None
    loaded: Loaded | None = None
    role: str = "worker"
    on_news: Callable[[str], None] | None = None
    heeds_signals: bool = True
    placard: Placard | None = None


@dataclass(frozen=True, slots=True)
class ForkServerTask:
    """All that a new fork server is given.

    own: its place on the board, its channel, its settings; it serves nothing.
    requests: each is one record of `canter.worker.forkserver` and the end of a channel.
    worker: the task of a worker in that slot, with that channel, one of several or not; it raises
    BootError where a hook does not want the worker.
    """

    own: WorkerTask
    requests: socket.socket
    worker: Callable[[int, Channel, bool], WorkerTask]
