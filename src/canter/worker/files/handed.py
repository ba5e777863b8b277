"""Files that an application hands over: X-Sendfile and X-Accel-Redirect, see docs/static.md.

Middleware around the application, so that whatever is sent goes through PEP 3333 like the rest. Its
head is kept, its body is dropped, and the file is what the client asked for.
"""

from __future__ import annotations

import io
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from canter.protocol.files.media_types import media_type
from canter.protocol.files.paths import file_names, names_below
from canter.protocol.files.ranges import Span
from canter.protocol.files.reply import NOT_FOUND, FileFacts, Reply, reply_to, text_reply, whole
from canter.worker.files.opening import OpenFile, open_below
from canter.worker.files.static import make_boundary
from canter.wsgi.exchange import Application
from canter.wsgi.file_wrapper import FileWrapper

_Headers = list[tuple[str, str]]

_NAMES = {"x-sendfile": "X-Sendfile", "x-accel-redirect": "X-Accel-Redirect"}
_BLOCK_BYTES = 64 * 1024
_MISTAKE = text_reply("500 Internal Server Error")
# Of the application's head: what is said of a body that is not sent.
_OF_THE_BODY = frozenset(
    {
        "accept-ranges",
        "content-encoding",
        "content-length",
        "content-range",
        "etag",
        "last-modified",
    }
)
_OF_THE_FILE = frozenset({"content-disposition", "content-type"})


class _Handed(NamedTuple):
    """What an application said instead of a body. name: of the header that names the file."""

    status: str
    headers: _Headers
    name: str
    value: str


class HandedFiles:
    """The application, with files sent in its name.

    roots: directories by the prefix that X-Accel-Redirect knows them by; X-Sendfile names a file
    below one of them by its absolute path.
    """

    def __init__(
        self, application: Application, roots: Mapping[str, str], log: logging.Logger
    ) -> None:
        self._application = application
        self._log = log
        self._roots = tuple(
            (os.fsencode(prefix.rstrip("/")) + b"/", os.fsencode(os.path.abspath(directory)))
            for prefix, directory in sorted(roots.items(), key=lambda it: -len(it[0]))
        )

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """PEP 3333's application."""
        call = _Call(start_response)
        result = self._application(environ, call)
        if not call.started:
            # A generator: it has called start_response when it gives its first block.
            result = _begun(result)
        if call.handed is None:
            return result
        handed = call.handed
        close = getattr(result, "close", None)
        if close is not None:
            close()
        file, reply = self._reply(environ, handed)
        try:
            kept = _OF_THE_BODY if reply.status[0] == "2" else _OF_THE_BODY | _OF_THE_FILE
            told = {name.lower() for name, _ in reply.fields}
            fields = [it for it in handed.headers if it[0].lower() not in kept | told]
            fields += reply.fields
            if not reply.status.startswith("304"):
                fields.append(("Content-Length", str(reply.length)))
            start_response(reply.status, fields)
        except BaseException:
            if file is not None:
                os.close(file.descriptor)
            raise
        return _body(file, reply)

    def _reply(self, environ: dict[str, Any], handed: _Handed) -> tuple[OpenFile | None, Reply]:
        """The file, and what of it is to be sent; or no file, and what is wrong."""
        place = self._place(handed)
        if place is None:
            self._tell(environ, handed, "which is below none of sendfile_roots, or hidden")
            return None, _MISTAKE
        directory, names = place
        try:
            file = open_below(directory, names)
        except OSError as error:
            self._tell(environ, handed, f"which cannot be read: {error.strerror}")
            return None, _MISTAKE
        if file is None:
            self._tell(environ, handed, "which is no file there")
            return None, NOT_FOUND
        said = next((v for n, v in handed.headers if n.lower() == "content-type" and v), None)
        facts = FileFacts(file.size, file.modified_ns, said or media_type(names[-1]))
        if handed.status.startswith("200") and environ["REQUEST_METHOD"] in {"GET", "HEAD"}:
            return file, reply_to(environ, facts, int(time.time()), make_boundary)
        return file, whole(facts, status=handed.status)

    def _place(self, handed: _Handed) -> tuple[bytes, tuple[bytes, ...]] | None:
        """The directory and the names from there on that a header means."""
        try:
            value = handed.value.encode("latin-1")
        except UnicodeEncodeError:
            return None
        if handed.name == "X-Sendfile":
            path = os.path.normpath(value) if value else b""
            for _, directory in self._roots:
                for base in (directory, os.path.realpath(directory)):
                    names = names_below(base, path)
                    if names is not None:
                        return base, names
            return None
        path = unquote_to_bytes(value.partition(b"?")[0])
        for stem, directory in self._roots:
            if path.startswith(stem):
                names = file_names(path[len(stem) :])
                return None if names is None else (directory, names)
        return None

    def _tell(self, environ: dict[str, Any], handed: _Handed, what: str) -> None:
        asked = f"{environ['REQUEST_METHOD']} {environ.get('RAW_URI', '')}"
        self._log.error("%s: %s names %r, %s", asked, handed.name, handed.value, what)


class _Call:
    """The start_response that the application gets. handed: a file that it has named."""

    __slots__ = ("_start_response", "handed", "started")

    def __init__(self, start_response: Callable[..., Any]) -> None:
        self._start_response = start_response
        self.started = False
        self.handed: _Handed | None = None

    def __call__(self, status: str, headers: _Headers, exc_info: Any = None) -> Any:
        if self.handed is not None and exc_info is None:
            raise RuntimeError("start_response was called a second time without exc_info")
        self.started = True
        if type(headers) is not list:
            try:
                headers = list(headers)  # it is read twice
            except TypeError:
                pass  # whoever judges it says so
        self.handed = _handed(status, headers)
        if self.handed is not None:
            return _drop
        if exc_info is None:
            return self._start_response(status, headers)
        try:
            return self._start_response(status, headers, exc_info)
        finally:
            exc_info = None  # breaks the reference cycle, as the PEP asks


def _handed(status: str, headers: Any) -> _Handed | None:
    """The file that a head names; None for one that names none, or is for the server to judge."""
    try:
        fields = [(str.__str__(name), str.__str__(value)) for name, value in headers]
    except (TypeError, ValueError):
        return None
    named = [(_NAMES[name.lower()], value) for name, value in fields if name.lower() in _NAMES]
    if not named or not isinstance(status, str):
        return None
    rest = [field for field in fields if field[0].lower() not in _NAMES]
    return _Handed(status, rest, *named[0])


def _drop(block: bytes) -> None:
    """PEP 3333's write callable of a response whose body is a file."""
    del block


class _Begun:
    """An iterable whose first block was asked for already."""

    def __init__(self, first: bytes, rest: Iterator[bytes], whole: Any) -> None:
        self._first: bytes | None = first
        self._rest = rest
        if hasattr(whole, "close"):
            self.close: Callable[[], object] = whole.close

    def __iter__(self) -> _Begun:
        return self

    def __next__(self) -> bytes:
        first, self._first = self._first, None
        return next(self._rest) if first is None else first


def _begun(blocks: Iterable[bytes]) -> Iterable[bytes]:
    try:
        rest = iter(blocks)
        return _Begun(next(rest, b""), rest, blocks)
    except BaseException:
        close = getattr(blocks, "close", None)
        if close is not None:
            close()
        raise


class _Parts:
    """The body of several stretches, read in the thread of the request."""

    def __init__(self, file: io.FileIO, parts: tuple[bytes | Span, ...]) -> None:
        self._blocks = _blocks(file.fileno(), parts)
        self.close = file.close

    def __iter__(self) -> Iterator[bytes]:
        return self._blocks


def _blocks(descriptor: int, parts: tuple[bytes | Span, ...]) -> Iterator[bytes]:
    for part in parts:
        if isinstance(part, bytes):
            yield part
            continue
        offset, left = part
        while left and (block := os.pread(descriptor, min(left, _BLOCK_BYTES), offset)):
            yield block
            offset += len(block)
            left -= len(block)
        if left:
            return  # the file is shorter than it was: the server sees that bytes are missing


def _body(file: OpenFile | None, reply: Reply) -> Iterable[bytes]:
    """The parts of a reply, by the kernel where there is one stretch; the file is closed then."""
    spans = [part for part in reply.parts if isinstance(part, Span)]
    if file is None or not spans:
        if file is not None:
            os.close(file.descriptor)
        return [part for part in reply.parts if isinstance(part, bytes)]
    opened = io.FileIO(file.descriptor)
    if len(reply.parts) > 1:
        return _Parts(opened, reply.parts)
    opened.seek(spans[0].offset)
    return FileWrapper(opened, _BLOCK_BYTES, spans[0].length)
