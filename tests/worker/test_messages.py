"""What the two sides say survives the wire, however it is cut; what makes no sense is survived."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.worker.messages import (
    MAX_FRAME_BYTES,
    MAX_TEXT_CHARACTERS,
    BootFailed,
    BrokenChannelError,
    Drain,
    Expire,
    Expired,
    FrameReader,
    Garbled,
    Leaving,
    Message,
    Ready,
    Serve,
    Serving,
    SetLogLevel,
    Stacks,
    TellStacks,
    WantsReplacement,
    Watch,
    clip,
    decode,
    encode,
)

texts = st.text(st.characters(), max_size=50)
messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(Ready),
    st.builds(Serving),
    st.builds(WantsReplacement),
    st.builds(Leaving),
    st.builds(Serve),
    st.builds(BootFailed, st.integers(0, 255), texts, texts),
    st.builds(Expired, st.integers(0, 4096), st.integers(0, 2**63), st.booleans()),
    st.builds(Expire, st.integers(0, 4096), st.integers(0, 2**63)),
    st.builds(Drain, st.booleans(), st.floats(0, 1e6)),
    st.builds(TellStacks, st.integers(0, 2**31)),
    st.builds(Stacks, st.integers(0, 2**31), texts),
    st.builds(SetLogLevel, texts),
    st.builds(Watch, st.lists(texts, max_size=5).map(tuple)),
)


@given(st.lists(messages, max_size=6), st.integers(1, 40))
def test_messages_arrive_as_they_were_sent_however_they_are_cut(sent: list[Message], step: int):
    stream = b"".join(encode(message) for message in sent)
    reader = FrameReader()
    received: list[Message | Garbled] = []
    for start in range(0, len(stream), step):
        received += reader.feed(stream[start : start + step])
    assert received == sent


def test_a_text_that_is_no_valid_unicode_arrives_too():
    message = BootFailed(3, "caf\udce9", "")
    assert FrameReader().feed(encode(message)) == [message]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'"Ready"',
        b'["Nonsense"]',
        b'["Garbled", "x"]',
        b'["Ready", 1]',
        b'["Expire", 1]',
        b'["Expire", "1", 2]',
        b'["Expire", true, 2]',
        b'["Expired", 1, 2, 1]',
        b'["Drain", true, "soon"]',
        b'["Drain", true, null]',
        b'["Watch", "a.py"]',
        b'["Watch", ["a.py", 5]]',
        b'["BootFailed", 3, null, ""]',
        b"[" * 100_000,
        b"[[1], 2]",
    ],
)
def test_a_frame_that_makes_no_sense_is_told_and_survived(body: bytes):
    reader = FrameReader()
    frame = struct.pack(">I", len(body)) + body
    first, second = reader.feed(frame + encode(Ready()))
    assert isinstance(first, Garbled)
    assert len(first.reason) <= 200
    assert second == Ready()


@given(st.binary(max_size=200))
def test_any_bytes_are_messages_garbled_or_the_end_of_the_conversation(data: bytes):
    try:
        FrameReader().feed(data)
    except BrokenChannelError:
        pass


def test_a_length_that_cannot_be_believed_breaks_the_channel():
    with pytest.raises(BrokenChannelError):
        FrameReader().feed(struct.pack(">I", MAX_FRAME_BYTES + 1))


def test_a_message_too_long_to_be_read_is_not_sent():
    with pytest.raises(ValueError, match="BootFailed is too long"):
        encode(BootFailed(3, "x" * (MAX_FRAME_BYTES + 1), ""))


def test_the_longest_clipped_texts_fit_even_if_every_character_is_escaped():
    text = clip("\N{PILE OF POO}" * (2 * MAX_TEXT_CHARACTERS))
    assert len(encode(BootFailed(3, "", text))) < MAX_FRAME_BYTES


def test_of_a_long_traceback_the_end_is_kept():
    text = clip("first\n" + "x" * MAX_TEXT_CHARACTERS + "\nlast")
    assert text.startswith("[...]\n")
    assert text.endswith("\nlast")
    assert clip("short") == "short"


def test_a_whole_number_of_seconds_is_a_number_of_seconds():
    assert decode(json.dumps(["Drain", False, 3]).encode()) == Drain(
        answer_backlog=False, within_seconds=3.0
    )
