"""From uWSGI's options: its ini, yaml and json files, read as uWSGI reads them, by the line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from canter.errors import ConfigError
from canter.settings.importing.equivalents import Equivalents

_SAME: Mapping[str, str] = MappingProxyType(
    {
        "threads": "threads",
        "chdir": "chdir",
        "env": "raw_env",
        "harakiri": "timeout",
        "http-keepalive": "keepalive",
        "listen": "backlog",
        "limit-post": "limit_request_body",
        "logto": "errorlog",
        "logto2": "errorlog",
        "max-requests": "max_requests",
        "max-worker-lifetime": "max_lifetime",
        "max-requests-delta": "max_requests_jitter",
        "pidfile": "pidfile",
        "pidfile2": "pidfile",
        "safe-pidfile": "pidfile",
        "static-map": "static",
        "post-buffering": "body_memory",
        "procname": "proc_name",
        "procname-prefix": "proc_name",
        "processes": "workers",
        "workers": "workers",
        "p": "workers",
        "uid": "user",
        "gid": "group",
        "umask": "umask",
        "chown-socket": "unix_socket_owner",
        "worker-reload-mercy": "graceful_timeout",
        "reload-mercy": "graceful_timeout",
        "socket-timeout": "send_timeout",
        "http-timeout": "body_timeout",
        "touch-reload": "reload_extra_files",
    }
)
"""Options that are a setting of another name, with the same unit."""

_ALWAYS = frozenset(
    {
        "cheaper-algo", "cheaper-initial", "cheaper-overload", "cheaper-step", "die-on-term",
        "enable-threads", "http-auto-chunked", "http-chunked-input", "lazy",
        "lazy-apps", "master", "M", "need-app", "no-orphans", "offload-threads", "pcre-jit",
        "honour-range", "single-interpreter", "static-accept-gzip", "static-cache-paths",
        "static-gzip", "static-gzip-all", "static-gzip-dir", "strict", "thunder-lock", "vacuum",
        "wsgi-accept-buffer",
    }
)  # fmt: skip
"""What canter always does, or has no need of."""

_NOTES: Mapping[str, str] = MappingProxyType(
    {
        "buffer-size": "limit_request_line and limit_request_field_size, for the parts of a head",
        "cron": "a scheduler of its own (cron, systemd timers)",
        "daemonize": "run it under systemd or another supervisor; errorlog is the file of the log",
        "disable-logging": "the access log is off unless accesslog names a file",
        "emperor": "one service for each site, such as a systemd template unit",
        "home": "start the canter that is installed in that environment",
        "log-format": "access_log_format, in Gunicorn's notation",
        "mule": "a process of its own, such as a queue's worker",
        "plugin": "nothing has to be loaded",
        "plugins": "nothing has to be loaded",
        "py-autoreload": "reload = true, while developing",
        "spooler": "a queue, such as Celery, RQ or Huey",
        "stats": "`canter status`; status_bind and metrics_bind for who watches over HTTP",
        "fileserve-mode": "sendfile_roots, for X-Sendfile and X-Accel-Redirect of the application",
        "mimefile": "the server has a list of its own",
        "static-expires": "static_max_age, for all files",
        "static-expires-type": "static_max_age, for all files",
        "static-expires-uri": "static_max_age, for all files",
        "static-index": "a directory has no page; the application can have one",
        "static-safe": "a link that leads out of its directory is not followed",
        "static-skip-ext": "keep such files in another directory",
        "virtualenv": "start the canter that is installed in that environment",
    }
)
"""Other options, each with what does it instead."""


def from_uwsgi(text: str, label: str, into: Equivalents) -> None:
    """Fill `into` with what a file of uWSGI's says. Raises ConfigError when it is none."""
    options = list(_options(text, label))
    module = [value for name, value, _ in options if name in {"module", "wsgi", "w"}]
    attribute = next((value for name, value, _ in options if name == "callable"), "application")
    for target in module:
        into.give("wsgi_app", target if ":" in target else f"{target}:{attribute}", label)
    for name, value, place in options:
        _take(name, value, f"{place}: {name}", attribute, into)
    fewest = next(((value, place) for name, value, place in options if name == "cheaper"), None)
    if fewest is not None:
        _cheaper(*fewest, into)


def _take(name: str, value: str, place: str, attribute: str, into: Equivalents) -> None:
    special = _SPECIAL.get(name)
    if name in _SAME:
        into.give(_SAME[name], value, place)
    elif special is not None:
        special(value, place, into)
    elif name in {"wsgi-file", "file"}:
        dotted = value.removesuffix(".py").strip("./").replace("/", ".")
        into.give("wsgi_app", f"{dotted}:{attribute}", place)
    elif name in _ALWAYS:
        into.always.append(name)
    elif name not in {"module", "wsgi", "w", "callable", "cheaper"}:
        into.note(place, _NOTES.get(name, "canter has no such setting"))


def _cheaper(fewest: str, place: str, into: Equivalents) -> None:
    """The number of workers that are always there; `workers` is then how many there may be."""
    most = into.values.get("workers")
    if most is None:
        into.note(f"{place}: cheaper", "workers is a range, as 2-8, and there is no upper end")
    else:
        into.give("workers", f"{fewest}-{most}", f"{place}: cheaper")


def _http(value: str, place: str, into: Equivalents) -> None:
    if value.startswith(("/", "@")):
        value = f"unix:{value}"
    into.give("bind", value, place)


def _socket(value: str, place: str, into: Equivalents) -> None:
    _http(value, place, into)
    into.give("protocol", "uwsgi", place)


def _gevent(value: str, place: str, into: Equivalents) -> None:
    into.give("worker_class", "gevent", place)
    into.give("worker_connections", value, place)


def _https(value: str, place: str, into: Equivalents) -> None:
    address, *files = value.split(",")
    _http(address, place, into)
    for name, file in zip(("certfile", "keyfile"), files, strict=False):
        into.give(name, file, place)


def _memory(value: str, place: str, into: Equivalents) -> None:
    into.give("max_memory", f"{value}M", place)


def _chmod(value: str, place: str, into: Equivalents) -> None:
    into.give("unix_socket_mode", "0666" if value in {"", "true", "1"} else value, place)


def _pythonpath(value: str, place: str, into: Equivalents) -> None:
    before = into.values.get("pythonpath")
    into.give("pythonpath", f"{before},{value}" if before else value, place)


def _static_below(value: str, place: str, into: Equivalents) -> None:
    """static-map2: the prefix is a directory of its own in the other one."""
    prefix, _, directory = value.partition("=")
    into.give("static", f"{prefix}={directory.rstrip('/')}/{prefix.strip('/')}", place)


def _check_static(value: str, place: str, into: Equivalents) -> None:
    into.give("static", f"/={value}", place)


def _mount(value: str, place: str, into: Equivalents) -> None:
    path, _, target = value.partition("=")
    if into.values.get("script_name") is not None:
        into.note(place, "one application for each server; a second one is a second server")
        return
    into.give("script_name", path, place)
    if target:
        into.give("wsgi_app", target.removesuffix(".py").replace("/", "."), place)


_SPECIAL: Mapping[str, Callable[[str, str, Equivalents], None]] = MappingProxyType(
    {
        "http": _http,
        "http-socket": _http,
        "https": _https,
        "https-socket": _https,
        "socket": _socket,
        "s": _socket,
        "uwsgi-socket": _socket,
        "gevent": _gevent,
        "chmod-socket": _chmod,
        "evil-reload-on-rss": _memory,
        "reload-on-rss": _memory,
        "pythonpath": _pythonpath,
        "python-path": _pythonpath,
        "pp": _pythonpath,
        "mount": _mount,
        "static-map2": _static_below,
        "check-static": _check_static,
    }
)


def _options(text: str, label: str) -> Iterator[tuple[str, str, str]]:
    """Every option with its value and its place."""
    if label.endswith(".json"):
        yield from _json_options(text, label)
        return
    is_ini = not label.endswith((".yaml", ".yml"))
    mine = False
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip().removeprefix("- ")
        if not line or line.startswith(("#", ";")):
            continue
        head = re.fullmatch(r"\[(\w+).*\]" if is_ini else r"(\w+):", line)
        if head is not None and (is_ini or not raw[0].isspace()):
            mine = head[1] == "uwsgi"
            continue
        name, _, value = line.partition("=" if is_ini else ":")
        if mine:
            yield name.strip().replace("_", "-"), value.strip().strip("\"'"), f"{label}:{number}"


def _json_options(text: str, label: str) -> Iterator[tuple[str, str, str]]:
    try:
        options = json.loads(text)["uwsgi"]
    except (ValueError, KeyError, TypeError):
        raise ConfigError(f"{label} is no JSON with an object uwsgi") from None
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            plain = str(one).lower() if isinstance(one, bool) else str(one)
            yield name.replace("_", "-"), plain, label
