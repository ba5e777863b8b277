"""What a connection remembers of each stream that is not closed: its state and its windows."""

from __future__ import annotations

from canter.protocol.http2.errors import ConnectionFailed, Mistake, StreamFailed
from canter.protocol.http2.states import (
    MOVES,
    NO_MOVE,
    STREAM_DIES,
    TABLE,
    WIDTH,
    Event,
    State,
)

# Plain numbers (C ints where compiled): members of enums are slow.
_MOVES = MOVES
_NO_MOVE = NO_MOVE
_WIDTH = WIDTH


def follow(state: int, event: int) -> int:
    """The state after an event. Raises ConnectionFailed or StreamFailed where it may not happen."""
    following = _MOVES[state * _WIDTH + event]
    if following == _NO_MOVE:
        raise _mistake(State(state), Event(event))
    return following


def _mistake(state: State, event: Event) -> Exception:
    found = TABLE.get((state, event))
    if not isinstance(found, Mistake):
        return AssertionError(f"{event.name} in {state.name}")
    return StreamFailed(found) if found in STREAM_DIES else ConnectionFailed(found)


class Track:
    """One stream. in_window: what its client may send still; out_window: what we may; bytes."""

    __slots__ = ("in_window", "number", "out_window", "state")

    def __init__(self, number: int, in_window: int, out_window: int) -> None:
        self.number = number
        self.state = 0
        self.in_window = in_window
        self.out_window = out_window

    def move(self, event: int) -> None:
        """Something happened; raises as `follow` does."""
        self.state = follow(self.state, event)
