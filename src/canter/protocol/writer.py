"""What the WSGI layer asks of the writing side of one response, whatever the wire format.

Compiled where a compiler is at hand (`writer.pxd`); the same source either way.
"""

from __future__ import annotations

from canter.protocol.response import ResponseHead


class ResponseWriter:
    """The bytes of one response. It touches no socket and no clock.

    http_10: the peer understands neither chunks nor interim responses.
    head_only: the request was HEAD.
    keep_alive: whether the connection may be used again; what the request allows at first,
    what the response allows once `head` was called.
    chunked: each block is wrapped, by `data` or `frame`, and `end` says that the body is whole.
    bodyless: no body is sent. remaining: body bytes that the declared length still asks for, -1
    where there is none. largest: bytes of the largest block that can be wrapped, 0 for any.
    """

    __slots__ = (
        "bodyless",
        "chunked",
        "head_only",
        "http_10",
        "keep_alive",
        "largest",
        "remaining",
    )

    def __init__(self, http_10: bool, head_only: bool, keep_alive: bool) -> None:
        self.http_10 = http_10
        self.head_only = head_only
        self.keep_alive = keep_alive
        self.chunked = False
        self.bodyless = head_only
        self.remaining = -1
        self.largest = 0

    def head(self, response: ResponseHead, body_length: int, date_line: bytes) -> bytes:
        """The head's bytes.

        body_length: the size of the body that follows, where it is known, or -1; used when the
        application declared none. date_line: the whole Date line with its end.
        """
        raise NotImplementedError

    def data(self, block: bytes) -> bytes:
        """The bytes that carry one non-empty block of the body.

        The caller keeps to `remaining`, and sends no block of a response that has no body.
        """
        raise NotImplementedError

    def frame(self, size: int) -> tuple[bytes, bytes]:
        """As `data`, for a block too large to copy: what stands before it and behind it."""
        raise NotImplementedError

    def end(self) -> bytes:
        """The bytes that end the body."""
        raise NotImplementedError
