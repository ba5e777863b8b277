"""Gunicorn's settings that canter does not have, and its hooks: known, so that none is a surprise.

Each that is set to other than Gunicorn's own default gives one warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from canter.settings.provenance import Source


class Arity(Enum):
    """How many values an option takes."""

    NONE = auto()
    ONE = auto()


@dataclass(frozen=True, slots=True)
class Foreign:
    """A setting of Gunicorn's without a meaning here. Values in `harmless` ask for nothing."""

    name: str
    flags: tuple[str, ...]
    arity: Arity
    harmless: tuple[object, ...]
    note: str = ""


def _switch(name: str, *flags: str, note: str = "", harmless: object = False) -> Foreign:
    return Foreign(name, flags, Arity.NONE, (harmless,), note)


def _value(name: str, *flags: str, default: object = None, note: str = "") -> Foreign:
    return Foreign(name, flags, Arity.ONE, (default,), note)


DIRTY = "canter has no dirty arbiter; long work belongs into a queue, such as Celery or RQ"
_ASGI = "canter serves WSGI applications; an ASGI server, such as Uvicorn, serves others"

_EVERY_FOREIGN = (
    _value("reload_engine", "--reload-engine", default="auto", note="canter chooses by itself"),
    _switch("spew", "--spew", note="`canter stacks` shows what every thread runs"),
    _value("dirty_apps", "--dirty-app", default=(), note=DIRTY),
    _value("dirty_workers", "--dirty-workers", default=0, note=DIRTY),
    _value("dirty_timeout", "--dirty-timeout", default=300, note=DIRTY),
    _value("dirty_threads", "--dirty-threads", default=1, note=DIRTY),
    _value("dirty_graceful_timeout", "--dirty-graceful-timeout", default=30, note=DIRTY),
    _value("default_proc_name", default="gunicorn", note="proc_name is the setting"),
    # An enum of the ssl module in files, and ignored by Gunicorn as well.
    _value(
        "ssl_version",
        "--ssl-version",
        note="Gunicorn ignores it too; tls_minimum_version is the setting",
    ),
    _switch(
        "do_handshake_on_connect",
        "--do-handshake-on-connect",
        note="handshakes never hold up anything",
    ),
    _value("worker_tmp_dir", "--worker-tmp-dir", note="canter keeps no heartbeat file"),
    _value("root_path", "--root-path", default="", note=_ASGI),
    _value("asgi_loop", "--asgi-loop", default="auto", note=_ASGI),
    _value("asgi_lifespan", "--asgi-lifespan", default="auto", note=_ASGI),
    _value("asgi_disconnect_grace_period", "--asgi-disconnect-grace-period", default=3, note=_ASGI),
    _value(
        "websocket_max_message_size", "--websocket-max-message-size", default=16777216, note=_ASGI
    ),
    _value(
        "http_parser",
        "--http-parser",
        default="auto",
        note="the variable CANTER_EXTENSIONS chooses canter's core",
    ),
)

FOREIGN: Mapping[str, Foreign] = MappingProxyType({it.name: it for it in _EVERY_FOREIGN})
"""Gunicorn's settings that canter does not have, by name."""

HOOKS = frozenset(
    {
        "on_dirty_starting",
        "dirty_post_fork",
        "dirty_worker_init",
        "dirty_worker_exit",
    }
)
"""Gunicorn's hooks that canter never calls; the others are settings."""


GUNICORN_FLAGS = frozenset(
    {
        "--access-logfile", "--access-logformat", "--asgi-disconnect-grace-period",
        "--asgi-lifespan", "--asgi-loop", "--backlog", "--bind", "--ca-certs", "--capture-output",
        "--casefold-http-method", "--cert-reqs", "--certfile", "--chdir", "--check-config",
        "--ciphers", "--config", "--control-socket", "--control-socket-mode", "--daemon",
        "--dirty-app", "--dirty-graceful-timeout", "--dirty-threads", "--dirty-timeout",
        "--dirty-workers", "--disable-redirect-access-to-syslog", "--do-handshake-on-connect",
        "--dogstatsd-tags", "--enable-backlog-metric", "--enable-stdio-inheritance", "--env",
        "--error-logfile", "--forwarded-allow-ips", "--forwarder-headers", "--graceful-timeout",
        "--group", "--header-map", "--help", "--http-parser", "--http-protocols",
        "--http2-cleartext", "--http2-initial-window-size", "--http2-max-concurrent-streams",
        "--http2-max-frame-size", "--http2-max-header-list-size", "--initgroups", "--keep-alive",
        "--keyfile", "--limit-request-field_size", "--limit-request-fields", "--limit-request-line",
        "--log-config", "--log-config-json", "--log-file", "--log-level", "--log-syslog",
        "--log-syslog-facility", "--log-syslog-prefix", "--log-syslog-to", "--logger-class",
        "--max-requests", "--max-requests-jitter", "--name", "--no-control-socket", "--no-sendfile",
        "--paste", "--paste-global", "--paster", "--permit-obsolete-folding",
        "--permit-unconventional-http-method", "--permit-unconventional-http-version", "--pid",
        "--preload", "--print-config", "--protocol", "--proxy-allow-from", "--proxy-protocol",
        "--pythonpath", "--reload", "--reload-engine", "--reload-extra-file", "--reuse-port",
        "--root-path", "--spew", "--ssl-version", "--statsd-host", "--statsd-prefix",
        "--strip-header-spaces", "--suppress-ragged-eofs", "--threads", "--timeout", "--umask",
        "--user", "--uwsgi-allow-from", "--version", "--websocket-max-message-size",
        "--worker-class", "--worker-connections", "--worker-tmp-dir", "--workers",
    }
)  # fmt: skip
"""Every long option of Gunicorn's, so that what is unique among them can be shortened here too."""


def foreign_warnings(name: str, value: object, source: Source) -> tuple[str, ...]:
    """What to tell of a Gunicorn setting or hook that is none here: nothing, or a warning."""
    foreign = FOREIGN.get(name)
    if foreign is None:
        return () if value is None else (hook_warning(name, source.place),)
    if asks_for_nothing(foreign, value):
        return ()
    what = f"Gunicorn's {foreign.name}"
    note = f": {foreign.note}" if foreign.note else ""
    return (f"{source.place}: {what} has no effect{note}",)


def hook_warning(name: str, place: str) -> str:
    """What to tell of a hook."""
    return f"{place}: the hook {name} is not called by canter"


def asks_for_nothing(foreign: Foreign, value: object) -> bool:
    """Whether it is Gunicorn's default, or says nothing."""
    if value is None or value in ("", [], (), {}):
        return True
    text = str(value).strip().lower()
    return any(text == str(harmless).lower() for harmless in foreign.harmless)
