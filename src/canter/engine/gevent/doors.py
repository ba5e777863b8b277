"""Accepting, and when not to."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Sequence
from typing import Any

import gevent

from canter.engine.clock import now_ns
from canter.engine.contract import EngineConfig
from canter.engine.formats import readers_of
from canter.engine.gevent.connection import GreenConnection
from canter.engine.gevent.talk import Talk
from canter.engine.wire import accept
from canter.net.listeners import Listener

_READ = 1
_OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_GONE_BEFORE = {errno.ECONNABORTED, errno.EPROTO, errno.EINTR}
_RESOURCE_PAUSE_SECONDS = 0.5
_ACCEPTS_A_TURN = 16
_IDLE_ENOUGH_NS = 1_000_000_000


class Doors:
    """The listeners of one worker. base: the environ that requests of a listener start from."""

    def __init__(
        self,
        listeners: Sequence[Listener],
        talk: Talk,
        config: EngineConfig,
        base: Callable[[Listener], dict[str, Any]],
        log: logging.Logger,
    ) -> None:
        self._origins = [
            (listener, base(listener), readers_of(listener.address.scheme, config))
            for listener in listeners
        ]
        self._talk = talk
        self._config = config
        self._log = log
        # Level-triggered: with siblings at the same socket, each takes one and looks again.
        self._at_once = 1 if config.multiprocess else _ACCEPTS_A_TURN
        self._watchers: list[Any] = []
        self._paused = False
        self._closing = False
        self.accepted = 0

    def review(self) -> None:
        """Listen, or stop listening: there is room, or there is none."""
        wanted = bool(self._origins) and not self._closing and not self._paused
        wanted = wanted and (self._has_room() or self._idle() is not None)
        if wanted and not self._watchers:
            loop = gevent.get_hub().loop
            for number, origin in enumerate(self._origins):
                watcher = loop.io(origin[0].fileno(), _READ)
                watcher.start(self._accept_some, number)
                self._watchers.append(watcher)
        elif not wanted:
            self._stop()

    def note_change(self) -> None:
        """A connection has ended, so there may be room again."""
        if not self._watchers and self._has_room():
            self.review()

    @property
    def listening(self) -> bool:
        """Whether new connections are taken."""
        return bool(self._watchers)

    def _stop(self) -> None:
        for watcher in self._watchers:
            watcher.stop()
            watcher.close()
        self._watchers = []

    def _has_room(self) -> bool:
        return len(self._talk.connections) < self._config.worker_connections

    def _idle(self) -> GreenConnection | None:
        """The connection that has been idle for the longest time, or that never said anything."""
        waiting = [it for it in self._talk.connections if it.is_idle()]
        longest = min(waiting, key=lambda it: (not it.served, it.waits_since_ns), default=None)
        if longest is None or now_ns() - longest.waits_since_ns < _IDLE_ENOUGH_NS:
            return None  # a request may be on its way
        return longest

    def _accept_some(self, number: int) -> None:
        """Called by the event loop itself, so nothing here may wait."""
        for _ in range(self._at_once):
            full = not self._has_room()
            idle = self._idle() if full else None
            if full and idle is None:
                break
            try:
                if not self._accept(number):
                    return
            except OSError as error:
                self._pause(error)
                return
            if idle is not None:
                idle.hurry()
                break  # its place is free in a moment, and so it must not be given away twice
        self.review()

    def _accept(self, number: int) -> bool:
        """Accept one connection; False when there is none. OSError: no means for one more."""
        listener, base, readers_for = self._origins[number]
        try:
            taken = accept(listener.sock)
        except OSError as error:
            if error.errno in _OUT_OF_RESOURCES:
                raise
            return error.errno in _GONE_BEFORE
        if taken is None:
            return False
        self.accepted += 1
        fd, host, port = taken
        make_reader = readers_for(host or None)
        connection = GreenConnection(fd, make_reader(), base, self._config, self._talk)
        connection.peer_host = host
        connection.peer_port = port
        self._talk.adopt(connection)
        return True

    def _pause(self, error: OSError) -> None:
        """No descriptor or memory for one more connection: those waiting are left waiting."""
        self._paused = True
        self._stop()
        self._log.warning(
            "no new connections for %.1f s: %s", _RESOURCE_PAUSE_SECONDS, error.strerror
        )
        gevent.spawn_later(_RESOURCE_PAUSE_SECONDS, self._go_on)

    def _go_on(self) -> None:
        self._paused = False
        self.review()

    def close(self, *, answer_backlog: bool) -> None:
        """Take no more connections; first those that are waiting, if they are to be answered."""
        self._closing = True
        self._stop()
        if answer_backlog:
            self.sweep()
        else:
            self._close_listeners()

    def sweep(self) -> None:
        """Accept everything that waits, whatever the limits say, then close the listeners.

        While there is no descriptor or memory for more, the rest waits for the next sweep.
        """
        try:
            for number in range(len(self._origins)):
                while self._accept(number):
                    pass
        except OSError:
            return
        self._close_listeners()

    def _close_listeners(self) -> None:
        for listener, _, _ in self._origins:
            listener.close()
        self._origins = []

    @property
    def closed(self) -> bool:
        """Whether no listener is left open."""
        return not self._origins
