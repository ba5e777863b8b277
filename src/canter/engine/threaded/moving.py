"""Requests that wait here while a sibling is idle: the connection moves there, request and all.

Only where every application thread is busy, and only a request that is whole and that nothing was
sent for: it is read again by the sibling, from its first byte. Everything here is called by the
leader.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Sequence

from canter.engine.siblings import Neighbour
from canter.engine.threaded.connection import Connection
from canter.engine.threaded.listening import Doors
from canter.engine.threaded.loop import Loop
from canter.engine.threaded.secure import TlsConnection
from canter.net.handoff import LETTER_BYTES, Letter, LetterLost, collect
from canter.observe.scoreboard import Field

# While requests wait here and nobody has room, somebody may have it this much later: whoever gets
# it says so, but not where its box is full, nor a worker that has just begun to serve.
_LOOK_AGAIN_SECONDS = 0.004

_COLLECTED_NS = int(Field.COLLECTED_NS)


class Removals:
    """The moving of connections, both ways.

    threads: application threads of each worker. tray: where connections come out that move here.
    words: this worker's own part of the scoreboard.
    """

    def __init__(
        self,
        loop: Loop,
        doors: Doors,
        threads: int,
        neighbours: Sequence[Neighbour],
        tray: socket.socket | None,
        words: memoryview,
        log: logging.Logger,
    ) -> None:
        self._loop = loop
        self._doors = doors
        self._threads = threads
        self._tray = tray
        self._neighbours = neighbours
        self._words = words
        self._collected_ns = 0
        self._log = log

    def relieve(self) -> None:
        """Every thread is busy: let siblings that are not have the requests that wait.

        Each of them has as many as it has threads free, or else an even share of all that wait: one
        thread soon runs several that are quick, and what has to wait there may come back.
        """
        if not self._neighbours:
            return
        waiting = [it for it in list(self._loop.ready) if _letter_data(it)]
        if not waiting:
            return
        now_ns = time.monotonic_ns()
        rooms = [(it.room(self._threads, now_ns), it) for it in self._neighbours]
        free = sorted((it for it in rooms if it[0] > 0), key=_room, reverse=True)
        share = len(waiting) // (len(free) + 1)
        waiting.reverse()  # the oldest goes first, to where there is most room
        for room, neighbour in free:
            for _ in range(min(max(room, share), len(waiting))):
                if not self._move(waiting.pop(), neighbour):
                    break
        if waiting:
            self._loop.hurry(_LOOK_AGAIN_SECONDS)

    def _move(self, connection: Connection, neighbour: Neighbour) -> bool:
        """Send one there, unless a thread has it by now; False where no more fits in."""
        ready = self._loop.ready
        try:
            ready.remove(connection)
        except ValueError:  # a thread has come back and taken it
            return True
        # From here on it is nobody else's. Since it was looked at, a thread may have answered its
        # request, and what waits is the one behind that.
        data = _letter_data(connection)
        sent = bool(data) and self._send(connection, data, neighbour)
        if not sent:
            ready.appendleft(connection)
            # A thread that looked for work meanwhile has gone to rest: it is looked for again soon.
            self._loop.hurry(_LOOK_AGAIN_SECONDS)
        return sent or not data

    def _send(self, connection: Connection, data: bytes, neighbour: Neighbour) -> bool:
        host, port = connection.origin or (connection.peer_host, connection.peer_port)
        letter = Letter(
            connection.listener,
            host,
            port,
            connection.began_ns,
            data,
        )
        if not neighbour.send(connection.fd, letter):
            return False
        self._loop.release(connection)
        return True

    def invite(self) -> None:
        """A thread has nothing to do: tell the sibling in which most requests wait.

        From any thread. The sibling says first that requests wait and then looks for room, and here
        a thread is free first and then looks for those who wait: one of the two sees the other.
        """
        most = None
        waiting = 0
        for neighbour in self._neighbours:
            queued = neighbour.queued
            if queued > waiting:
                most, waiting = neighbour, queued
        if most is not None:
            most.invite()

    def settle(self) -> None:
        """What was collected in the last round runs by now, or counts as what waits: say so."""
        self._words[_COLLECTED_NS] = self._collected_ns

    def collect_all(self) -> None:
        """Take over every connection that was moved here."""
        tray = self._tray
        if tray is None:
            return
        while True:
            # What was sent before this is found now, or has been.
            self._collected_ns = time.monotonic_ns()
            try:
                found = collect(tray)
            except LetterLost as lost:
                self._log.warning("%s", lost)
                continue
            if found is None:
                return
            descriptor, letter = found
            os.set_blocking(descriptor, False)
            connection = self._doors.welcome(descriptor, letter)
            if connection is None:
                os.close(descriptor)
            else:
                self._loop.take_over(connection, letter.data, letter.began_ns)


def _letter_data(connection: Connection) -> bytes:
    """What is to be read again by a sibling; nothing where this connection has to stay."""
    data = connection.raw
    # The keys of TLS are in this process.
    if not data or isinstance(connection, TlsConnection):
        return b""
    if not data.startswith(connection.preface):
        # Who is introduced is found out anew over there.
        data = connection.preface + data
    return data if len(data) <= LETTER_BYTES else b""


def _room(found: tuple[int, Neighbour]) -> int:
    return found[0]
