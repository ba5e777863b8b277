"""A WSGI application that hands files over, in every way in which applications answer.

The query says what: `header` and `value` name the file, `status` is sent, `way` is how it is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tests.live.apps.plain import asked

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

BODY = b"this is not the file"


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    header = asked(environ, "header", "X-Sendfile")
    headers = [
        ("Content-Disposition", 'attachment; filename="report.pdf"'),
        (header, asked(environ, "value")),
        ("Set-Cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("ETag", '"of the body"'),
        ("Content-Length", str(len(BODY))),
    ]
    if kind := asked(environ, "kind"):
        headers.append(("Content-Type", kind))
    status = asked(environ, "status", "200 OK")
    way = asked(environ, "way", "list")
    if way == "generator":
        return generated(status, headers, start_response)
    if way == "fails":
        start_response(status, headers)
        raise RuntimeError("after it has named a file")
    write = start_response(status, headers)
    if way == "write":
        write(BODY)
        return []
    return [BODY]


def generated(
    status: str, headers: list[tuple[str, str]], start_response: StartResponse
) -> Iterator[bytes]:
    start_response(status, headers)
    yield BODY
    raise AssertionError("nobody wants a second block")
