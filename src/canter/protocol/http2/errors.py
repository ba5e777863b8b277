"""Why a stream or a connection ends."""

from __future__ import annotations

import enum


class Error(enum.IntEnum):
    """The error codes that are used here (RFC 9113 section 7)."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    STREAM_CLOSED = 5
    REFUSED_STREAM = 7
    CANCEL = 8
    ENHANCE_YOUR_CALM = 11
