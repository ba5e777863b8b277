"""The sides of the comparison: how each server is started, each in its best honest configuration.

Best means what its own documentation advises for speed: native loops and parsers where it offers
them, no access log unless the scenario is about it, limits high enough for the load, code loaded
before the fork where memory is measured. Honest means that it still does what the others do: every
connection that the client keeps is served, and as many requests run at once as the scenario allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

CALLS_INLINE = "calls the application on its only thread"
NO_TLS = "speaks no TLS"
NO_LOG = "writes no access log itself"
ONE_PROCESS = "runs in one process only"
SOCKET = "unix:SOCKET"
"""Where a server listens behind nginx; `benchmarks.behind` puts the path there."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the programs of a run are. `python` is the one of the peers' environment."""

    python: Path
    wrk: Path
    floor: Path
    pace: Path

    def script(self, name: str) -> str:
        """A command that the peers' environment has installed."""
        return str(self.python.parent / name)


@dataclass(frozen=True, slots=True)
class Setup:
    """What one start of a server has to provide. `connections`: kept by the client at once.

    `files`: the directory to serve below /static, where the scenario is about that. `front`: nginx
    has the port, and the server a unix socket behind it. `http2`: over TLS, beside HTTP/1.1.
    """

    application: str
    port: int
    workers: int = 1
    threads: int = 4
    connections: int = 32
    access_log: Path | None = None
    preload: bool = False
    closing: bool = False
    certificate: Path | None = None
    key: Path | None = None
    files: Path | None = None
    front: bool = False
    http2: bool = False

    @property
    def address(self) -> str:
        """host:port to bind, or the socket behind nginx."""
        return SOCKET if self.front else f"127.0.0.1:{self.port}"

    @property
    def connection_limit(self) -> int:
        """Room for the client's connections and the probes beside them."""
        return max(1000, self.connections + 100)


Command = Callable[[Setup, Tools], list[str]]


@dataclass(frozen=True, slots=True)
class Side:
    """One server. `distributions` must be installed; `cannot` has a reason for each scenario key.

    A side with `only` takes part in these scenarios and in no other. `source`: what a build of
    canter needs on its PYTHONPATH. `offers`: which of the things it can do that a scenario `needs`.
    """

    key: str
    label: str
    command: Command
    distributions: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    cannot: Mapping[str, str] = field(default_factory=dict)
    only: frozenset[str] | None = None
    remark: str = ""
    source: Path | None = None
    offers: frozenset[str] = frozenset()

    @property
    def is_canter(self) -> bool:
        """Whether this is a build of the tree being measured."""
        return self.key.startswith("canter")

    def takes_part(self, scenario_key: str) -> bool:
        """False where the comparison would say nothing; a reason in `cannot` is told instead."""
        return self.only is None or scenario_key in self.only


def _behind(protocol: str, command: Command) -> Command:
    """The same server, behind nginx where the scenario wants it."""

    def fronted(setup: Setup, tools: Tools) -> list[str]:
        found = command(setup, tools)
        if not setup.front:
            return found
        front = [str(tools.python), "-m", "benchmarks.behind", str(setup.port), protocol, "--"]
        return [*front, *found]

    return fronted


def _canter_as(protocol: str) -> Command:
    def command(setup: Setup, tools: Tools) -> list[str]:
        return [*_canter(setup, tools), "--protocol", protocol]

    return _behind(protocol, command)


def _canter(setup: Setup, tools: Tools) -> list[str]:
    command = [str(tools.python), "-m", "canter", "--bind", setup.address]
    command += ["--workers", str(setup.workers), "--threads", str(setup.threads)]
    command += ["--worker-connections", str(setup.connection_limit)]
    if setup.preload:
        command += ["--preload"]
    if setup.access_log:
        command += ["--access-logfile", str(setup.access_log)]
    if setup.files:
        command += ["--static", f"/static={setup.files}"]
    if setup.http2:
        command += ["--http-protocols", "h2,h1"]
    return [*command, *_pair(setup, "--certfile", "--keyfile"), setup.application]


def _pair(setup: Setup, certificate: str, key: str) -> list[str]:
    """The options for TLS, where the scenario wants it."""
    if setup.certificate is None:
        return []
    return [certificate, str(setup.certificate), key, str(setup.key)]


def _floor(setup: Setup, tools: Tools) -> list[str]:
    return [str(tools.floor), str(setup.port)] + ["close"] * setup.closing


def _gunicorn(worker_class: str) -> Command:
    def command(setup: Setup, tools: Tools) -> list[str]:
        options = [tools.script("gunicorn"), "--bind", setup.address, "--no-control-socket"]
        options += ["--worker-class", worker_class, "--workers", str(setup.workers)]
        options += ["--worker-connections", str(setup.connection_limit), "--keep-alive", "75"]
        if worker_class == "gthread":
            options += ["--threads", str(setup.threads)]
        if setup.preload:
            options += ["--preload"]
        if setup.access_log:
            options += ["--access-logfile", str(setup.access_log)]
        return [*options, *_pair(setup, "--certfile", "--keyfile"), setup.application]

    return command


def _uwsgi_options(setup: Setup, tools: Tools, threads: int) -> list[str]:
    options = [tools.script("uwsgi"), "--master", "--die-on-term", "--need-app"]
    options += ["--home", str(tools.python.parent.parent), "--listen", "1024"]
    options += ["--processes", str(setup.workers), "--threads", str(threads)]
    if setup.workers > 1:
        options += ["--thunder-lock"]
    if setup.closing:
        # It does not say by itself that it will close, and so surprises the client.
        options += ["--add-header", "Connection: close"]
    if setup.access_log:
        options += ["--logto", str(setup.access_log)]
    else:
        options += ["--disable-logging"]
    if setup.files:
        options += ["--static-map", f"/static={setup.files}"]
    return [*options, "--module", setup.application]


def _uwsgi(setup: Setup, tools: Tools) -> list[str]:
    # A kept connection holds its thread here, so that fewer threads than connections would let
    # some clients starve.
    threads = max(setup.threads, setup.connections)
    if setup.front:
        socket = setup.address.removeprefix("unix:")
        return [*_uwsgi_options(setup, tools, setup.threads), "--uwsgi-socket", socket]
    # --http11-socket keeps connections even when the client asks it not to.
    socket = "--http-socket" if setup.closing else "--http11-socket"
    return [*_uwsgi_options(setup, tools, threads), socket, setup.address]


def _uwsgi_router(setup: Setup, tools: Tools) -> list[str]:
    options = _uwsgi_options(setup, tools, setup.threads)
    options += ["--http", setup.address, "--http-keepalive=75", "--http-auto-chunked"]
    return [*options, "--max-fd", str(2 * setup.connection_limit + 1000)]


def _granian(setup: Setup, tools: Tools) -> list[str]:
    command = [tools.script("granian"), "--interface", "wsgi", "--no-ws"]
    command += ["--http", "auto" if setup.http2 else "1"]
    command += ["--host", "127.0.0.1", "--port", str(setup.port), "--backlog", "2048"]
    command += ["--workers", str(setup.workers), "--blocking-threads", str(setup.threads)]
    command += ["--backpressure", str(setup.connection_limit)]
    command += _pair(setup, "--ssl-certificate", "--ssl-keyfile")
    if setup.access_log:
        command += ["--access-log"]
    return [*command, setup.application]


def _uvicorn(setup: Setup, tools: Tools) -> list[str]:
    command = [tools.script("uvicorn"), "--interface", "wsgi", "--loop", "uvloop"]
    command += ["--http", "httptools", "--host", "127.0.0.1", "--port", str(setup.port)]
    command += ["--workers", str(setup.workers), "--timeout-keep-alive", "75"]
    command += ["--access-log" if setup.access_log else "--no-access-log"]
    command += _pair(setup, "--ssl-certfile", "--ssl-keyfile")
    return [*command, setup.application]


def _hypercorn(setup: Setup, tools: Tools) -> list[str]:
    command = [tools.script("hypercorn"), "--bind", setup.address, "--worker-class", "uvloop"]
    command += ["--workers", str(setup.workers), "--keep-alive", "75"]
    command += _pair(setup, "--certfile", "--keyfile")
    if setup.access_log:
        command += ["--access-logfile", str(setup.access_log)]
    return [*command, f"wsgi:{setup.application}"]


def _launched(server: str) -> Command:
    def command(setup: Setup, tools: Tools) -> list[str]:
        options = [str(tools.python), "-m", "benchmarks.launch", server, str(setup.port)]
        options += ["--workers", str(setup.workers), "--threads", str(setup.threads)]
        options += ["--connections", str(setup.connection_limit)]
        return [*options, setup.application]

    return command


_INLINE = {"blocking-10ms": CALLS_INLINE, "beside-slow": CALLS_INLINE}
_SMALL = frozenset({"small-1", "small-9", "small-close", "small-pipelined"})
_FILES = frozenset({"static-10k", "static-10m"})
_FRONT = frozenset({"behind-nginx"})
_FRONTED = frozenset({"front"})
_HTTP2 = frozenset({"http2"})
_GUNICORN = ("gunicorn",)

SIDES = (
    Side(
        "floor",
        "C epoll floor",
        _floor,
        only=_SMALL,
        remark="No server: it parses nothing and sends one fixed answer.",
    ),
    Side(
        "canter",
        "canter",
        _behind("http", _canter),
        environment={"CANTER_EXTENSIONS": "auto"},
        offers=frozenset({"files", "front", "http2"}),
    ),
    Side("canter-uwsgi", "canter, uwsgi", _canter_as("uwsgi"), only=_FRONT, offers=_FRONTED),
    Side("canter-fastcgi", "canter, FastCGI", _canter_as("fastcgi"), only=_FRONT, offers=_FRONTED),
    Side(
        "nginx",
        "nginx",
        _launched("nginx"),
        only=_FILES,
        remark="A web server: it runs no application.",
        offers=frozenset({"files"}),
    ),
    Side(
        "canter-plain",
        "canter, plain build",
        _canter,
        environment={"CANTER_EXTENSIONS": "off"},
        only=_SMALL | {"flask-json"},
        remark="The same sources without the compiled core.",
    ),
    Side(
        "gunicorn-sync",
        "Gunicorn sync",
        _gunicorn("sync"),
        _GUNICORN,
        cannot=_INLINE | {"idle-10000": "keeps no connection", "tls": "keeps no connection"},
        remark="Closes every connection after its answer.",
    ),
    Side(
        "gunicorn-gthread",
        "Gunicorn gthread",
        _behind("http", _gunicorn("gthread")),
        _GUNICORN,
        offers=_FRONTED,
    ),
    Side(
        "gunicorn-gevent",
        "Gunicorn gevent",
        _gunicorn("gevent"),
        ("gunicorn", "gevent"),
        remark="No limit on calls at a time: sleeping is cooperative.",
    ),
    Side(
        "uwsgi",
        "uWSGI",
        _behind("uwsgi", _uwsgi),
        ("uWSGI",),
        cannot={
            "blocking-10ms": "a kept connection holds a thread: 32 clients need 32",
            "idle-10000": "a kept connection holds a thread",
            "tls": "only its router speaks TLS, and not tried there",
            "stream": "keeps the connection without framing the body; see its router",
        },
        remark="http11-socket; as many threads as the client keeps connections.",
        offers=frozenset({"files", "front"}),
    ),
    Side(
        "uwsgi-router",
        "uWSGI with its router",
        _uwsgi_router,
        ("uWSGI",),
        cannot={"tls": "not tried: it needs a build with OpenSSL's headers"},
        remark="One more process, the HTTP router, in front of the workers.",
    ),
    Side("granian", "Granian", _granian, ("granian",), offers=_HTTP2),
    Side(
        "waitress",
        "Waitress",
        _launched("waitress"),
        ("waitress",),
        cannot={"access-log": NO_LOG, "memory-4-workers": ONE_PROCESS, "tls": NO_TLS},
        remark="One process; with two workers asked, twice the threads.",
    ),
    Side(
        "cheroot",
        "Cheroot",
        _launched("cheroot"),
        ("cheroot",),
        cannot={
            "access-log": NO_LOG,
            "memory-4-workers": ONE_PROCESS,
            "tls": "not tried: its TLS needs an adapter in the launching code",
        },
        remark="One process; with two workers asked, twice the threads.",
    ),
    Side(
        "bjoern",
        "bjoern",
        _launched("bjoern"),
        ("bjoern",),
        cannot=_INLINE | {"access-log": NO_LOG, "tls": NO_TLS},
        remark="One thread a process.",
    ),
    Side(
        "fastwsgi",
        "fastwsgi",
        _launched("fastwsgi"),
        ("fastwsgi",),
        cannot=_INLINE | {"access-log": NO_LOG, "tls": NO_TLS},
        remark="One thread a process. Never calls an answer's close() and holds pieces back.",
    ),
    Side(
        "uvicorn",
        "uvicorn (WSGI)",
        _uvicorn,
        ("uvicorn", "uvloop", "httptools"),
        remark="Its WSGI adapter has ten threads, whatever is asked, and never calls close().",
    ),
    Side(
        "hypercorn",
        "Hypercorn (WSGI)",
        _hypercorn,
        ("hypercorn", "uvloop"),
        offers=_HTTP2,
        remark="Its WSGI adapter runs on the event loop's default pool.",
    ),
)


def sides_named(keys: list[str]) -> list[Side]:
    """The sides of these keys in the order of the table; all of them for no key.

    Raises KeyError for a key that is none.
    """
    known = {side.key for side in SIDES}
    for key in keys:
        if key not in known:
            raise KeyError(key)
    return [side for side in SIDES if not keys or side.key in keys]
