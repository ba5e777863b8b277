"""A connection whose greenlet waits for its client, where a thread's would be waited for by a loop.

Nothing here needs a lock: greenlets of one thread change places only where they wait.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any

import gevent
import gevent.socket

from canter.engine.clock import now_ns
from canter.engine.contract import EngineConfig
from canter.engine.phases import Phase
from canter.engine.threaded.backlog import Backlog
from canter.engine.threaded.connection import Connection, Hub
from canter.protocol.reader import RequestReader
from canter.wsgi.exchange import ClientGone, ClientStalled

_READ = 1
_WRITE = 2
_ALL = -1


class GreenConnection(Connection):
    """One accepted connection. broken: the engine failed at it. greenlet: whose it is."""

    __slots__ = ("_readable", "_writable", "broken", "greenlet")

    def __init__(
        self,
        fd: int,
        reader: RequestReader,
        base: dict[str, Any],
        config: EngineConfig,
        hub: Hub,
    ) -> None:
        super().__init__(fd, reader, base, config, hub)
        self.waits_since_ns = now_ns()
        self.watched = True  # nobody else has to hear of its events
        self.broken = False
        self.greenlet: gevent.Greenlet | None = None
        self._readable: Any = None
        self._writable: Any = None

    def wait_readable(self, seconds: float) -> bool:
        """Let others run until there is something to read; False after `seconds` (0: for ever)."""
        if self._readable is None:
            self._readable = gevent.get_hub().loop.io(self.fd, _READ)
        return _wait(self._readable, seconds)

    def wait_writable(self, seconds: float) -> bool:
        """Let others run until the socket takes more; False after `seconds` (0: for ever)."""
        if self._writable is None:
            self._writable = gevent.get_hub().loop.io(self.fd, _WRITE)
        return _wait(self._writable, seconds)

    def send_rest(self) -> None:
        """Send all that the client has not taken yet. Raises ClientGone."""
        backlog = self.backlog
        if backlog is not None:
            self._push(backlog, _ALL)
            self.backlog = None

    def _wait_for_room(self, backlog: Backlog) -> None:
        self._push(backlog, self.config.high_water_bytes // 2)

    def _push(self, backlog: Backlog, enough_bytes: int) -> None:
        """Send until no more than `enough_bytes` wait in memory. Raises ClientGone."""
        seconds = self.config.send_timeout_seconds
        self.still_takes()
        while backlog and backlog.size > enough_bytes:
            with backlog.lock:
                backlog.flush(self.sock)
            if not backlog.blocked:
                gevent.sleep(0)  # it is the others' turn
            elif not self.wait_writable(seconds) and not self.still_takes():
                with backlog.lock:
                    backlog.give_up()
                raise ClientStalled("the client takes nothing of the response")
        if backlog.broken:
            raise ClientGone("the client left")

    def is_idle(self) -> bool:
        """Whether it waits for its next request."""
        return self.phase == Phase.IDLE

    def hurry(self) -> None:
        """Have its greenlet see the end of the input, behind what has arrived already."""
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Close the socket; by its own greenlet."""
        for watcher in (self._readable, self._writable):
            if watcher is not None:
                watcher.stop()
                watcher.close()
        if self.taken is not None:
            self.taken.end()
            self.taken = None
        super().close()


def _wait(watcher: Any, seconds: float) -> bool:
    try:
        gevent.socket.wait(watcher, seconds if seconds > 0 else None, TimeoutError())
    except TimeoutError:
        return False
    return True
