"""Why a stream or a connection ends: error codes, and what a peer can do wrong in frames."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Error(enum.IntEnum):
    """The error codes (RFC 9113 section 7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class Mistake(NamedTuple):
    """One thing that a peer can do wrong.

    code: what it is told. section: of RFC 9113, or of RFC 7541 where the code is COMPRESSION_ERROR.
    words: what the log is told.
    """

    code: Error
    section: str
    words: str

    @property
    def detail(self) -> str:
        """The words, and where the rule stands."""
        rfc = "RFC 7541" if self.code is Error.COMPRESSION_ERROR else "RFC 9113"
        return f"{self.words} ({rfc} {self.section})"


class ConnectionFailed(Exception):
    """The connection cannot go on; the peer has been told, in what is to be sent."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.detail)
        self.mistake = mistake
        self.detail = mistake.detail


class StreamFailed(Exception):
    """One stream cannot go on, and the connection can (RFC 9113 5.4.2)."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.detail)
        self.mistake = mistake


_PROTOCOL = Error.PROTOCOL_ERROR
_FLOW = Error.FLOW_CONTROL_ERROR
_SIZE = Error.FRAME_SIZE_ERROR
_CLOSED = Error.STREAM_CLOSED
_CALM = Error.ENHANCE_YOUR_CALM
_PACKED = Error.COMPRESSION_ERROR

# -- of frames ---------------------------------------------------------------------------------

NO_PREFACE = Mistake(_PROTOCOL, "3.4", "what came first is not the preface")
NO_SETTINGS_FIRST = Mistake(_PROTOCOL, "3.4", "the first frame is not SETTINGS")
FRAME_OVER_LIMIT = Mistake(_SIZE, "4.2", "a frame over the limit")
BLOCK_INTERRUPTED = Mistake(_PROTOCOL, "4.3", "another frame within a header block")
NOT_OF_A_STREAM = Mistake(_PROTOCOL, "5.1.1", "a frame of streams on stream 0")
NOT_OF_THE_CONNECTION = Mistake(_PROTOCOL, "6.5", "a frame of the connection on a stream")
PADDING_TOO_LONG = Mistake(_PROTOCOL, "6.1", "more padding than frame")
WRONG_SIZE = Mistake(_SIZE, "4.2", "a frame of a size that its type does not have")
PUSH_BY_CLIENT = Mistake(_PROTOCOL, "8.4", "a client that pushes")
CONTINUES_NOTHING = Mistake(_PROTOCOL, "6.10", "CONTINUATION without a header block")

# -- of streams --------------------------------------------------------------------------------

NOT_THE_CLIENTS = Mistake(_PROTOCOL, "5.1.1", "a stream with an even number")
GOES_BACK = Mistake(_PROTOCOL, "5.1.1", "a new stream below one that was opened before")
NEVER_OPENED = Mistake(_PROTOCOL, "5.1", "a frame of a stream that was never opened")
ENDED_BEFORE = Mistake(_CLOSED, "5.1", "a frame of a stream that its client has ended")
LONG_CLOSED = Mistake(_CLOSED, "5.1", "a frame of a stream that is closed")
TOO_MANY_STREAMS = Mistake(Error.REFUSED_STREAM, "5.1.2", "too many streams at once")
TRAILERS_WITHOUT_END = Mistake(_PROTOCOL, "8.1", "a second head that does not end the stream")

# -- of settings and windows -------------------------------------------------------------------

BAD_PUSH_SETTING = Mistake(_PROTOCOL, "6.5.2", "ENABLE_PUSH is neither 0 nor 1")
BAD_WINDOW_SETTING = Mistake(_FLOW, "6.5.2", "INITIAL_WINDOW_SIZE is too large")
BAD_FRAME_SETTING = Mistake(_PROTOCOL, "6.5.2", "MAX_FRAME_SIZE is out of its range")
WINDOW_OF_NOTHING = Mistake(_PROTOCOL, "6.9", "a window update of nothing")
WINDOW_OVERFLOW = Mistake(_FLOW, "6.9.1", "a window over 2^31-1")
WINDOW_PASSED = Mistake(_FLOW, "6.9.1", "more content than the window lets through")

# -- of header blocks --------------------------------------------------------------------------

INTEGER_TOO_LARGE = Mistake(_PACKED, "5.1", "an integer that is too large")
BLOCK_CUT = Mistake(_PACKED, "5.1", "a header block that ends too early")
BAD_HUFFMAN = Mistake(_PACKED, "5.2", "a string that is no Huffman code")
NO_SUCH_FIELD = Mistake(_PACKED, "2.3.3", "an index beyond the tables")
TABLE_TOO_LARGE = Mistake(_PACKED, "6.3", "a table size over the limit")
LATE_TABLE_SIZE = Mistake(_PACKED, "4.2", "a table size behind a field")

# -- too much ----------------------------------------------------------------------------------

FIELDS_TOO_LARGE = Mistake(_CALM, "10.5.1", "a head that unpacks to more than the limit")
ENDLESS_BLOCK = Mistake(_CALM, "10.5", "a header block that does not end")


def flood(what: str) -> Mistake:
    """Too many frames of a kind that brings nothing."""
    return Mistake(_CALM, "10.5", f"too many {what}")
