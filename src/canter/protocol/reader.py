"""What an engine asks of the reading side of a connection, whatever the wire format.

One reader belongs to one connection. It is fed what was received, gives requests and their bodies,
and makes what answers them: the writer of a response, a refusal, and the bytes that the peer waits
for before it goes on. Every wire format has a reader of its own; an engine knows none by name.

Compiled where a compiler is at hand (`reader.pxd`); the same source either way. A reader may be
compiled or not: a method that a plain class overrides is found from compiled code as well.
"""

from __future__ import annotations

from typing import Any

from canter.protocol.faults import Fault
from canter.protocol.request import Request
from canter.protocol.writer import ResponseWriter


class RequestReader:
    """Reads requests from the bytes of one connection, one after the other.

    Feed what was received; ask `next_request` until it gives a request; read its body with
    `read_body` until `body_complete`; then ask for the next. A reader raises nothing but `Fault`
    for whatever a peer sends, and after a fault raises the same one again.

    request_line: what was asked for last, as HTTP would say it and without a line end; for logs,
    also of a refused request. Empty while the next one is not known.
    body_received: bytes of the last request's body that `read_body` has given.
    owes: `interim` has to be sent before there can be more; asked when there is neither a request
    nor more of a body.
    successor: the reader of all that follows, once this one has read what stands before it; it has
    been fed what was left over.
    """

    __slots__ = ("body_received", "owes", "request_line", "successor")

    def __init__(self) -> None:
        self.request_line = b""
        self.body_received = 0
        self.owes = False
        self.successor: RequestReader | None = None

    def feed(self, data: bytes) -> None:
        """Take what was received."""
        raise NotImplementedError

    def next_request(self, base: dict[str, Any]) -> Request | None:
        """The next request, or None when its head is not complete yet. Raises Fault.

        base: what every environ of this connection begins with; it is copied.
        """
        raise NotImplementedError

    def read_body(self, maximum: int) -> bytes:
        """At most `maximum` bytes of the body; b"" when it is complete or more must be fed.

        Raises Fault.
        """
        raise NotImplementedError

    @property
    def ahead(self) -> int:
        """How many bytes from here on are nothing but body, and not here yet; 0: maybe none."""
        return 0

    def pass_over(self, count: int) -> None:
        """Somebody else has read so many of the bytes that are `ahead`."""
        raise NotImplementedError

    def answer(self, request: Request, keep_alive: bool) -> ResponseWriter:
        """The writer of the response to `request`, the one that was read last."""
        raise NotImplementedError

    def take_rest(self) -> bytes:
        """The bytes that were fed and not consumed; this reader reads no more of the connection.

        Only of a format whose connections can become another protocol's.
        """
        raise NotImplementedError

    @property
    def buffered(self) -> int:
        """Bytes that were fed and not consumed."""
        raise NotImplementedError

    @property
    def head_started(self) -> bool:
        """Whether part of a next request's head has come, as against an idle connection."""
        raise NotImplementedError

    @property
    def body_complete(self) -> bool:
        """Whether the last request has no more body to read; so also right after a bodyless one."""
        raise NotImplementedError

    def truncated(self) -> Fault | None:
        """What it means when the peer's side ends now: None between requests, else the fault."""
        raise NotImplementedError

    def interim(self) -> bytes:
        """What the peer waits for before it sends more; it counts as sent."""
        raise NotImplementedError

    def refusal(self, fault: Fault, date_line: bytes, *, head_only: bool = False) -> bytes:
        """The whole answer to what was refused; the connection closes after it.

        Empty where the format has no words for it.
        """
        raise NotImplementedError
