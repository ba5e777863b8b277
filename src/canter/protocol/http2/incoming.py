"""The bytes of one connection as frames and heads (RFC 9113 sections 4, 6.2 and 6.10).

What holds for every frame is judged here: the preface, sizes, padding, and that nothing comes
between the parts of a header block. What a frame means is for `connection`.
"""

from __future__ import annotations

from canter.protocol.http2 import errors
from canter.protocol.http2.decoder import Decoder
from canter.protocol.http2.errors import ConnectionFailed, Mistake, StreamFailed
from canter.protocol.http2.fields import Fields
from canter.protocol.http2.frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    HEAD_BYTES,
    HEADERS,
    HIGHEST_STREAM,
    PADDED,
    PREFACE,
    SETTINGS,
    WITH_PRIORITY,
    number_at,
)
from canter.protocol.http2.limits import Http2Limits

# C ints where compiled.
_ACK = ACK
_CONTINUATION = CONTINUATION
_DATA = DATA
_END_HEADERS = END_HEADERS
_HEAD_BYTES = HEAD_BYTES
_HEADERS = HEADERS
_HIGHEST_STREAM = HIGHEST_STREAM
_PADDED = PADDED
_SETTINGS = SETTINGS
_WITH_PRIORITY = WITH_PRIORITY

_PREFACE_BYTES = len(PREFACE)
_PRIORITY_BYTES = 5
_MOST_CONTINUATIONS = 64
_NO_LIST_LIMIT = 2**24


class FrameReader:
    """Takes the input of a connection apart."""

    __slots__ = (
        "_block",
        "_block_flags",
        "_block_frames",
        "_block_limit",
        "_block_stream",
        "_decoder",
        "_frame_limit",
        "_has_preface",
        "_has_settings",
        "_held",
        "_wanted",
    )

    def __init__(self, limits: Http2Limits) -> None:
        list_limit = limits.max_header_list_size or _NO_LIST_LIMIT
        self._decoder = Decoder(list_limit)
        self._frame_limit = limits.max_frame_size
        # The beginning of a frame, until there are so many bytes.
        self._held = bytearray()
        self._wanted = _PREFACE_BYTES
        self._has_preface = False
        self._has_settings = False
        # A header block of which the end has not come; of no stream where there is none.
        self._block = bytearray()
        self._block_stream = 0
        self._block_flags = 0
        self._block_frames = 0
        self._block_limit = limits.max_frame_size * 2 + list_limit

    # -- for who knows what frames mean -----------------------------------------------------------

    def _on_content(self, flags: int, stream: int, data: bytes, start: int, end: int) -> None:
        """The payload of DATA: from `start` to `end`, padding included."""
        raise NotImplementedError

    def _on_head(self, flags: int, stream: int, fields: Fields) -> None:
        """A header block came whole."""
        raise NotImplementedError

    def _on_other(
        self, kind: int, flags: int, stream: int, data: bytes, start: int, end: int
    ) -> None:
        """The payload of a frame of any other kind."""
        raise NotImplementedError

    def _fail_stream(self, stream: int, mistake: Mistake) -> None:
        """A stream of this connection cannot go on."""
        raise NotImplementedError

    # -- reading ------------------------------------------------------------------------------

    def _read(self, data: bytes) -> None:
        """Take the next bytes. Raises ConnectionFailed."""
        held = self._held
        if held:
            held += data
            if len(held) < self._wanted:
                return
            data = bytes(held)
            held.clear()
        pos = 0
        end = len(data)
        if not self._has_preface:
            if not data.startswith(PREFACE):
                if not PREFACE.startswith(data):
                    raise ConnectionFailed(errors.NO_PREFACE)
                held += data
                return
            self._has_preface = True
            pos = _PREFACE_BYTES
        self._wanted = _HEAD_BYTES
        while end - pos >= _HEAD_BYTES:
            length = data[pos] * 65536 + data[pos + 1] * 256 + data[pos + 2]
            if length > self._frame_limit:
                raise ConnectionFailed(errors.FRAME_OVER_LIMIT)
            start = pos + _HEAD_BYTES
            if end - start < length:
                self._wanted = _HEAD_BYTES + length
                break
            stream = number_at(data, pos + 5) & _HIGHEST_STREAM
            behind = start + length
            try:
                self._frame(data[pos + 3], data[pos + 4], stream, data, start, behind)
            except StreamFailed as failure:
                self._fail_stream(stream, failure.mistake)
            pos = behind
        if pos < end:
            held += data[pos:]

    def _frame(self, kind: int, flags: int, stream: int, data: bytes, start: int, end: int) -> None:
        """One whole frame. Raises ConnectionFailed or StreamFailed."""
        if self._block_stream:
            if kind != _CONTINUATION or stream != self._block_stream:
                raise ConnectionFailed(errors.BLOCK_INTERRUPTED)
            self._go_on_with_block(flags, data, start, end)
            return
        if not self._has_settings:
            if kind != _SETTINGS or flags & _ACK:
                raise ConnectionFailed(errors.NO_SETTINGS_FIRST)
            self._has_settings = True
        if kind == _HEADERS:
            if not stream:
                raise ConnectionFailed(errors.NOT_OF_A_STREAM)
            self._begin_block(flags, stream, data, start, end)
        elif kind == _DATA:
            if not stream:
                raise ConnectionFailed(errors.NOT_OF_A_STREAM)
            self._on_content(flags, stream, data, start, end)
        elif kind == _CONTINUATION:
            raise ConnectionFailed(errors.CONTINUES_NOTHING)
        else:
            self._on_other(kind, flags, stream, data, start, end)

    def _padding(self, flags: int, data: bytes, start: int, end: int) -> int:
        """How many bytes of padding end a payload whose first byte tells it (6.1)."""
        if not flags & _PADDED:
            return 0
        if start == end:
            raise ConnectionFailed(errors.WRONG_SIZE)
        count = data[start]
        if count >= end - start:
            raise ConnectionFailed(errors.PADDING_TOO_LONG)
        return count

    def _begin_block(self, flags: int, stream: int, data: bytes, start: int, end: int) -> None:
        """HEADERS; the priority that it may have is ignored (5.3.2)."""
        if not stream & 1:
            raise ConnectionFailed(errors.NOT_THE_CLIENTS)
        if flags & _PADDED:
            end -= self._padding(flags, data, start, end)
            start += 1
        if flags & _WITH_PRIORITY:
            start += _PRIORITY_BYTES
            if start > end:
                raise ConnectionFailed(errors.WRONG_SIZE)
        if flags & _END_HEADERS:
            self._on_head(flags, stream, self._decoder.decode(data, start, end))
            return
        self._block += data[start:end]
        self._block_stream = stream
        self._block_flags = flags
        self._block_frames = 0

    def _go_on_with_block(self, flags: int, data: bytes, start: int, end: int) -> None:
        """CONTINUATION."""
        self._block_frames += 1
        size = len(self._block) + end - start
        if self._block_frames > _MOST_CONTINUATIONS or size > self._block_limit:
            raise ConnectionFailed(errors.ENDLESS_BLOCK)
        self._block += data[start:end]
        if flags & _END_HEADERS:
            block = bytes(self._block)
            self._block = bytearray()
            stream = self._block_stream
            self._block_stream = 0
            self._on_head(self._block_flags, stream, self._decoder.decode(block, 0, len(block)))
