"""Each front with each protocol that it speaks, all of them in front of one canter.

Fronts are started when a test first asks for them and run until the process's tests are over: a
front costs more to start than to ask.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pytest

from tests.live.fronts.front import Front, running
from tests.live.fronts.wrapping import PROGRAMS
from tests.live.harness import Server, starting
from tests.live.programs import missing, needs

APPLICATION = "tests.live.apps.plain"


@dataclass(frozen=True)
class Pair:
    """A front, a protocol, and the kind of socket between: "unix" or "tcp"."""

    front: str
    protocol: str
    socket: str
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "-".join((self.front, self.protocol, self.socket, *self.options)).replace("---", "-")

    @property
    def missing(self) -> bool:
        """Whether the front is not installed."""
        return PROGRAMS[self.front] in missing()

    def parameter(self):
        """A test's parameter, skipped by name where the front is not installed."""
        wanted = [needs(PROGRAMS[self.front])]
        if (self.front, self.protocol) == ("nginx", "proxy"):
            wanted.append(needs("nginx stream"))
        return pytest.param(self, id=str(self), marks=wanted)

    @property
    def scheme(self) -> str:
        """What is spoken at canter's address."""
        return {"h2c": "http", "proxy": "http"}.get(self.protocol, self.protocol)


PAIRS = (
    Pair("nginx", "http", "tcp"),
    Pair("nginx", "http", "unix"),
    Pair("nginx", "uwsgi", "unix"),
    Pair("nginx", "fastcgi", "unix"),
    Pair("nginx", "scgi", "unix"),
    Pair("nginx", "proxy", "tcp"),
    Pair("apache", "http", "unix"),
    Pair("apache", "uwsgi", "tcp"),
    Pair("apache", "fastcgi", "tcp"),
    Pair("apache", "scgi", "tcp"),
    Pair("haproxy", "http", "unix"),
    Pair("haproxy", "h2c", "tcp"),
    Pair("haproxy", "fastcgi", "tcp"),
    Pair("haproxy", "proxy", "tcp", ("--proxy-protocol=v1",)),
    Pair("haproxy", "proxy", "unix"),
    Pair("caddy", "http", "unix"),
    Pair("caddy", "h2c", "tcp"),
    Pair("caddy", "fastcgi", "tcp"),
    Pair("lighttpd", "http", "tcp"),
    Pair("lighttpd", "uwsgi", "unix"),
    Pair("lighttpd", "fastcgi", "unix"),
    Pair("lighttpd", "scgi", "tcp"),
    Pair("varnish", "http", "tcp"),
    Pair("varnish", "proxy", "unix"),
)


@dataclass
class Site:
    """A front and what stands behind it."""

    pair: Pair
    front: Front
    server: Server
    folder: Path


class Sites:
    """One canter that speaks everything, and the fronts that were asked for so far.

    options: more for canter, and for `canter front`.
    """

    def __init__(self, *options: str) -> None:
        self._stack = ExitStack()
        self._sites: dict[tuple[Pair, str, tuple[str, ...]], Site] = {}
        self._options = options
        self._server: Server | None = None

    def __enter__(self) -> Self:
        # Short, since a unix socket's path has about a hundred bytes.
        name = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="canter-"))
        self.folder = Path(name)
        self.folder.chmod(0o755)  # the fronts' own users have to reach the sockets
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def server(self) -> Server:
        """canter, at a TCP address and a unix socket for each format."""
        if self._server is None:
            start = self._stack.enter_context(starting(self.folder))
            binds = []
            for scheme in ("http", "uwsgi", "fastcgi", "scgi"):
                binds += ["--bind", f"{scheme}+unix:{self.folder}/{scheme}.sock"]
                binds += ["--bind", f"{scheme}://127.0.0.1:0"]
            self._server = start(
                APPLICATION,
                *("--threads", "8", "--worker-connections", "500", "--proxy-protocol=auto"),
                *("--forwarded-fields", "x-forwarded", "--http2-cleartext", "prior-knowledge"),
                *("--http-protocols", "h2,h1", *binds, *self._options),
                bind="http://127.0.0.1:0",
            )
        return self._server

    def bind(self, pair: Pair) -> str:
        """The address of canter that the pair uses, as --bind has it."""
        if pair.socket == "unix":
            return f"{pair.scheme}+unix:{self.folder}/{pair.scheme}.sock"
        found = self.server().wait_for_log(rf"listening at ({pair.scheme}://127\.0\.0\.1:\d+)")
        return found[1]

    def site(self, pair: Pair, prefix: str = "", more: tuple[str, ...] = ()) -> Site:
        """The front of a pair, started where it does not run yet; `more` is for it alone."""
        known = self._sites.get((pair, prefix, more))
        if known is None:
            server = self.server()
            words = ("--protocol", pair.protocol, "--prefix", prefix, "--bind", self.bind(pair))
            directory = self.folder / f"f{len(self._sites)}"
            front = self._stack.enter_context(
                running(pair.front, directory, *words, *pair.options, *self._options, *more)
            )
            known = Site(pair, front, server, self.folder)
            self._sites[pair, prefix, more] = known
        return known
