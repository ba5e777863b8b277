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
from canter.engine.formats import reader_factory
from canter.engine.siblings import Neighbour
from canter.engine.threaded.connection import Connection
from canter.engine.threaded.loop import Loop
from canter.engine.threaded.secure import TlsConnection
from canter.engine.threaded.sniffing import SniffingConnection
from canter.engine.tls import TlsTransport
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

_LISTENING = int(Field.LISTENING)


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
        self._listeners = {listener.fileno(): listener for listener in listeners}
        # By the number of the listener, which is the same in every worker of a generation.
        self._origins = [
            (listener, self._base(listener, base), reader_factory(listener.address.scheme, config))
            for listener in listeners
        ]
        self._numbers = {listener.fileno(): n for n, listener in enumerate(listeners)}
        self._loop = loop
        self._neighbours = neighbours
        self._load = load
        self._words = words
        self._log = log
        self._closing: dict[int, Listener] = {}
        # Behind a proxy every connection comes from it: they share one string.
        self._last_host = ""
        self._listening = False
        self._paused_until_ns = 0
        self._at_once = _ACCEPTS_A_TURN_SHARED if neighbours else _ACCEPTS_A_TURN
        self.accepted = 0

    @property
    def listening(self) -> bool:
        """Whether new connections wake this worker."""
        return self._listening

    def review(self) -> None:
        """Listen, or stop listening, as the load says."""
        wanted = bool(self._listeners) and self._wanted()
        if wanted is self._listening:
            if not wanted and self._listeners:
                self._loop.hurry(_RECHECK_SECONDS)
            return
        self._set_listening(wanted)
        for fd in self._listeners:
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
        # Only asked when it matters: it has to look for one.
        full = load.connections >= config.worker_connections
        return should_listen(
            load,
            siblings,
            config.threads,
            config.worker_connections,
            can_make_room=full and self._loop.idle_connection() is not None,
        )

    def _accept(self, fd: int) -> None:
        self._accept_some(fd)
        self._loop.hurry(0)  # the load has changed: it is reviewed after this turn's events

    def _accept_some(self, fd: int) -> None:
        for _ in range(self._at_once):
            if not self._accept_one(fd):
                break

    def _accept_one(self, fd: int) -> bool:
        """Accept one connection; False when there is none, or no room for it."""
        listener = self._listeners.get(fd)
        if listener is None:
            return False
        full = len(self._loop.connections) >= self._config.worker_connections
        if full and self._loop.idle_connection() is None:
            return False
        before = self.accepted
        try:
            found = self._take(listener, self._numbers[fd])
        except OSError as error:
            self._pause(error)
            return False
        if full and self.accepted > before:
            # Only now is it certain that there was somebody to make room for.
            self._loop.make_room()
        return found

    def _take(self, listener: Listener, number: int) -> bool:
        """Accept one connection; False when there is none. OSError: no means for one more."""
        try:
            sock, peer = listener.sock.accept()
        except OSError as error:
            if error.errno in _OUT_OF_RESOURCES:
                raise
            # Somebody else was quicker, or the client has left already.
            return error.errno in _GONE_BEFORE
        sock.setblocking(False)
        self.accepted += 1
        try:
            connection = self._connection(sock, peer, number)
        except BaseException:  # TLS may refuse to begin, for want of memory, say
            sock.close()
            raise
        self._loop.adopt(connection)
        return True

    def welcome(self, sock: socket.socket, letter: Letter) -> Connection | None:
        """A connection that a sibling has accepted; None when no listener of ours is meant."""
        if not 0 <= letter.listener < len(self._origins):
            return None
        return self._connection(sock, (letter.host, letter.port), letter.listener)

    def _connection(self, sock: socket.socket, peer: Any, number: int) -> Connection:
        listener, base, make_reader = self._origins[number]
        host = "" if listener.is_unix else str(peer[0])
        if host == self._last_host:
            host = self._last_host
        else:
            self._last_host = host
        reader = make_reader(host or None)
        connection = self._of_kind(listener, sock, reader, base, host or None)
        connection.listener = number
        if not listener.is_unix:
            connection.peer_host = host
            connection.peer_port = str(peer[1])
        return connection

    def _speaks_tls(self, listener: Listener) -> bool:
        named = listener.address.scheme
        if self._config.keyring is None:
            return False
        return named == "https" or (named == "" and self._config.protocol == "http")

    def _base(self, listener: Listener, make: Callable[[Listener], dict[str, Any]]) -> Any:
        base = make(listener)
        if listener.is_unix and self._speaks_tls(listener):
            base["SERVER_PORT"] = "443"  # there is none, and this is the one that https implies
        return base

    def _of_kind(
        self,
        listener: Listener,
        sock: socket.socket,
        reader: RequestReader,
        base: dict[str, Any],
        peer: str | None,
    ) -> Connection:
        """A connection with what lies between its socket and its reader."""
        config = self._config
        scheme = listener.address.scheme or config.protocol
        keyring = config.keyring
        if keyring is not None and self._speaks_tls(listener):
            ahead = None
            if isinstance(reader, ProxyReader):  # its header comes before TLS, not within
                ahead, reader = reader, reader.stand_apart()
            ragged = keyring.plan.suppress_ragged_eofs
            transport = TlsTransport(sock, keyring.context, ragged, ahead)
            return TlsConnection(transport, reader, base, config, self._loop)
        http2 = config.http2
        if http2 is not None and http2.cleartext and scheme == "http" and config.trust.trusts(peer):
            return SniffingConnection(sock, reader, base, config, self._loop)
        return Connection(sock, reader, base, config, self._loop)

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
            for fd in self._listeners:
                self._loop.remove_door(fd)
            self._set_listening(False)
        self._closing.update(self._listeners)
        self._listeners = {}
        if answer_backlog:
            self.sweep()
        else:
            self._close_listeners()

    def sweep(self) -> None:
        """Accept everything that waits, whatever the limits say, then close the listeners.

        While there is no descriptor or memory for more, the rest waits for the next sweep.
        """
        for fd, listener in self._closing.items():
            try:
                while self._take(listener, self._numbers[fd]):
                    pass
            except OSError as error:
                self._pause(error)
                return
        self._close_listeners()

    def _close_listeners(self) -> None:
        for listener in self._closing.values():
            listener.close()
        self._closing = {}

    @property
    def closed(self) -> bool:
        """Whether no listener is left open."""
        return not self._listeners and not self._closing
