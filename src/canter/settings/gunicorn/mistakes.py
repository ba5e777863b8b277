"""Well-known mistakes in configurations: nothing refuses them, and each has cost somebody a night.

Pure: settings, and the source of the files where it is known. A mistake is named with the place of
the value that makes it one.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from canter.settings.settings import Settings

_LONGEST_SECONDS = 300
_USUAL_BALANCER_SECONDS = 60
_LOOPBACK = ("127.", "localhost", "[::1]", "unix:", "fd://")
_OPENERS = frozenset(
    {
        "connect", "create_engine", "Redis", "StrictRedis", "MongoClient", "Client", "Connection",
        "ConnectionPool", "KafkaProducer", "BlockingConnection", "Session",
    }
)  # fmt: skip
"""Functions that usually open a connection; a guess, and said as one."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Source texts that mistakes show in: a configuration in Python, and the application."""

    config: str = ""
    config_label: str = ""
    app: str = ""
    app_label: str = ""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake, and where it is made."""

    name: str
    place: str
    text: str


def find_mistakes(settings: Settings, sources: Sources) -> list[Mistake]:
    """Every mistake that shows."""
    return [mistake for rule in _RULES for mistake in rule(settings, sources)]


def _of(settings: Settings, name: str, text: str) -> Mistake:
    return Mistake(name, str(settings.source(name)), text)


def _timeout(settings: Settings, _: Sources) -> Iterator[Mistake]:
    if settings.timeout == 0:
        yield _of(
            settings, "timeout", "0: a request that hangs is never ended, and holds its thread"
        )
    elif settings.timeout > _LONGEST_SECONDS:
        yield _of(
            settings,
            "timeout",
            f"{settings.timeout:g} s: a request that hangs holds its thread for so long; what "
            "takes minutes belongs into a queue of its own",
        )


def _cores(_: Settings, sources: Sources) -> Iterator[Mistake]:
    for line in _calls(sources.config, frozenset({"cpu_count"}), inside=True):
        yield Mistake(
            "workers",
            f"{sources.config_label}:{line}",
            "cpu_count() counts the machine's cores, also those that a container may not use; "
            '"auto" counts what this process may use',
        )


def _preload(settings: Settings, sources: Sources) -> Iterator[Mistake]:
    if not settings.preload_app:
        return
    for line in _calls(sources.app, _OPENERS, inside=False):
        yield Mistake(
            "preload_app",
            f"{sources.app_label}:{line}",
            "with preload_app, what is opened at import is shared by all workers, which then read "
            "each other's answers; open it in post_fork or at the first request",
        )


def _keep_alive(settings: Settings, _: Sources) -> Iterator[Mistake]:
    if 0 < settings.keepalive <= _USUAL_BALANCER_SECONDS:
        yield _of(
            settings,
            "keepalive",
            f"{settings.keepalive:g} s: load balancers keep idle connections for 60 s or more and "
            "answer 502 when the server closes one just then; canter's default is longer",
        )


def _trust(settings: Settings, _: Sources) -> Iterator[Mistake]:
    public = [it for it in settings.bind if not it.lower().startswith(_LOOPBACK)]
    if "*" in settings.forwarded_allow_ips and public:
        yield _of(
            settings,
            "forwarded_allow_ips",
            f'"*" with {public[0]}: whoever reaches this address may claim https and a mount '
            "point; name the addresses of the fronts",
        )


def _jitter(settings: Settings, _: Sources) -> Iterator[Mistake]:
    if settings.max_requests and not settings.max_requests_jitter:
        yield _of(
            settings,
            "max_requests",
            "without max_requests_jitter all workers are replaced at about the same time",
        )


def _reload(settings: Settings, _: Sources) -> Iterator[Mistake]:
    if settings.reload:
        yield _of(settings, "reload", "is for development: every file that changes is a deploy")


_RULES: tuple[Callable[[Settings, Sources], Iterator[Mistake]], ...] = (
    _timeout,
    _cores,
    _preload,
    _keep_alive,
    _trust,
    _jitter,
    _reload,
)


def _calls(text: str, names: frozenset[str], *, inside: bool) -> list[int]:
    """The lines on which one of `names` is called; `inside` functions too, or only at import."""
    try:
        waiting: list[ast.AST] = [ast.parse(text)]
    except (SyntaxError, ValueError):
        return []
    lines = []
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not inside:
            continue
        if isinstance(node, ast.Call):
            called = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if called in names:
                lines.append(node.lineno)
        waiting += ast.iter_child_nodes(node)
    return sorted(lines)
