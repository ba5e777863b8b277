"""The reading side of an SCGI connection."""

from __future__ import annotations

from canter.protocol.faults import BadPacket, Fault, Untrusted
from canter.protocol.gateway.reader import OneRequestReader, Variables
from canter.protocol.gateway.writer import GatewayWriter, refusal
from canter.protocol.request import Request
from canter.protocol.scgi.netstring import read_size, read_variables

_BEFORE_STATUS = b"Status: "
# The longest size with its colon.
_SIZE_BYTES = 16


class Reader(OneRequestReader):
    """`RequestReader` for SCGI."""

    __slots__ = ()

    name = "SCGI"

    def _take_head(self) -> Variables | None:
        data = self._data
        found = read_size(bytes(data[:_SIZE_BYTES]), self._limits.header_block)
        if found is None:
            return None
        begin, end = found
        if len(data) <= end:
            return None
        if data[end] != ord(","):
            raise BadPacket("no comma behind the variables")
        block = bytes(data[begin:end])
        del data[: end + 1]
        return read_variables(block)

    def answer(self, request: Request, keep_alive: bool) -> GatewayWriter:
        """The writer of the response; the connection ends with it."""
        del keep_alive
        return GatewayWriter(_BEFORE_STATUS, request.method == "HEAD", False)

    def refusal(self, fault: Fault, date_line: bytes, *, head_only: bool = False) -> bytes:
        """The whole answer to what was refused; none to whom may not speak here."""
        del date_line
        if isinstance(fault, Untrusted):
            return b""
        return refusal(_BEFORE_STATUS, fault, head_only=head_only)
