"""The states of one stream, and the one table that moves it (RFC 9113 section 5.1).

Rules for editing: no other module assigns a state but by `MOVES`. Where the table has a mistake in
a state's place, the event is one that a peer must not cause; a pair that is not in it is a mistake
of ours. States in which a client may send nothing more are told apart by why: what it had on its
way when we gave a stream up is dropped without a word.
"""

from __future__ import annotations

from enum import IntEnum

from canter.protocol.http2 import errors
from canter.protocol.http2.errors import Mistake


class State(IntEnum):
    """What a stream is. The names are those of the RFC, from a server's side, but for the last."""

    IDLE = 0
    OPEN = 1
    HALF_CLOSED_REMOTE = 2  # the client has sent all
    HALF_CLOSED_LOCAL = 3  # we have sent all
    CLOSED = 4
    GIVEN_UP = 5  # closed by a reset of ours, of which the client may not know yet


class Event(IntEnum):
    """What happened to it."""

    HEAD = 0  # HEADERS came
    CONTENT = 1  # DATA came
    ENDED = 2  # a frame that came had END_STREAM
    RESET = 3  # RST_STREAM came
    WINDOW = 4  # WINDOW_UPDATE came
    SENT_ALL = 5  # a frame of ours had END_STREAM
    SENT_RESET = 6  # RST_STREAM was sent


TABLE: dict[tuple[State, Event], State | Mistake] = {
    (State.IDLE, Event.HEAD): State.OPEN,
    (State.IDLE, Event.CONTENT): errors.NEVER_OPENED,
    (State.IDLE, Event.RESET): errors.NEVER_OPENED,
    (State.IDLE, Event.WINDOW): errors.NEVER_OPENED,
    (State.OPEN, Event.HEAD): State.OPEN,
    (State.OPEN, Event.CONTENT): State.OPEN,
    (State.OPEN, Event.ENDED): State.HALF_CLOSED_REMOTE,
    (State.OPEN, Event.RESET): State.CLOSED,
    (State.OPEN, Event.WINDOW): State.OPEN,
    (State.OPEN, Event.SENT_ALL): State.HALF_CLOSED_LOCAL,
    (State.OPEN, Event.SENT_RESET): State.GIVEN_UP,
    (State.HALF_CLOSED_REMOTE, Event.HEAD): errors.ENDED_BEFORE,
    (State.HALF_CLOSED_REMOTE, Event.CONTENT): errors.ENDED_BEFORE,
    (State.HALF_CLOSED_REMOTE, Event.RESET): State.CLOSED,
    (State.HALF_CLOSED_REMOTE, Event.WINDOW): State.HALF_CLOSED_REMOTE,
    (State.HALF_CLOSED_REMOTE, Event.SENT_ALL): State.CLOSED,
    (State.HALF_CLOSED_REMOTE, Event.SENT_RESET): State.CLOSED,
    (State.HALF_CLOSED_LOCAL, Event.HEAD): State.HALF_CLOSED_LOCAL,
    (State.HALF_CLOSED_LOCAL, Event.CONTENT): State.HALF_CLOSED_LOCAL,
    (State.HALF_CLOSED_LOCAL, Event.ENDED): State.CLOSED,
    (State.HALF_CLOSED_LOCAL, Event.RESET): State.CLOSED,
    (State.HALF_CLOSED_LOCAL, Event.WINDOW): State.HALF_CLOSED_LOCAL,
    (State.HALF_CLOSED_LOCAL, Event.SENT_RESET): State.GIVEN_UP,
    (State.CLOSED, Event.HEAD): errors.LONG_CLOSED,
    (State.CLOSED, Event.CONTENT): errors.LONG_CLOSED,
    (State.CLOSED, Event.RESET): State.CLOSED,
    (State.CLOSED, Event.WINDOW): State.CLOSED,
    (State.GIVEN_UP, Event.HEAD): State.GIVEN_UP,
    (State.GIVEN_UP, Event.CONTENT): State.GIVEN_UP,
    (State.GIVEN_UP, Event.ENDED): State.CLOSED,
    (State.GIVEN_UP, Event.RESET): State.CLOSED,
    (State.GIVEN_UP, Event.WINDOW): State.GIVEN_UP,
}

#: Of these mistakes only the stream dies; of all others in the table the connection.
STREAM_DIES = frozenset({errors.ENDED_BEFORE})

#: How many events there are, which is the width of a row of MOVES.
WIDTH = len(Event)
#: In MOVES: a mistake of the peer, or no such move.
NO_MOVE = 255


def _number(state: State, event: Event) -> int:
    found = TABLE.get((state, event))
    return found if isinstance(found, State) else NO_MOVE


#: The table as bytes, state times WIDTH plus event.
MOVES = bytes(_number(state, event) for state in State for event in Event)
