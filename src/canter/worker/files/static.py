"""Static files, answered by the loop: the responder for `static`, see docs/static.md."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from canter.engine.answers import Answer, FileRange
from canter.observe.repeats import RepeatLimiter
from canter.protocol.files.codings import wanted_codings
from canter.protocol.files.media_types import may_have_variants, media_type
from canter.protocol.files.paths import file_names
from canter.protocol.files.reply import (
    FORBIDDEN,
    NOT_FOUND,
    UNAVAILABLE,
    WRONG_METHOD,
    FileFacts,
    Reply,
    reply_to,
)
from canter.protocol.request import Request
from canter.worker.files.opening import OpenFile, open_below

_METHODS = ("GET", "HEAD")


class _Mount(NamedTuple):
    """A directory and where it is in the paths of requests; `stem` ends with a slash."""

    stem: str
    directory: bytes


class StaticFiles:
    """The responder for files.

    mounts: directories by the path below which they are, such as "/static". What is not there is
    404 below a path, and the application's below "/". A path that lies below several belongs to
    the longest. max_age_seconds: of Cache-Control; 0 for none.
    """

    def __init__(
        self, mounts: Mapping[str, str], max_age_seconds: int, log: logging.Logger
    ) -> None:
        self._mounts = tuple(
            _Mount(_stem(prefix), os.fsencode(os.path.abspath(directory)))
            for prefix, directory in sorted(mounts.items(), key=lambda it: -len(it[0]))
        )
        fields = (("Cache-Control", f"max-age={max_age_seconds}"),) if max_age_seconds else ()
        self._fields: tuple[tuple[str, str], ...] = fields
        self._log = log
        self._repeats = RepeatLimiter()

    def __call__(self, request: Request) -> Answer | None:
        """The answer to a request for a file; None where it is for the application."""
        path: str = request.environ["PATH_INFO"]
        for stem, directory in self._mounts:
            if path.startswith(stem):
                return self._answer(request, stem, directory, path[len(stem) :])
            if path == stem[:-1] and path:
                return _plain(NOT_FOUND)
        return None

    def _answer(self, request: Request, stem: str, directory: bytes, rest: str) -> Answer | None:
        falls_through = stem == "/"
        if request.method not in _METHODS:
            return None if falls_through else _plain(WRONG_METHOD)
        names = file_names(rest.encode("latin-1"))
        absent = None if falls_through else _plain(NOT_FOUND)
        if names is None:
            return absent
        varies = may_have_variants(names[-1])
        accepted = request.environ.get("HTTP_ACCEPT_ENCODING", "") if varies else ""
        try:
            file = open_below(directory, names, wanted_codings(accepted))
            if file is None:
                return absent
            facts = FileFacts(
                file.size, file.modified_ns, media_type(names[-1]), file.coding, varies
            )
            now_seconds = int(time.time())
            reply = reply_to(request.environ, facts, now_seconds, make_boundary, self._fields)
            return Answer(reply.status, reply.fields, contents(file, reply.parts))
        except OSError as error:
            self._tell(request, error)
            return _plain(FORBIDDEN if isinstance(error, PermissionError) else UNAVAILABLE)

    def _tell(self, request: Request, error: OSError) -> None:
        """Why a file that is there cannot be sent; not for every request."""
        now_seconds = time.monotonic()
        for sentence in self._repeats.due(now_seconds):
            self._log.warning("static: %s", sentence)
        if self._repeats.admits(str(error.strerror), now_seconds):
            self._log.warning("static: %s: %s", request.target, error.strerror)


def make_boundary() -> str:
    """What stands between the parts of multipart/byteranges, and in no file."""
    return secrets.token_hex(16)


def contents(
    file: OpenFile, parts: Sequence[bytes | tuple[int, int]]
) -> tuple[bytes | FileRange, ...]:
    """The parts of a reply with a descriptor for each stretch; the file's own is used up.

    Raises OSError where there are no more descriptors; then all are closed.
    """
    content: list[bytes | FileRange] = []
    owned = [file.descriptor]
    try:
        for part in parts:
            if isinstance(part, bytes):
                content.append(part)
                continue
            if any(isinstance(made, FileRange) for made in content):
                owned.append(os.dup(file.descriptor))
            content.append(FileRange(owned[-1], *part))
    except OSError:
        for descriptor in owned:
            os.close(descriptor)
        raise
    if not any(isinstance(made, FileRange) for made in content):
        os.close(file.descriptor)
    return tuple(content)


def _stem(prefix: str) -> str:
    # Paths of requests are bytes, each of them a character (PEP 3333).
    return prefix.rstrip("/").encode().decode("latin-1") + "/"


def _plain(reply: Reply) -> Answer:
    return Answer(reply.status, reply.fields, tuple(p for p in reply.parts if isinstance(p, bytes)))
