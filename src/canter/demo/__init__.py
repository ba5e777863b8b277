"""The bundled demonstration: a plain WSGI application to see a server at work with.

    canter canter.demo:app

It shows each request as the application saw it and which worker and thread served it, and has a
slow path, a stream, an upload form, a large download and a failure to click on. It needs nothing
but the standard library and is not for the open network: it shows what it is sent, and anybody can
keep its threads busy.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import IO, TYPE_CHECKING
from urllib.parse import parse_qsl

from canter.demo import page, upload

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["app"]

SLOW_LIMIT_SECONDS = 60.0
STREAM_LIMIT_LINES = 1_000
STREAM_PAUSE_SECONDS = 0.2
DOWNLOAD_LIMIT_BYTES = 10 << 30
FILE_LIMIT_BYTES = 1 << 30
BLOCK = bytes(range(256)) * 256
"""64 KiB of every byte value: what downloads are made of."""

Headers = list[tuple[str, str]]


class Refusal(Exception):
    """A request that is answered with an error page; `headers` go with it."""

    def __init__(self, status: HTTPStatus, why: str, headers: Headers | None = None) -> None:
        super().__init__(why)
        self.status = status
        self.headers = headers or []


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Answer one request (PEP 3333)."""
    try:
        answer = _route(environ)
        headers, body = answer(environ)
        status = HTTPStatus.OK
    except Refusal as refusal:
        status = refusal.status
        headers, body = _html(page.error(environ, status, str(refusal)))
        headers += refusal.headers
    start_response(f"{status.value} {status.phrase}", headers)
    if environ["REQUEST_METHOD"] == "HEAD":
        _close(body)
        return []
    return body


Answer = Callable[["WSGIEnvironment"], tuple[Headers, Iterable[bytes]]]


def _route(environ: WSGIEnvironment) -> Answer:
    path = environ.get("PATH_INFO", "") or "/"
    answers = ROUTES.get(path)
    if answers is None:
        raise Refusal(HTTPStatus.NOT_FOUND, f"There is nothing at {path}")
    method = environ["REQUEST_METHOD"]
    answer = answers.get("GET" if method == "HEAD" else method)
    if answer is None:
        allowed = ", ".join([*answers, "HEAD"])
        raise Refusal(
            HTTPStatus.METHOD_NOT_ALLOWED,
            f"{path} does not take {method}, only {allowed}",
            [("Allow", allowed)],
        )
    return answer


def _home(environ: WSGIEnvironment) -> tuple[Headers, Iterable[bytes]]:
    return _html(page.home(environ))


def _slow(environ: WSGIEnvironment) -> tuple[Headers, Iterable[bytes]]:
    """Hold the thread for some seconds, as a slow database would."""
    seconds = _number(environ, "seconds", 2.0, SLOW_LIMIT_SECONDS)
    time.sleep(seconds)
    return _text(f"slept {seconds:g} s in {page.place()}\n")


def _stream(environ: WSGIEnvironment) -> tuple[Headers, Iterable[bytes]]:
    """One line after the other; without a Content-Length, so that HTTP/1.1 sends chunks."""
    lines = int(_number(environ, "lines", 25, STREAM_LIMIT_LINES))
    pause_seconds = _number(environ, "every", STREAM_PAUSE_SECONDS, SLOW_LIMIT_SECONDS)
    return _TEXT_HEADERS[:], _lines(lines, pause_seconds)


def _lines(lines: int, pause_seconds: float) -> Iterator[bytes]:
    started = time.monotonic()
    for number in range(1, lines + 1):
        passed_seconds = time.monotonic() - started
        yield f"line {number} of {lines} after {passed_seconds:.1f} s, {page.place()}\n".encode()
        if number < lines:
            time.sleep(pause_seconds)


def _upload_form(environ: WSGIEnvironment) -> tuple[Headers, Iterable[bytes]]:
    return _html(page.upload_form(environ))


def _upload(environ: WSGIEnvironment) -> tuple[Headers, Iterable[bytes]]:
    """Report size and digest of what was sent: a form's files, or the body as it is."""
    started = time.perf_counter()
    try:
        received = upload.receive(environ)
    except upload.BadForm as problem:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"This form cannot be read: {problem}") from problem
    seconds = time.perf_counter() - started
    if "text/html" in environ.get("HTTP_ACCEPT", ""):
        return _html(page.uploaded(environ, received, seconds))
    lines = [f"{part.size_bytes} {part.sha256} {part.name}\n" for part in received]
    lines.append(f"read in {seconds:.3f} s by {page.place()}\n")
    return _text("".join(lines))


def _download(environ: WSGIEnvironment) -> tuple[Headers, Iterable[bytes]]:
    """Many bytes: from a generator, or with `file=1` through wsgi.file_wrapper."""
    as_file = _query(environ).get("file", "") not in {"", "0"}
    size = _size(environ, "size", "10M" if as_file else "100M")
    limit = FILE_LIMIT_BYTES if as_file else DOWNLOAD_LIMIT_BYTES
    if size > limit:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"size may be {limit} bytes at most")
    headers = [
        ("Content-Type", "application/octet-stream"),
        ("Content-Disposition", 'attachment; filename="canter-demo.bin"'),
        ("Content-Length", str(size)),
    ]
    if not as_file:
        return headers, _blocks(size)
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - whoever sends it closes it
    for block in _blocks(size):
        file.write(block)
    file.seek(0)
    wrapper = environ.get("wsgi.file_wrapper")
    if wrapper is None:
        return headers, _file_blocks(file)
    body: Iterable[bytes] = wrapper(file, len(BLOCK))
    return headers, body


def _blocks(size_bytes: int) -> Iterator[bytes]:
    whole, rest = divmod(size_bytes, len(BLOCK))
    for _ in range(whole):
        yield BLOCK
    if rest:
        yield BLOCK[:rest]


def _file_blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while block := file.read(len(BLOCK)):
            yield block


def _error(environ: WSGIEnvironment) -> tuple[Headers, Iterable[bytes]]:
    raise RuntimeError(
        f"the demonstration raises, as {environ.get('PATH_INFO')} promises; the server goes on"
    )


def _headers(environ: WSGIEnvironment) -> tuple[Headers, Iterable[bytes]]:
    """The request's header fields, one a line, as the application got them."""
    fields = [
        f"{name}: {value}\n" for name, value in sorted(environ.items()) if name.startswith("HTTP_")
    ]
    fields += [
        f"{name}: {environ[name]}\n"
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH")
        if environ.get(name)
    ]
    return _text("".join(fields))


ROUTES: dict[str, dict[str, Answer]] = {
    "/": {"GET": _home},
    "/slow": {"GET": _slow},
    "/stream": {"GET": _stream},
    "/upload": {"GET": _upload_form, "POST": _upload},
    "/download": {"GET": _download},
    "/error": {"GET": _error},
    "/headers": {"GET": _headers},
}

_TEXT_HEADERS: Headers = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
]


def _text(text: str) -> tuple[Headers, Iterable[bytes]]:
    body = text.encode("utf-8")
    return [*_TEXT_HEADERS, ("Content-Length", str(len(body)))], [body]


def _html(text: str) -> tuple[Headers, Iterable[bytes]]:
    body = text.encode("utf-8", "backslashreplace")
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Content-Security-Policy", page.CONTENT_SECURITY_POLICY),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    return headers, [body]


def _query(environ: WSGIEnvironment) -> dict[str, str]:
    return dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))


def _number(environ: WSGIEnvironment, name: str, default: float, most: float) -> float:
    text = _query(environ).get(name)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise Refusal(HTTPStatus.BAD_REQUEST, f"{name} has to be a number from 0, not {text!r}")
    return min(number, most)


def _size(environ: WSGIEnvironment, name: str, default: str) -> int:
    text = _query(environ).get(name, default)
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    unit = units.get(text[-1:].upper(), 1)
    digits = text if unit == 1 else text[:-1]
    if not (digits.isascii() and digits.isdigit() and len(digits) < 16):
        raise Refusal(HTTPStatus.BAD_REQUEST, f"{name} has to be like 4096, 64K, 100M or 1G")
    return int(digits) * unit


def _close(body: Iterable[bytes]) -> None:
    close = getattr(body, "close", None)
    if close is not None:
        close()
