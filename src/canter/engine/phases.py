"""The phases of one connection, and which may follow which.

Who owns a connection (may read it, write to it, change its phase) follows from its phase: in
RUNNING the thread that runs its request, in every other phase the thread that leads the loop.
"""

from __future__ import annotations

import enum


@enum.unique
class Phase(enum.IntEnum):
    """What a connection is doing."""

    IDLE = 0
    """Between requests, or new: nothing of a next request has arrived."""

    HEAD = 1
    """A part of a request's head has arrived."""

    BODY = 2
    """The head is complete, the body is arriving."""

    READY = 3
    """A request is complete and waits for an application thread."""

    RUNNING = 4
    """An application thread has the request."""

    SENDING = 5
    """The application is done; the loop sends what the client has not taken yet."""

    LINGER = 6
    """Our side is closed; what the client still sends is read and dropped, so that the answer
    is not lost to a reset (RFC 9112 9.6)."""

    CLOSED = 7
    """The socket is closed."""

    SHARED = 8
    """It carries streams, each a connection of its own with a phase of its own: the leader reads,
    whoever has the lock of the streams writes (`canter.engine.threaded.streams`)."""


FOLLOWERS: dict[Phase, frozenset[Phase]] = {
    Phase.IDLE: frozenset({Phase.HEAD, Phase.BODY, Phase.READY, Phase.SENDING, Phase.LINGER,
                           Phase.CLOSED, Phase.SHARED}),
    Phase.HEAD: frozenset({Phase.IDLE, Phase.BODY, Phase.READY, Phase.SENDING, Phase.LINGER,
                           Phase.CLOSED}),
    Phase.BODY: frozenset({Phase.READY, Phase.SENDING, Phase.LINGER, Phase.CLOSED}),
    Phase.READY: frozenset({Phase.RUNNING, Phase.CLOSED}),
    Phase.RUNNING: frozenset({Phase.IDLE, Phase.HEAD, Phase.BODY, Phase.READY, Phase.SENDING,
                              Phase.LINGER, Phase.CLOSED}),
    Phase.SENDING: frozenset({Phase.IDLE, Phase.HEAD, Phase.BODY, Phase.READY, Phase.LINGER,
                              Phase.CLOSED}),
    Phase.LINGER: frozenset({Phase.CLOSED}),
    Phase.CLOSED: frozenset(),
    Phase.SHARED: frozenset({Phase.SENDING, Phase.LINGER, Phase.CLOSED}),
}  # fmt: skip
"""After a response the bytes at hand may already hold the start, or the whole, of the next request:
hence RUNNING and SENDING lead to every phase of reading. HEAD leads back to IDLE where all that
came was the empty line that may stand before a request (RFC 9112 2.2), its two bytes apart."""

# The same table as bits, for the hot path: bit `b` of MAY_FOLLOW[a] is set when a may go to b.
MAY_FOLLOW: tuple[int, ...] = tuple(
    sum(1 << follower for follower in FOLLOWERS[phase]) for phase in Phase
)
