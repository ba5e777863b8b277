"""The control socket and who is connected to it: lines come in, replies go out, nothing waits.

A client may be slow, silent or talk rubbish: each has one bounded buffer, a time in which to speak
and one in which to take its answer, and there are only so many of them. What the lines mean is
decided elsewhere.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import socket
import struct
from collections.abc import Iterator
from enum import Enum, auto
from typing import Final

from canter.net.listeners import Listener
from canter.supervisor.orders import Refusal, encode_reply

MAX_LINE_BYTES = 4096
MAX_CLIENTS = 16
SILENCE_SECONDS = 10.0
"""How long a client may take to ask, and to take an answer."""
_ACCEPT_PAUSE_SECONDS = 1.0
_NEVER = float("inf")


class ClientState(Enum):
    """Where the talk with one client is."""

    READING = auto()
    """It may ask."""
    WAITING = auto()
    """It has asked, and its answer is not known yet; nothing is read."""
    ANSWERING = auto()
    """The answer is being sent."""
    PARTING = auto()
    """What is being sent is the last."""
    GONE = auto()


class ClientEvent(Enum):
    """What can happen to it."""

    ASKED = auto()
    ANSWERED = auto()
    TAKEN = auto()
    """It has all of the answer."""
    REFUSED = auto()
    """It broke the rules; it is told, and that is all."""
    LEFT = auto()
    """It hung up, or its time is over."""


_TRANSITIONS: Final[dict[tuple[ClientState, ClientEvent], ClientState]] = {
    (ClientState.READING, ClientEvent.ASKED): ClientState.WAITING,
    (ClientState.READING, ClientEvent.REFUSED): ClientState.PARTING,
    (ClientState.READING, ClientEvent.LEFT): ClientState.GONE,
    (ClientState.WAITING, ClientEvent.ANSWERED): ClientState.ANSWERING,
    (ClientState.WAITING, ClientEvent.LEFT): ClientState.GONE,
    (ClientState.ANSWERING, ClientEvent.TAKEN): ClientState.READING,
    (ClientState.ANSWERING, ClientEvent.LEFT): ClientState.GONE,
    (ClientState.PARTING, ClientEvent.TAKEN): ClientState.GONE,
    (ClientState.PARTING, ClientEvent.LEFT): ClientState.GONE,
}


class Client:
    """One connection, by the number of its ticket."""

    __slots__ = ("_inbox", "_outbox", "deadline", "sock", "state", "ticket", "watched")

    def __init__(self, sock: socket.socket, ticket: int, now: float) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.ticket = ticket
        self.state = ClientState.READING
        self.deadline = now + SILENCE_SECONDS
        # What the selector has been told to look for.
        self.watched = 0
        self._inbox = b""
        self._outbox = b""

    @property
    def wants(self) -> int:
        """What to wait for, in the terms of `selectors`; 0 = nothing."""
        if self.state is ClientState.READING:
            return selectors.EVENT_READ
        return selectors.EVENT_WRITE if self._outbox else 0

    def next_line(self, now: float) -> bytes | None:
        """The line it has asked, if it has asked one."""
        if self.state is not ClientState.READING:
            return None
        try:
            data = self.sock.recv(MAX_LINE_BYTES + 1 - len(self._inbox))
        except BlockingIOError:
            data = None
        except OSError:
            data = b""
        self._inbox += data or b""
        line, end, rest = self._inbox.partition(b"\n")
        if end:
            self._inbox = rest
            self._move(ClientEvent.ASKED, _NEVER)
            return line
        if data == b"":
            self._move(ClientEvent.LEFT, now)
        elif len(self._inbox) > MAX_LINE_BYTES:
            self.refuse(f"the line is longer than {MAX_LINE_BYTES} bytes", now)
        return None

    def answer(self, line: bytes, now: float) -> None:
        """Send the answer to what it asked."""
        self._outbox = line
        self._move(ClientEvent.ANSWERED, now + SILENCE_SECONDS)
        self.flush(now)

    def refuse(self, error: str, now: float) -> None:
        """Tell it what is wrong with it, and let it go."""
        self._outbox = encode_reply(Refusal(error))
        self._move(ClientEvent.REFUSED, now + SILENCE_SECONDS)
        self.flush(now)

    def flush(self, now: float) -> None:
        """Send on what is left of an answer."""
        if self.state not in {ClientState.ANSWERING, ClientState.PARTING}:
            return
        while self._outbox:
            try:
                sent = self.sock.send(self._outbox)
            except BlockingIOError:
                return
            except OSError:
                self.leave()
                return
            self._outbox = self._outbox[sent:]
        self._move(ClientEvent.TAKEN, now + SILENCE_SECONDS)

    def leave(self) -> None:
        """It is gone, or has to go."""
        self._move(ClientEvent.LEFT, _NEVER)

    def _move(self, event: ClientEvent, deadline: float) -> None:
        self.state = _TRANSITIONS[self.state, event]
        self.deadline = deadline


class ControlSocket:
    """The listening socket and its clients. Every method returns at once."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._clients: dict[int, Client] = {}
        self._tickets = itertools.count(1)
        self._selector: selectors.BaseSelector | None = None
        self._accept_again_at: float | None = None

    def watch(self, selector: selectors.BaseSelector) -> None:
        """Have `selector` return when there is something to take in."""
        self._selector = selector
        selector.register(self._listener, selectors.EVENT_READ)

    def unwatch(self) -> None:
        """Leave the selector, which is about to be closed; answers can still be given."""
        self._selector = None

    def take_in(self, now: float) -> Iterator[tuple[int, bytes]]:
        """What clients ask: a ticket for `reply`, and the line. Each may be answered at once."""
        self._accept(now)
        for client in list(self._clients.values()):
            client.flush(now)
            while (line := client.next_line(now)) is not None:
                yield client.ticket, line
            if now >= client.deadline and client.state is not ClientState.GONE:
                client.leave()
            self._keep(client)

    def reply(self, ticket: int, line: bytes, now: float) -> None:
        """Send an answer; to who has left meanwhile, nothing."""
        client = self._clients.get(ticket)
        if client is not None and client.state is ClientState.WAITING:
            client.answer(line, now)
            self._keep(client)

    def next_deadline(self) -> float | None:
        """When somebody's time is over, if nothing happens before."""
        moments = [client.deadline for client in self._clients.values()]
        if self._accept_again_at is not None:
            moments.append(self._accept_again_at)
        soonest = min(moments, default=_NEVER)
        return None if soonest == _NEVER else soonest

    def copies(self) -> tuple[Listener | socket.socket, ...]:
        """What a worker inherits and must not keep open."""
        return (self._listener, *(client.sock for client in self._clients.values()))

    def close(self) -> None:
        """Let everybody go, and remove the socket's file if it is still ours."""
        for client in self._clients.values():
            client.sock.close()
        self._clients.clear()
        self._listener.remove_file()
        self._listener.close()

    # ------------------------------------------------------------------------------- inside

    def _accept(self, now: float) -> None:
        if self._accept_again_at is not None:
            if now < self._accept_again_at:
                return
            self._accept_again_at = None
            self._listen(selectors.EVENT_READ)
        for _ in range(MAX_CLIENTS):
            try:
                sock, _ = self._listener.sock.accept()
            except BlockingIOError:
                return
            except OSError:
                # Most likely no descriptor is left; asked again at once, it would be the same.
                self._accept_again_at = now + _ACCEPT_PAUSE_SECONDS
                self._listen(0)
                return
            self._admit(Client(sock, next(self._tickets), now), now)

    def _admit(self, client: Client, now: float) -> None:
        self._clients[client.ticket] = client
        if not is_ours(client.sock):
            client.refuse("only the server's own user and root may ask", now)
        elif len(self._clients) > MAX_CLIENTS:
            # Who has been silent for longest has least to lose.
            silent = (c for c in self._clients.values() if c.state is ClientState.READING)
            longest = min(silent, key=lambda c: c.deadline)
            longest.refuse("too many others want to ask", now)
            if longest.state is not ClientState.GONE:
                longest.leave()
            self._keep(longest)
        self._keep(client)

    def _keep(self, client: Client) -> None:
        """Have the selector look for what the client's state wants; forget one that is gone."""
        wants = client.wants if client.state is not ClientState.GONE else 0
        if wants != client.watched and self._selector is not None:
            if not client.watched:
                self._selector.register(client.sock, wants)
            elif wants:
                self._selector.modify(client.sock, wants)
            else:
                self._selector.unregister(client.sock)
            client.watched = wants
        if client.state is ClientState.GONE and client.ticket in self._clients:
            del self._clients[client.ticket]
            client.sock.close()

    def _listen(self, events: int) -> None:
        if self._selector is None:
            return
        if events:
            self._selector.register(self._listener, events)
        else:
            self._selector.unregister(self._listener)


def is_ours(sock: socket.socket) -> bool:
    """Whether the other end is a process of our user or root's.

    Where the system does not tell, the permission bits of the file have to be enough.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return True
    ids = struct.Struct("3i")
    with contextlib.suppress(OSError):
        _, uid, _ = ids.unpack(sock.getsockopt(socket.SOL_SOCKET, option, ids.size))
        return uid in {0, os.geteuid()}
    return False
