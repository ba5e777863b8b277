"""The reading side of a uwsgi connection."""

from __future__ import annotations

from canter.protocol.faults import Fault, Untrusted
from canter.protocol.gateway.paths import split_at
from canter.protocol.gateway.reader import OneRequestReader, Variables
from canter.protocol.gateway.writer import GatewayWriter, refusal
from canter.protocol.request import Request
from canter.protocol.uwsgi.packet import (
    HEAD_BYTES,
    MOUNTED_REQUEST,
    packet_size,
    read_variables,
)

# What uWSGI answers with, and what web servers take apart.
_BEFORE_STATUS = b"HTTP/1.1 "


class Reader(OneRequestReader):
    """`RequestReader` for uwsgi."""

    __slots__ = ("_is_mounted",)

    name = "uwsgi"

    def _take_head(self) -> Variables | None:
        data = self._data
        if len(data) < HEAD_BYTES:
            return None
        size = packet_size(bytes(data[:HEAD_BYTES]))
        end = HEAD_BYTES + size
        if len(data) < end:
            return None
        self._is_mounted = data[0] == MOUNTED_REQUEST
        block = bytes(data[HEAD_BYTES:end])
        del data[:end]
        return read_variables(block)

    def _amend(self, request: Request) -> None:
        if self._is_mounted:
            environ = request.environ
            mount, path = split_at(environ["PATH_INFO"], environ["SCRIPT_NAME"])
            if mount:
                environ["PATH_INFO"] = path

    def answer(self, request: Request, keep_alive: bool) -> GatewayWriter:  # noqa: ARG002
        """The writer of the response; the connection ends with it."""
        return GatewayWriter(_BEFORE_STATUS, request.method == "HEAD", False)

    def refusal(self, fault: Fault, date_line: bytes, *, head_only: bool = False) -> bytes:
        """The whole answer to what was refused; none to whom may not speak here."""
        del date_line
        if isinstance(fault, Untrusted):
            return b""
        return refusal(_BEFORE_STATUS, fault, head_only=head_only)
