"""The doors of a worker: accepting, and when not to."""

from __future__ import annotations

import errno
import logging
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

from canter.engine.balance import Load, should_listen
from canter.engine.contract import EngineConfig
from canter.engine.formats import readers_of
from canter.engine.siblings import Neighbour
from canter.engine.threaded.connection import Connection
from canter.engine.threaded.loop import Loop
from canter.engine.threaded.secure import TlsConnection
from canter.engine.threaded.sniffing import SniffingConnection
from canter.engine.tls import TlsTransport
from canter.engine.wire import accept, close_socket
from canter.net.handoff import Letter
from canter.net.listeners import Listener
from canter.observe.scoreboard import Field
from canter.protocol.proxy.reader import Reader as ProxyReader
from canter.protocol.reader import RequestReader

_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_GONE_BEFORE = {errno.ECONNABORTED, errno.EPROTO, errno.EINTR}
_RESOURCE_PAUSE_NS = 500_000_000
_ACCEPTS_A_TURN = 16
_ACCEPTS_A_TURN_SHARED = 2
# How soon a worker that has stopped listening looks again.
_RECHECK_SECONDS = 0.005

_CONNECTIONS = int(Field.CONNECTIONS)
_LISTENING = int(Field.LISTENING)


class Gate:
    """One listener, and what a connection that comes through it is made of.

    number: the listener's, which is the same in every worker of a generation.
    """

    def __init__(
        self,
        number: int,
        listener: Listener,
        base: Callable[[Listener], dict[str, Any]],
        config: EngineConfig,
        loop: Loop,
    ) -> None:
        self.listener = listener
        self.sock = listener.sock
        self._number = number
        self._config = config
        self._loop = loop
        self._base = base(listener)
        named = listener.address.scheme
        scheme = named or config.protocol
        speaks_tls = named == "https" or (named == "" and scheme == "http")
        self._keyring = config.keyring if speaks_tls else None
        if listener.is_unix and self._keyring is not None:
            # There is none, and this is the one that https implies.
            self._base["SERVER_PORT"] = "443"
        http2 = config.http2
        self._may_be_http2 = http2 is not None and http2.cleartext and scheme == "http"
        self._readers_for = readers_of(named, config)
        # Of the last peer. Behind a proxy every connection comes from it: what is decided about the
        # peer is decided once, and all of them share one string.
        self._turn_to("")

    def connection(self, fd: int, host: str, port: str) -> Connection:
        """A connection of this peer, which has the descriptor now; not if anything is raised."""
        if host != self._host:
            self._turn_to(host)
        reader = self._make_reader()
        if self._is_plain:
            connection = Connection(fd, reader, self._base, self._config, self._loop)
        else:
            connection = self._layered(fd, reader)
        connection.listener = self._number
        connection.peer_host = self._host
        connection.peer_port = port
        return connection

    def _turn_to(self, host: str) -> None:
        """Decide what connections of this peer are."""
        peer = host or None
        self._make_reader = self._readers_for(peer)
        trusted = self._may_be_http2 and self._config.trust.trusts(peer)
        self._is_plain = self._keyring is None and not trusted
        self._host = host

    def _layered(self, fd: int, reader: RequestReader) -> Connection:
        """A connection with something between its socket and its reader."""
        keyring = self._keyring
        if keyring is None:
            return SniffingConnection(fd, reader, self._base, self._config, self._loop)
        ahead = None
        if isinstance(reader, ProxyReader):  # its header comes before TLS, not within
            ahead, reader = reader, reader.stand_apart()
        sock = socket.socket(fileno=fd)
        try:
            sock.setblocking(False)
            ragged = keyring.plan.suppress_ragged_eofs
            transport = TlsTransport(sock, keyring.context, ragged, ahead)
            return TlsConnection(transport, reader, self._base, self._config, self._loop)
        except BaseException:  # TLS may refuse to begin, for want of memory, say
            sock.detach()
            raise


class Doors:
    """The listeners as this worker uses them; everything here is called by the leader.

    load: this worker's load now. neighbours: the other workers.
    base: the environ that requests of a listener start from. words: this worker's part of the
    scoreboard.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        loop: Loop,
        config: EngineConfig,
        neighbours: Sequence[Neighbour],
        load: Callable[[], Load],
        base: Callable[[Listener], dict[str, Any]],
        words: memoryview,
        log: logging.Logger,
    ) -> None:
        self._config = config
        self._capacity = config.worker_connections
        self._gates = [
            Gate(number, listener, base, config, loop) for number, listener in enumerate(listeners)
        ]
        self._open = {gate.sock.fileno(): gate for gate in self._gates}
        self._loop = loop
        self._neighbours = neighbours
        self._load = load
        self._words = words
        self._log = log
        self._closing: list[Gate] = []
        self._listening = False
        self._paused_until_ns = 0
        self._at_once = _ACCEPTS_A_TURN
        # With more connections than this, whether to listen has to be decided anew.
        self._review_above = 0
        self.accepted = 0

    @property
    def listening(self) -> bool:
        """Whether new connections wake this worker."""
        return self._listening

    def review(self) -> None:
        """Listen, or stop listening, as the load says."""
        wanted = bool(self._open) and self._wanted()
        if wanted is self._listening:
            if not wanted and self._open:
                self._loop.hurry(_RECHECK_SECONDS)
            return
        self._set_listening(wanted)
        for fd in self._open:
            if wanted:
                self._loop.add_door(fd, self._accept)
            else:
                self._loop.remove_door(fd)
                # A connection whose wake-up we already had would wake nobody else.
                self._accept_some(fd)
        if not wanted:
            self._loop.hurry(_RECHECK_SECONDS)

    def _set_listening(self, listening: bool) -> None:
        self._listening = listening
        self._words[_LISTENING] = listening

    def _wanted(self) -> bool:
        now_ns = time.monotonic_ns()
        if now_ns < self._paused_until_ns:
            return False
        loads = (neighbour.load(now_ns) for neighbour in self._neighbours)
        siblings = [load for load in loads if load is not None]
        config = self._config
        load = self._load()
        if siblings:
            self._at_once = _ACCEPTS_A_TURN_SHARED
            self._review_above = load.connections + _ACCEPTS_A_TURN_SHARED
        else:
            self._at_once = _ACCEPTS_A_TURN
            self._review_above = self._capacity
        # Only asked when it matters: it has to look for one.
        full = load.connections >= self._capacity
        return should_listen(
            load,
            siblings,
            config.threads,
            self._capacity,
            can_make_room=full and self._loop.idle_connection() is not None,
        )

    def _accept(self, fd: int) -> None:
        if self._at_once == _ACCEPTS_A_TURN and self._has_company():
            # One has begun since the last review: from now on we share.
            self._at_once = _ACCEPTS_A_TURN_SHARED
            self._review_above = 0
        self._accept_some(fd)
        held = len(self._loop.connections)
        if held > self._review_above or held >= self._capacity:
            self._loop.hurry(0)
        elif self._at_once == _ACCEPTS_A_TURN_SHARED:
            self._words[_CONNECTIONS] = held
            self._loop.hurry(_RECHECK_SECONDS)

    def _has_company(self) -> bool:
        for neighbour in self._neighbours:  # noqa: SIM110 - Cython compiles no closure here
            if neighbour.serves:
                return True
        return False

    def _accept_some(self, fd: int) -> None:
        for _ in range(self._at_once):
            if not self._accept_one(fd):
                break

    def _accept_one(self, fd: int) -> bool:
        """Accept one connection; False when there is none, or no room for it."""
        gate = self._open.get(fd)
        if gate is None:
            return False
        full = len(self._loop.connections) >= self._capacity
        if full and self._loop.idle_connection() is None:
            return False
        before = self.accepted
        try:
            found = self._take(gate)
        except OSError as error:
            self._pause(error)
            self._loop.hurry(0)
            return False
        if full and self.accepted > before:
            # Only now is it certain that there was somebody to make room for.
            self._loop.make_room()
        return found

    def _take(self, gate: Gate) -> bool:
        """Accept one connection; False when there is none. OSError: no means for one more."""
        try:
            taken = accept(gate.sock)
        except OSError as error:
            if error.errno in _OUT_OF_RESOURCES:
                raise
            # The client has left already, say.
            return error.errno in _GONE_BEFORE
        if taken is None:
            return False  # somebody else was quicker
        fd, host, port = taken
        self.accepted += 1
        try:
            connection = gate.connection(fd, host, port)
        except BaseException:
            close_socket(fd)
            raise
        self._loop.adopt(connection)
        return True

    def welcome(self, fd: int, letter: Letter) -> Connection | None:
        """A connection that a sibling has accepted; None when no listener of ours is meant."""
        if not 0 <= letter.listener < len(self._gates):
            return None
        return self._gates[letter.listener].connection(fd, letter.host, letter.port)

    def _pause(self, error: OSError) -> None:
        """No descriptor or memory for one more connection: those waiting are left waiting."""
        now_ns = time.monotonic_ns()
        if now_ns < self._paused_until_ns:
            return
        self._paused_until_ns = now_ns + _RESOURCE_PAUSE_NS
        self._log.warning(
            "no new connections for %.1f s: %s", _RESOURCE_PAUSE_NS / 1e9, error.strerror
        )

    def close(self, *, answer_backlog: bool) -> None:
        """Take no more connections; first those that are waiting, if they are to be answered."""
        if self._listening:
            for fd in self._open:
                self._loop.remove_door(fd)
            self._set_listening(False)
        self._closing += self._open.values()
        self._open = {}
        if answer_backlog:
            self.sweep()
        else:
            self._close_listeners()

    def sweep(self) -> None:
        """Accept everything that waits, whatever the limits say, then close the listeners.

        While there is no descriptor or memory for more, the rest waits for the next sweep.
        """
        for gate in self._closing:
            try:
                while self._take(gate):
                    pass
            except OSError as error:
                self._pause(error)
                return
        self._close_listeners()

    def _close_listeners(self) -> None:
        for gate in self._closing:
            gate.listener.close()
        self._closing = []

    @property
    def closed(self) -> bool:
        """Whether no listener is left open."""
        return not self._open and not self._closing
