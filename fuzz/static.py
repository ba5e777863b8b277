"""Invariant: a request for a file gets stretches of a file below its directory, or a short answer.

An input is one byte, then parts between record separators (0x1e): the path below the prefix, then
Range, If-Range, Accept-Encoding, If-None-Match, If-Match, If-Modified-Since and
If-Unmodified-Since; a part that is empty is a field that is not there.

0. HEAD (the lowest bit), and a mount at "/" (the next one).

The path is also handed over, as by an application, in X-Sendfile and X-Accel-Redirect. What is
opened is looked up in /proc.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from canter.engine.answers import Answer, FileRange
from canter.protocol.request import Request
from canter.protocol.response import judge_response
from canter.worker.files.handed import HandedFiles
from canter.worker.files.static import StaticFiles

_PART = b"\x1e"
_HEAD, _ROOT = 1, 2
_FIELDS = (
    "RANGE",
    "IF_RANGE",
    "ACCEPT_ENCODING",
    "IF_NONE_MATCH",
    "IF_MATCH",
    "IF_MODIFIED_SINCE",
    "IF_UNMODIFIED_SINCE",
)
_SECRET = b"nobody may read this"
_CONTENT = b"0123456789" * 10
_STATUSES = {"200", "206", "304", "403", "404", "405", "412", "416"}
_LOG = logging.getLogger("fuzz.static")
_LOG.propagate = False
_LOG.addHandler(logging.NullHandler())


@cache
def tree() -> Path:
    """A directory `pub` with files and links, and secrets in it and beside it."""
    base = Path(tempfile.mkdtemp(prefix="canter-fuzz-")).resolve()
    atexit.register(shutil.rmtree, base, ignore_errors=True)
    pub = base / "pub"
    (pub / "a" / "b").mkdir(parents=True)
    (pub / ".git").mkdir()
    for secret in ("secret", "pub/.git/c", "pub/.env"):
        (base / secret).write_bytes(_SECRET)
    for name in ("c.css", "a/c", "a/b/c.png", "c.css.gz", "c.css.br"):
        (pub / name).write_bytes(_CONTENT)
    for name, target in {"in": "a", "up": "..", "out": "../secret", "g": ".git", "r": "/"}.items():
        (pub / name).symlink_to(target)
    return base


def check(data: bytes) -> None:
    """Answer one input; AssertionError, or what escaped, where the invariant breaks."""
    options = data[0] if data else 0
    path, *values = (part.decode("latin-1") for part in data[1:].split(_PART))
    method = "HEAD" if options & _HEAD else "GET"
    environ = {f"HTTP_{key}": v for key, v in zip(_FIELDS, values, strict=False) if v}
    environ["REQUEST_METHOD"] = method
    pub = tree() / "pub"
    before = _open_files()
    request = Request()
    request.method, request.target = method, path
    prefix = "/" if options & _ROOT else "/static"
    request.environ = environ | {"PATH_INFO": f"{prefix.rstrip('/')}/{path}"}
    answer = StaticFiles({prefix: str(pub)}, 60, _LOG)(request)
    assert answer is not None or prefix == "/", "below a prefix there is always an answer"
    if answer is not None:
        _check_answer(answer)
    for header, value in (("X-Sendfile", f"{pub}/{path}"), ("X-Accel-Redirect", f"/p/{path}")):
        _check_handed(environ, header, value)
    assert _open_files() == before, "descriptors are left"


def _check_answer(answer: Answer) -> None:
    assert answer.status[:3] in _STATUSES, answer.status
    judge_response(answer.status, list(answer.fields))
    total = 0
    for part in answer.content:
        if not isinstance(part, FileRange):
            continue
        _check_place(part.descriptor)
        size = os.fstat(part.descriptor).st_size
        assert 0 <= part.offset < part.offset + part.count <= size, part
        total += part.count
        assert total <= size, "more than the file"
        os.close(part.descriptor)


def _check_place(descriptor: int) -> None:
    place = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
    names = place.relative_to(tree() / "pub").parts  # ValueError where it lies elsewhere
    assert not any(name.startswith(".") for name in names), place


def _check_handed(environ: dict[str, Any], header: str, value: str) -> None:
    told: list[tuple[str, list[tuple[str, str]]]] = []

    def application(_: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "a/b"), (header, value)])
        return [_SECRET]

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        judge_response(status, headers)
        told.append((status, headers))

    found: Any = HandedFiles(application, {"/p": str(tree() / "pub")}, _LOG)(
        dict(environ), start_response
    )
    body = b"".join(found)
    if hasattr(found, "close"):
        found.close()
    ((status, headers),) = told
    assert status[:3] in _STATUSES | {"500"}, status
    assert _SECRET not in body, (status, body)
    assert not any(name.lower().startswith("x-") for name, _ in headers), headers
    if status[:3] != "304":
        assert dict(headers)["Content-Length"] == str(len(body)), (headers, len(body))


def _open_files() -> list[str]:
    return sorted(os.listdir("/proc/self/fd"))


def seeds() -> Iterator[bytes]:
    """Paths that mean something, and what may be asked of each."""
    paths = (
        *("c.css", "a/c", "a/b/c.png", "in/c", "in/b/c.png", "up/secret", "out", "g/c", "r/etc"),
        *("../secret", "a/../../secret", "..%2fsecret", "..\\secret", ".env", ".git/c", "a\0b", ""),
    )
    asked = (
        (),
        ("bytes=0-9",),
        ("bytes=5-",),
        ("bytes=-3,0-1,50-60",),
        ("bytes=0-,0-",),
        ("bytes=0-9", '"x"'),
        ("", "", "br, gzip;q=0.5, *;q=0"),
        ("", "", "", "*"),
        ("bytes=100-", "", "", 'W/"x"', '"x"'),
        ("", "", "", "", "", "Sun, 06 Nov 2094 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"),
    )
    for path in paths:
        for fields in asked:
            yield b"\0" + "\x1e".join((path, *fields)).encode("latin-1")
    for options in (1, 2, 3):
        yield bytes((options,)) + b"c.css\x1ebytes=0-1"
