"""From Granian: a file of GRANIAN_* variables, or one with its command line, such as a Procfile."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from canter.errors import ConfigError
from canter.settings.importing.equivalents import Equivalents

_SAME: Mapping[str, str] = MappingProxyType(
    {
        "workers": "workers",
        "blocking-threads": "threads",
        "backlog": "backlog",
        "backpressure": "worker_connections",
        "http1-header-read-timeout": "header_timeout",
        "log-level": "loglevel",
        "process-name": "proc_name",
        "pid-file": "pidfile",
        "ssl-certificate": "certfile",
        "ssl-keyfile": "keyfile",
        "ssl-ca": "ca_certs",
        "uds-permissions": "unix_socket_mode",
        "url-path-prefix": "script_name",
        "working-dir": "chdir",
        "workers-kill-timeout": "graceful_timeout",
        "workers-lifetime": "max_lifetime",
        "workers-max-rss": "max_memory",
    }
)
"""Options that are a setting of another name."""

_SWITCHED: Mapping[str, tuple[str, object, object]] = MappingProxyType(
    {
        "access-log": ("accesslog", "-", None),
        "reload": ("reload", True, False),
        "http1-keep-alive": ("keepalive", None, 0),
        "ssl-client-verify": ("cert_reqs", "required", "none"),
    }
)
"""Options without a value: the setting, and what it is when the option is on and off."""

_SWITCHES = frozenset(
    {
        "access-log", "factory", "http1-keep-alive", "http1-pipeline-flush", "log", "metrics",
        "http2-adaptive-window", "reload", "reload-ignore-worker-failure", "ws",
        "respawn-failed-workers", "ssl-client-verify",
    }
)  # fmt: skip

_ALWAYS = frozenset({"http1-buffer-size", "http1-pipeline-flush", "loop", "respawn-failed-workers",
                     "respawn-interval", "rss-sample-interval", "rss-samples", "runtime-mode",
                     "runtime-threads", "runtime-blocking-threads", "task-impl", "log",
                     "blocking-threads-idle-timeout"})  # fmt: skip

_NOTES: Mapping[str, str] = MappingProxyType(
    {
        "access-log-fmt": "access_log_format, in Gunicorn's notation",
        "env-files": "the environment is whoever starts it's to give; raw_env has single variables",
        "interface": "canter serves WSGI applications",
        "http": "http_protocols: h1, or h2,h1",
        "metrics": "metrics_bind",
        "ssl-keyfile-password": "keyfile_password_file is a file with the password",
        "static-path-mount": "static, as /static=DIRECTORY",
        "static-path-route": "static, as /static=DIRECTORY",
        "ws": "canter serves WSGI applications",
    }
)


def from_granian(text: str, label: str, into: Equivalents) -> None:
    """Fill `into` with what the file says. Raises ConfigError when it says nothing of Granian."""
    options = list(_options(text, label))
    if not options:
        raise ConfigError(f"{label} has neither GRANIAN_* variables nor a granian command line")
    said = {name: value for name, value, _ in options}
    if "uds" in said:
        into.give("bind", f"unix:{said['uds']}", label)
    elif "host" in said or "port" in said:
        host = said.get("host", "127.0.0.1")
        host = f"[{host}]" if ":" in host else host
        into.give("bind", f"{host}:{said.get('port', '8000')}", label)
    for name, value, place in options:
        _take(name, value, f"{place}: {name}", said, into)


def _take(name: str, value: str, place: str, said: Mapping[str, str], into: Equivalents) -> None:
    if name in _SAME:
        into.give(_SAME[name], _with_unit(name, value), place)
    elif name == "app":
        into.give("wsgi_app", f"{value}()" if _is_on(said.get("factory", "no")) else value, place)
    elif name in _SWITCHED:
        setting, on, off = _SWITCHED[name]
        chosen = on if _is_on(value) else off
        if chosen is not None:
            into.give(setting, chosen, place)
    elif name in _ALWAYS or (name, value) == ("interface", "wsgi"):
        into.always.append(name)
    elif name not in {"host", "port", "uds", "factory"}:
        into.note(place, _NOTES.get(name, "canter has no such setting"))


def _is_on(value: str) -> bool:
    return value.lower() in {"", "1", "true", "yes", "on"}


def _with_unit(name: str, value: str) -> str:
    """Granian's time-outs of HTTP/1 are in milliseconds, its memory is in MiB."""
    if not value.isdigit():
        return value
    return f"{value}{'ms' if name.startswith('http1-') else 'M' if name.endswith('rss') else ''}"


def _options(text: str, label: str) -> Iterator[tuple[str, str, str]]:
    """Every option with its value and its place, from variables or a command line."""
    joined = text.replace("\\\n", " ")
    for number, line in enumerate(joined.splitlines(), 1):
        place = f"{label}:{number}"
        variable = re.match(r"\s*(?:export\s+)?GRANIAN_(\w+)=(.*)", line)
        if variable is not None:
            value = variable[2].strip().strip("\"'")
            name = variable[1].lower().replace("_", "-").removesuffix("-enabled")
            yield name, value, place
        elif re.search(r"(^|[\s/:])granian\s", line) and not line.lstrip().startswith("#"):
            yield from _command_line(line, place)


def _command_line(line: str, place: str) -> Iterator[tuple[str, str, str]]:
    try:
        words = shlex.split(line, comments=True)
    except ValueError as error:
        raise ConfigError(f"{place}: {error}") from None
    at = next(i for i, word in enumerate(words) if re.fullmatch(r"(.*/)?granian", word))
    rest = iter(words[at + 1 :])
    for word in rest:
        name, equals, value = word.removeprefix("--").partition("=")
        if not word.startswith("--"):
            yield "app", word, place
        elif name in _SWITCHES:
            yield name, "true", place
        elif name.startswith("no-") and name[3:] in _SWITCHES:
            yield name[3:], "false", place
        else:
            yield name, value if equals else next(rest, ""), place
