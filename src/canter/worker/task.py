"""All that a new worker is given when it is forked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from canter.engine.siblings import Siblings
from canter.net.certificates import Keyring
from canter.net.listeners import Listener
from canter.observe.logs import ErrorLog
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
class WorkerTask:
    """What to serve, where, as whom.

    application: a callable that the embedding program made; None = load `settings.wsgi_app`.
    hooks: made by the supervisor, who has called those before the fork.
    siblings: the other workers of the generation. keyring: the contexts for TLS, if it is spoken.
    not_ours: what the fork copied and the worker must not keep open, other workers' channels first.
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
