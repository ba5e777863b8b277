"""Reading an upload block by block: a multipart form's files, or any other body as it is.

Nothing is kept but a digest and a block, whatever the size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

BLOCK_BYTES = 1 << 16
PART_HEAD_LIMIT_BYTES = 1 << 13
PARTS_LIMIT = 100


class BadForm(Exception):
    """The body is not the multipart form that its Content-Type promises (RFC 7578, RFC 2046)."""


@dataclass(slots=True)
class Received:
    """One thing that was sent."""

    name: str
    size_bytes: int = 0
    _digest: Any = field(default_factory=hashlib.sha256)

    def add(self, data: bytes) -> None:
        """Count and digest some more of it."""
        self.size_bytes += len(data)
        self._digest.update(data)

    @property
    def sha256(self) -> str:
        """The digest of all of it, in hex."""
        digest: str = self._digest.hexdigest()
        return digest


def receive(environ: WSGIEnvironment) -> list[Received]:
    """Read the request's body to its end; the parts of a form, or one part for any other body.

    Raises BadForm.
    """
    read = _reader(environ)
    content_type = Message()
    content_type["Content-Type"] = environ.get("CONTENT_TYPE", "")
    if content_type.get_content_type() == "multipart/form-data":
        boundary = content_type.get_boundary()
        if not boundary or not boundary.isascii():
            raise BadForm("it names no boundary")
        return _Form(read, boundary.encode("ascii")).parts()
    body = Received("(body)")
    while block := read():
        body.add(block)
    return [body]


def _reader(environ: WSGIEnvironment) -> Callable[[], bytes]:
    """A function that gives the next block, and b"" at the end of the body.

    A server that ends wsgi.input itself says so; with any other the Content-Length has to be kept.
    """
    stream = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated"):
        return lambda: bytes(stream.read(BLOCK_BYTES))
    remaining = int(environ.get("CONTENT_LENGTH") or 0)

    def read() -> bytes:
        nonlocal remaining
        block: bytes = stream.read(min(BLOCK_BYTES, remaining)) if remaining else b""
        remaining -= len(block)
        return block

    return read


class _Form:
    """A multipart/form-data body, cut at its boundary as it is read."""

    def __init__(self, read: Callable[[], bytes], boundary: bytes) -> None:
        self._read = read
        # With a line break in front, the first boundary is found like all the others.
        self._buffer = b"\r\n"
        self._delimiter = b"\r\n--" + boundary

    def parts(self) -> list[Received]:
        """Read everything; the preamble and the epilogue are left out."""
        parts: list[Received] = []
        self._through_delimiter(None)
        while not self._at_close():
            if len(parts) == PARTS_LIMIT:
                raise BadForm(f"it has more than {PARTS_LIMIT} parts")
            part = Received(self._part_name())
            parts.append(part)
            self._through_delimiter(part)
        while self._read():
            pass
        return parts

    def _more(self) -> None:
        block = self._read()
        if not block:
            raise BadForm("it ends before its closing boundary")
        self._buffer += block

    def _through_delimiter(self, part: Received | None) -> None:
        """Give the part all that comes before the next delimiter, and go past that."""
        while (at := self._buffer.find(self._delimiter)) < 0:
            # What may be the beginning of a delimiter stays until more is there.
            keep = len(self._delimiter) - 1
            if part is not None and len(self._buffer) > keep:
                part.add(self._buffer[:-keep])
            self._buffer = self._buffer[-keep:]
            self._more()
        if part is not None:
            part.add(self._buffer[:at])
        self._buffer = self._buffer[at + len(self._delimiter) :]

    def _at_close(self) -> bool:
        """Tell whether the delimiter just read was the last one (it has two dashes behind it)."""
        while len(self._buffer) < len(b"--"):
            self._more()
        return self._buffer.startswith(b"--")

    def _part_name(self) -> str:
        """Read a part's header fields; the file's name, else the field's."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > PART_HEAD_LIMIT_BYTES:
                raise BadForm("a part's header fields are too long")
            self._more()
        head = self._buffer[:end].decode("utf-8", "replace")
        self._buffer = self._buffer[end + len(b"\r\n\r\n") :]
        for line in head.split("\r\n"):
            name, _, value = line.partition(":")
            if name.strip().lower() == "content-disposition":
                fields = Message()
                fields["Content-Disposition"] = value.strip().replace("\n", " ")
                label = fields.get_filename() or fields.get_param(
                    "name", header="content-disposition"
                )
                return str(label) if label else "(no name)"
        return "(no name)"
