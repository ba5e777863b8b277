"""Two ends of a real socket pair."""

from __future__ import annotations

import selectors
import struct

import pytest

from canter.worker.channel import Channel, make_channel
from canter.worker.messages import BootFailed, Garbled, Leaving, Ready, Serve, Watch


@pytest.fixture
def ends():
    pair = make_channel()
    yield pair
    for end in pair:
        end.close()


def test_messages_go_both_ways_and_in_order(ends: tuple[Channel, Channel]):
    ours, theirs = ends
    theirs.send(Ready())
    theirs.send(Leaving())
    ours.send(Serve())
    assert ours.receive() == [Ready(), Leaving()]
    assert theirs.receive() == [Serve()]
    assert ours.is_open
    assert theirs.is_open


def test_nothing_to_receive_is_no_reason_to_wait(ends: tuple[Channel, Channel]):
    assert ends[0].receive() == []


def test_last_words_are_heard_before_the_end(ends: tuple[Channel, Channel]):
    ours, theirs = ends
    theirs.send(BootFailed(3, "no", ""))
    theirs.close()
    assert ours.receive() == [BootFailed(3, "no", "")]
    assert not ours.is_open
    assert ours.receive() == []


def test_sending_to_somebody_who_is_gone_does_nothing(ends: tuple[Channel, Channel]):
    ours, theirs = ends
    theirs.close()
    ours.send(Serve())
    ours.send(Serve())
    assert ours.receive() == []
    assert not ours.is_open
    ours.send(Serve())


def test_a_peer_that_does_not_read_never_makes_the_sender_wait(ends: tuple[Channel, Channel]):
    ours, theirs = ends
    sent = 0
    while not theirs.events & selectors.EVENT_WRITE:
        theirs.send(Watch(("x" * 1000,) * 50))
        sent += 1
    for _ in range(10):
        theirs.send(Watch(("x" * 1000,) * 50))
        sent += 1
    received = 0
    while received < sent:
        received += len(ours.receive())
        theirs.flush()
    assert theirs.events == selectors.EVENT_READ


def test_a_peer_that_never_reads_is_hung_up_on(ends: tuple[Channel, Channel]):
    ours, theirs = ends
    message = Watch(("x" * 1000,) * 900)
    for _ in range(20):
        theirs.send(message)
    assert not theirs.events & selectors.EVENT_WRITE, "nothing is kept for it any more"
    theirs.receive()
    assert not theirs.is_open
    ours.receive()
    assert not ours.is_open


def test_bytes_that_are_no_frames_end_the_conversation(ends: tuple[Channel, Channel]):
    ours, theirs = ends
    theirs._sock.send(struct.pack(">I", 2**31) + b"garbage")
    (garbled,) = ours.receive()
    assert isinstance(garbled, Garbled)
    assert not ours.is_open


def test_hanging_up_is_seen_by_both_sides(ends: tuple[Channel, Channel]):
    ours, theirs = ends
    ours.hang_up()
    assert ours.receive() == []
    assert theirs.receive() == []
    assert not ours.is_open
    assert not theirs.is_open


def test_last_words_are_sent_to_a_slow_listener_within_bounds(ends: tuple[Channel, Channel]):
    _, theirs = ends
    while not theirs.events & selectors.EVENT_WRITE:
        theirs.send(Watch(("x" * 1000,) * 50))
    # Nobody reads: it gives up when the time is over.
    theirs.flush_within(0.01)
    assert theirs.events & selectors.EVENT_WRITE
    theirs.close()
    theirs.flush_within(10)
