"""The table of a stream's states."""

from __future__ import annotations

import re

import pytest

from canter.protocol.http2 import errors
from canter.protocol.http2.errors import ConnectionFailed, Mistake, StreamFailed
from canter.protocol.http2.states import TABLE, Event, State
from canter.protocol.http2.tracks import Track, follow

OF_PEERS = (Event.HEAD, Event.CONTENT, Event.RESET, Event.WINDOW)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", OF_PEERS)
def test_whatever_a_peer_does_has_a_place_in_the_table(state, event):
    assert (state, event) in TABLE


@pytest.mark.parametrize(("pair", "found"), TABLE.items(), ids=str)
def test_the_table_is_what_moves(pair, found):
    if isinstance(found, Mistake):
        kind = StreamFailed if found is errors.ENDED_BEFORE else ConnectionFailed
        with pytest.raises(kind, match=re.escape(found.words)):
            follow(*pair)
    else:
        assert follow(*pair) == found


def test_what_is_not_in_it_is_a_mistake_of_ours():
    with pytest.raises(AssertionError):
        follow(State.CLOSED, Event.SENT_ALL)


def test_a_request_and_its_answer():
    track = Track(1, 0, 0)
    for event in (Event.HEAD, Event.CONTENT, Event.ENDED, Event.SENT_ALL):
        track.move(event)
    assert track.state == State.CLOSED
