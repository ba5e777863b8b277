"""The reader that stands before another one and reads the PROXY header ahead of its bytes.

When the header was read, or there is none, the other reader is its successor and has the rest.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from canter.protocol.faults import BadProxyHeader, Fault, Truncated
from canter.protocol.proxy import v1, v2
from canter.protocol.proxy.introduction import NOBODY, Introduction
from canter.protocol.reader import RequestReader
from canter.protocol.request import Request


class Mode(Enum):
    """What is read ahead of a connection. Only REQUIRED insists on it."""

    OFF = "off"
    V1 = "v1"
    V2 = "v2"
    AUTO = "auto"
    REQUIRED = "required"


_SIGNATURES: dict[Mode, tuple[bytes, ...]] = {
    Mode.OFF: (),
    Mode.V1: (v1.SIGNATURE,),
    Mode.V2: (v2.SIGNATURE,),
    Mode.AUTO: (v1.SIGNATURE, v2.SIGNATURE),
    Mode.REQUIRED: (v1.SIGNATURE, v2.SIGNATURE),
}


class Reader(RequestReader):
    """`RequestReader` that gives no request, only an introduction and a successor.

    trusted: whether the peer may introduce others. behind: the reader of what follows.
    introduction: what was said, once there is a successor. header: its bytes. rest: what came
    behind it, where somebody else reads on (`stand_apart`).
    """

    __slots__ = (
        "_apart",
        "_behind",
        "_data",
        "_fault",
        "_mode",
        "_trusted",
        "header",
        "introduction",
        "rest",
    )

    def __init__(self, mode: Mode, behind: RequestReader, *, trusted: bool) -> None:
        super().__init__()
        self._mode = mode
        self._behind = behind
        self._trusted = trusted
        self._data = bytearray()
        self._fault: Fault | None = None
        self.introduction: Introduction = NOBODY
        self.header = b""
        self._apart = False
        self.rest = b""

    def stand_apart(self) -> RequestReader:
        """Give away the reader behind, as something stands between: what follows is `rest`."""
        self._apart = True
        return self._behind

    @property
    def buffered(self) -> int:
        """Bytes that were fed and not consumed."""
        return len(self._data)

    @property
    def head_started(self) -> bool:
        """Whether part of a header has come."""
        return bool(self._data)

    @property
    def body_complete(self) -> bool:
        """There is no body here."""
        return True

    def truncated(self) -> Fault | None:
        """What it means when the peer's side ends now."""
        if self._fault is not None:
            return self._fault
        if self._data:
            return Truncated("the connection ended within a PROXY header")
        return None

    def feed(self, data: bytes) -> None:
        """Take what was received."""
        self._data += data

    def read_body(self, maximum: int) -> bytes:
        """There is no body here."""
        del maximum
        if self._fault is not None:
            raise self._fault
        return b""

    def interim(self) -> bytes:
        """Nothing is owed for a header."""
        return b""

    def refusal(self, fault: Fault, date_line: bytes, *, head_only: bool = False) -> bytes:
        """As the format that was to follow has it."""
        return self._behind.refusal(fault, date_line, head_only=head_only)

    def next_request(self, base: dict[str, Any]) -> Request | None:
        """None; when `successor` is set, it goes on there. Raises Fault."""
        del base
        if self._fault is not None:
            raise self._fault
        if self._data and self.successor is None:
            try:
                self._read()
            except Fault as fault:
                self._fault = fault
                raise
        return None

    def _read(self) -> None:
        data = bytes(self._data)
        signature = self._signature(data)
        if signature is None:
            if self._mode is Mode.REQUIRED:
                raise BadProxyHeader("no PROXY header ahead of the connection")
            self._hand_over(0, NOBODY)
            return
        if len(data) < len(signature):
            return  # nor is it known yet that it is none
        if not self._trusted:
            raise BadProxyHeader("a PROXY header from a peer that may not send one")
        found = v1.read_line(data) if signature is v1.SIGNATURE else v2.read_header(data)
        if found is not None:
            self._hand_over(*found)

    def _signature(self, data: bytes) -> bytes | None:
        """The signature that `data` has, or may yet turn out to have."""
        for signature in _SIGNATURES[self._mode]:
            size = min(len(data), len(signature))
            if data[:size] == signature[:size]:
                return signature
        return None

    def _hand_over(self, size: int, introduction: Introduction) -> None:
        self.introduction = introduction
        self.header = bytes(self._data[:size])
        rest = bytes(self._data[size:])
        self._data.clear()
        if self._apart:
            self.rest = rest
        elif rest:
            self._behind.feed(rest)
        self.successor = self._behind
