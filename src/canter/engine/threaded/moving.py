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
        """Every thread is busy: let siblings that are not have the requests that wait."""
        ready = self._loop.ready
        for connection in list(ready):
            data = connection.raw
            if not data:
                continue
            if not data.startswith(connection.preface):
                # Who is introduced is found out anew over there.
                data = connection.preface + data
            if len(data) > LETTER_BYTES:
                continue
            if isinstance(connection, TlsConnection):
                continue  # the keys of its TLS are in this process
            neighbour = self._roomiest()
            if neighbour is None:
                if self._neighbours:
                    self._loop.hurry(_LOOK_AGAIN_SECONDS)
                return
            try:
                ready.remove(connection)
            except ValueError:  # a thread has come back and taken it
                continue
            if not self._send(connection, data, neighbour):
                ready.appendleft(connection)
                return

    def _roomiest(self) -> Neighbour | None:
        now_ns = time.monotonic_ns()
        best = None
        most = 0
        for neighbour in self._neighbours:
            room = neighbour.room(self._threads, now_ns)
            if room > most:
                best, most = neighbour, room
        return best

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
        self._collected_ns = time.monotonic_ns()
        while True:
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
