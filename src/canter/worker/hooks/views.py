"""What hooks are given in the place of Gunicorn's arbiter, worker and configuration.

They offer what published configurations read. What a hook sets on one stays there, for the hooks
after it in the same process; nothing of it changes the server, but for a worker's `wsgi` in
`post_worker_init`.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from canter.net.listeners import Listener
from canter.observe.logger import Logger
from canter.observe.scoreboard import Field, WorkerSlot
from canter.settings import Settings
from canter.settings.gunicorn.names import FOREIGN
from canter.settings.registry import SETTINGS


@dataclass(frozen=True, slots=True)
class SettingView:
    """One entry of `cfg.settings`."""

    name: str
    value: Any

    def get(self) -> Any:
        """The value."""
        return self.value


class SettingsView(Mapping[str, SettingView]):
    """`cfg.settings`: every setting by its name."""

    def __init__(self, cfg: ConfigView) -> None:
        self._cfg = cfg

    def __getitem__(self, name: str) -> SettingView:
        if name not in SETTINGS and name not in FOREIGN:
            raise KeyError(name)
        return SettingView(name, getattr(self._cfg, name))

    def __iter__(self) -> Iterator[str]:
        yield from SETTINGS
        yield from FOREIGN

    def __len__(self) -> int:
        return len(SETTINGS) + len(FOREIGN)


class ConfigView:
    """`cfg`: settings as attributes. A Gunicorn setting without a meaning has its default."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        if name in SETTINGS:
            return getattr(self._settings, name)
        if name in FOREIGN:
            return FOREIGN[name].harmless[0]
        raise AttributeError(f"there is no setting {name}")

    @property
    def settings(self) -> SettingsView:
        """Every setting, also by its name."""
        return SettingsView(self)

    @property
    def address(self) -> Sequence[str]:
        """The addresses to listen on."""
        return list(self._settings.bind)

    @property
    def env(self) -> dict[str, str]:
        """What is added to the environment."""
        pairs = (text.partition("=") for text in self._settings.raw_env)
        return {name: value for name, _, value in pairs}

    @property
    def worker_class_str(self) -> str:
        """Gunicorn's word for the kind of worker."""
        if self._settings.worker_class == "gevent":
            return "gevent"
        return "gthread" if self._settings.threads > 1 else "sync"

    @property
    def is_ssl(self) -> bool:
        """Whether a certificate is set."""
        return bool(getattr(self, "certfile", None) or getattr(self, "keyfile", None))


class AppView:
    """`server.app` and `worker.app`; the supervisor has no application, so `callable` is None."""

    def __init__(self, cfg: ConfigView) -> None:
        self.cfg = cfg
        self.callable: Any = None
        self.logger: Any = None

    @property
    def app_uri(self) -> str | None:
        """How the application is named."""
        return self.cfg.wsgi_app  # type: ignore[no-any-return]

    def wsgi(self) -> Any:
        """The application."""
        return self.callable


class ListenerView:
    """An item of `server.LISTENERS` and `worker.sockets`."""

    def __init__(self, listener: Listener) -> None:
        self._url = listener.url
        self.sock: socket.socket = listener.sock

    def __str__(self) -> str:
        return self._url

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self.sock.fileno()

    def getsockname(self) -> Any:
        """The address it is bound to."""
        return self.sock.getsockname()


class TmpView:
    """`worker.tmp`: Gunicorn's heartbeat file; canter keeps the beat in shared memory."""

    def last_update(self) -> float:
        """The time of the last beat (monotonic): the loop beats by itself."""
        return time.monotonic()

    def notify(self) -> None:
        """Nothing is needed."""

    def close(self) -> None:
        """There is no file."""


class ServerView:
    """`server`: the supervisor."""

    def __init__(self, settings: Settings, log: Logger) -> None:
        self.cfg = ConfigView(settings)
        self.log = log
        self.pid = os.getpid()
        self.app = AppView(self.cfg)
        self.WORKERS: dict[int, WorkerView] = {}
        self.LISTENERS: list[ListenerView] = []
        self.num_workers = 0
        self.worker_age = 0
        self.master_name = "Master"
        self.master_pid = 0
        self.reexec_pid = 0

    @property
    def address(self) -> Sequence[str]:
        """The addresses to listen on."""
        return self.cfg.address

    @property
    def proc_name(self) -> str:
        """The name that processes show."""
        return self.cfg.proc_name or "canter"

    @property
    def timeout(self) -> float:
        """The setting."""
        return self.cfg.timeout  # type: ignore[no-any-return]

    def use(self, settings: Settings) -> None:
        """Show these settings from now on."""
        self.cfg = self.app.cfg = ConfigView(settings)


class WorkerView:
    """`worker`: one worker, seen from the supervisor or from inside itself."""

    def __init__(self, settings: Settings, log: Logger, age: int) -> None:
        self.cfg = ConfigView(settings)
        self.log = log
        self.age = age
        self.pid: int | str = "[booting]"
        self.ppid = os.getpid()
        self.app = AppView(self.cfg)
        self.sockets: list[ListenerView] = []
        self.tmp = TmpView()
        self.wsgi: Any = None
        self.timeout = settings.timeout
        self.max_requests = settings.max_requests
        self.alive = True
        self.booted = False
        self.aborted = False
        self.reloader = None
        self._slot: WorkerSlot | None = None

    def __str__(self) -> str:
        return f"<Worker {self.pid}>"

    @property
    def nr(self) -> int:
        """How many requests it has answered, as the scoreboard says: about a second late."""
        return 0 if self._slot is None else int(self._slot.words[Field.REQUESTS])

    def notify(self) -> None:
        """Nothing is needed: the loop beats by itself."""

    def settle(self, slot: WorkerSlot, listeners: Sequence[Listener]) -> None:
        """This is the process itself now."""
        self.pid = os.getpid()
        self._slot = slot
        self.sockets = [ListenerView(listener) for listener in listeners]
