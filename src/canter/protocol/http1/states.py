"""The states of one connection's reading side, and the one table that moves it.

Rules for editing: no other module assigns a phase but by `MOVES`; a pair that is not in the table
is a mistake of the caller, not of the peer. What a peer does wrong is the event FAULT, which leads
to FAILED from everywhere, because after it nobody can say where the next request begins.

Not in the table: whether bytes of the next head have come (that is the buffer's knowledge), and the
writing side, which is the engine's.
"""

from __future__ import annotations

from enum import IntEnum


class Phase(IntEnum):
    """What the next unread byte belongs to. Up to FIELDS there is no body left to read."""

    LINE = 0  # a request line, or there is no request yet
    FIELDS = 1  # the header fields
    BODY = 2  # a body of known length
    CHUNK_SIZE = 3  # the first line of a chunk
    CHUNK_DATA = 4  # the data of a chunk
    CHUNK_END = 5  # the CRLF behind the data of a chunk
    TRAILERS = 6  # the trailer fields and the empty line that ends them
    FAILED = 7  # the peer broke the protocol; nothing more is read
    HANDED_OVER = 8  # the bytes belong to somebody else now


class Event(IntEnum):
    """What was read, or decided."""

    LINE_READ = 0
    HEAD_WITHOUT_BODY = 1
    HEAD_WITH_LENGTH = 2
    HEAD_WITH_CHUNKS = 3
    BODY_READ = 4
    CHUNK_OPENED = 5
    CHUNK_READ = 6
    CHUNK_CLOSED = 7
    LAST_CHUNK = 8
    TRAILERS_READ = 9
    FAULT = 10
    HAND_OVER = 11


TABLE: dict[tuple[Phase, Event], Phase] = {
    (Phase.LINE, Event.LINE_READ): Phase.FIELDS,
    (Phase.FIELDS, Event.HEAD_WITHOUT_BODY): Phase.LINE,
    (Phase.FIELDS, Event.HEAD_WITH_LENGTH): Phase.BODY,
    (Phase.FIELDS, Event.HEAD_WITH_CHUNKS): Phase.CHUNK_SIZE,
    (Phase.BODY, Event.BODY_READ): Phase.LINE,
    (Phase.CHUNK_SIZE, Event.CHUNK_OPENED): Phase.CHUNK_DATA,
    (Phase.CHUNK_DATA, Event.CHUNK_READ): Phase.CHUNK_END,
    (Phase.CHUNK_END, Event.CHUNK_CLOSED): Phase.CHUNK_SIZE,
    (Phase.CHUNK_SIZE, Event.LAST_CHUNK): Phase.TRAILERS,
    (Phase.TRAILERS, Event.TRAILERS_READ): Phase.LINE,
    **{(phase, Event.FAULT): Phase.FAILED for phase in Phase if phase is not Phase.HANDED_OVER},
    **{(phase, Event.HAND_OVER): Phase.HANDED_OVER for phase in Phase},
}

#: How many events there are, which is the width of a row of MOVES.
WIDTH = len(Event)
#: In MOVES: there is no such move.
ILLEGAL = 255
#: The table as bytes, phase times WIDTH plus event, for the reader, which moves twice per request.
MOVES = bytes(TABLE.get((phase, event), ILLEGAL) for phase in Phase for event in Event)
