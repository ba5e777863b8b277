"""Requests that wait here while a sibling is idle: the connection moves there, request and all.

Only where every application thread is busy, and only a request that is whole and that nothing was
sent for: it is read again by the sibling, from its first byte. Everything here is called by the
leader.
"""

from __future__ import annotations

import logging
import socket
import time

from canter.engine.siblings import Siblings
from canter.engine.threaded.connection import Connection
from canter.engine.threaded.listening import Doors
from canter.engine.threaded.loop import Loop
from canter.engine.threaded.secure import TlsConnection
from canter.net.handoff import LETTER_BYTES, Letter, LetterLost, collect, post
from canter.observe.scoreboard import Field, WorkerSlot

_STALE_NS = 2_000_000_000
_TELL_WITHIN_SECONDS = 0.001
# While requests wait here and nobody has room, somebody may have it this much later.
_LOOK_AGAIN_SECONDS = 0.004

_OPEN = int(Field.OPEN)
_HEARTBEAT_NS = int(Field.HEARTBEAT_NS)
_RUNNING = int(Field.RUNNING)
_QUEUED = int(Field.QUEUED)


class Neighbour:
    """A sibling as seen from here: its slot on the board, its letter box, what it was sent.

    What was sent counts until the sibling has come round its loop and its own figures tell.
    """

    __slots__ = ("_seen_ns", "_sent", "box", "slot")

    def __init__(self, slot: WorkerSlot, box: socket.socket) -> None:
        self.slot = slot
        self.box = box
        self._seen_ns = 0
        self._sent = 0

    def room(self, threads: int, now_ns: int) -> int:
        """How many more requests it could run at once."""
        words = self.slot.words
        heartbeat_ns = words[_HEARTBEAT_NS]
        if not words[_OPEN] or now_ns - heartbeat_ns > _STALE_NS or words[_QUEUED]:
            return 0
        if heartbeat_ns != self._seen_ns:
            self._seen_ns = heartbeat_ns
            self._sent = 0
        return threads - int(words[_RUNNING]) - self._sent

    def note_sent(self) -> None:
        """One more request is on its way to it."""
        self._sent += 1


class Removals:
    """The moving of connections, both ways.

    threads: application threads of each worker.
    """

    def __init__(
        self,
        loop: Loop,
        doors: Doors,
        threads: int,
        siblings: Siblings,
        log: logging.Logger,
    ) -> None:
        self._loop = loop
        self._doors = doors
        self._threads = threads
        self._tray = siblings.tray
        self._neighbours = [
            Neighbour(slot, box) for slot, box in zip(siblings.slots, siblings.boxes, strict=True)
        ]
        self._log = log
        if self._tray is not None:
            loop.add_door(self._tray.fileno(), self._on_letters)

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
        if not post(neighbour.box, connection.fd, letter):
            return False
        neighbour.note_sent()
        self._loop.release(connection)
        return True

    def _on_letters(self, _fd: int) -> None:
        self.collect_all()
        # Who sent them counts them as ours until our figures tell: soon.
        self._loop.hurry(_TELL_WITHIN_SECONDS)

    def collect_all(self) -> None:
        """Take over every connection that was moved here."""
        tray = self._tray
        while tray is not None:
            try:
                found = collect(tray)
            except LetterLost as lost:
                self._log.warning("%s", lost)
                continue
            if found is None:
                return
            descriptor, letter = found
            sock = socket.socket(fileno=descriptor)
            sock.setblocking(False)
            connection = self._doors.welcome(sock, letter)
            if connection is None:
                sock.close()
            else:
                self._loop.take_over(connection, letter.data, letter.began_ns)
