"""Connections that move from one worker to another, with what was read of them.

Each place for a worker has a letter box: a pair of datagram sockets, made by the supervisor and
inherited by every worker of the generation. A letter is one connection: its descriptor, who the
client is, and the bytes of the request that has arrived. A letter that nobody has read yet stays in
the box when its worker dies, and the next worker in that place reads it. An invitation is an empty
message: whoever sends it has a thread with nothing to do.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import dataclass

LETTER_BYTES = 64 * 1024
_HEAD_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Letter:
    """One connection on its way.

    listener: the number of the listening socket it came through. host, port: of the client.
    began_ns: when the request's first byte was read (monotonic, which all processes share).
    data: the request's bytes, whole, and what came behind them.
    """

    listener: int
    host: str
    port: str
    began_ns: int
    data: bytes


class LetterBox:
    """A pair of sockets: letters go in at `slot` and come out at `tray`."""

    __slots__ = ("slot", "tray")

    def __init__(self) -> None:
        self.slot, self.tray = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.slot.setblocking(False)
        self.tray.setblocking(False)

    def close(self) -> None:
        """Close this process's copies."""
        self.slot.close()
        self.tray.close()


class LetterLost(Exception):
    """A connection was sent here and could not be taken over."""


def invite(slot: socket.socket) -> None:
    """Send an invitation. A full box needs none: its worker is about to look around."""
    try:
        slot.send(b"")
    except OSError:
        pass


def post(slot: socket.socket, descriptor: int, letter: Letter) -> bool:
    """Send a connection; False when the box is full. The descriptor stays the caller's, open."""
    head = json.dumps([letter.listener, letter.host, letter.port, letter.began_ns]).encode("ascii")
    parts = (len(head).to_bytes(2, "big"), head, letter.data)
    try:
        socket.send_fds(slot, parts, [descriptor])
    except OSError:
        return False
    return True


def collect(tray: socket.socket) -> tuple[int, Letter] | None:
    """The next connection's descriptor, now the caller's, and its letter; None when there is none.

    Raises LetterLost when there is no descriptor free for it: the kernel has dropped it then.
    Raises OSError when the box is closed. Invitations are passed over: to be woken is all they do.
    """
    message = b""
    descriptors: list[int] = []
    while not message:
        try:
            message, descriptors, _, _ = socket.recv_fds(tray, LETTER_BYTES + _HEAD_BYTES, 1)
        except BlockingIOError:
            return None
    if not descriptors:
        raise LetterLost("a connection that was moved here found no free descriptor")
    # The kernel hands it over inheritable: a program that the application starts must not get it.
    os.set_inheritable(descriptors[0], False)
    try:
        size = int.from_bytes(message[:2], "big")
        listener, host, port, began_ns = json.loads(message[2 : 2 + size])
        letter = Letter(int(listener), str(host), str(port), int(began_ns), message[2 + size :])
    except (ValueError, TypeError) as error:
        os.close(descriptors[0])
        raise LetterLost("a letter that cannot be read") from error
    return descriptors[0], letter
