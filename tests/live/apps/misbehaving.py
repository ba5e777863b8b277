"""WSGI applications that break PEP 3333 or themselves, each named by what it does wrong.

`application` dispatches on the path, as in `plain`, so `/raises_before_head` calls that function.
The types are wrong on purpose, so they say `Any`.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from typing import Any

from tests.live.apps import plain

TEXT = [("Content-Type", "text/plain")]


def raises_before_head(environ: Any, start_response: Any) -> Any:
    raise RuntimeError("broken before the head")


def raises_after_start_response(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", TEXT)
    raise RuntimeError("broken after start_response, before the head was sent")


def raises_at_the_first_block(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", TEXT)

    return (1 // 0 for _ in range(1))


def raises_in_the_middle(environ: Any, start_response: Any) -> Any:
    """The head and a block are on their way when it breaks: chunked, or under a length."""
    headers = list(TEXT)
    if plain.asked(environ, "declare"):
        headers.append(("Content-Length", "1000"))
    start_response("200 OK", headers)

    def body() -> Iterator[bytes]:
        yield b"the first part"
        raise RuntimeError("broken in the middle")

    return body()


def raises_in_close(environ: Any, start_response: Any) -> Any:
    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"all of it"])

        def close(self) -> None:
            raise RuntimeError("broken in close")

    start_response("200 OK", TEXT)
    return Body()


def sends_less_than_declared(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [*TEXT, ("Content-Length", "100")])
    return [b"short"]


def sends_more_than_declared(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [*TEXT, ("Content-Length", "5")])
    return [b"abc", b"defgh"]


def never_starts(environ: Any, start_response: Any) -> Any:
    return [b"no head was given"]


def starts_twice(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", TEXT)
    start_response("201 Created", TEXT)
    return [b"two heads"]


def replaces_a_sent_head(environ: Any, start_response: Any) -> Any:
    """Calls start_response with exc_info when bytes are already out: it must raise them."""
    write = start_response("200 OK", TEXT)
    write(b"x" * 100_000)
    try:
        raise RuntimeError("too late to change the head")
    except RuntimeError:
        start_response("500 Sorry", TEXT, sys.exc_info())
    return [b"never reached"]


def returns_nothing(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", TEXT)


def returns_text(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", TEXT)
    return ["not bytes"]


def status_is_bytes(environ: Any, start_response: Any) -> Any:
    start_response(b"200 OK", TEXT)
    return [b""]


def status_is_a_number(environ: Any, start_response: Any) -> Any:
    start_response(200, TEXT)
    return [b""]


def status_has_a_newline(environ: Any, start_response: Any) -> Any:
    start_response("200 OK\r\nX-Injected: yes", TEXT)
    return [b""]


def header_is_a_number(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [*TEXT, ("X-Number", 7)])
    return [b""]


def header_has_a_newline(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [*TEXT, ("X-Split", "one\r\nX-Injected: yes")])
    return [b""]


def header_name_has_a_space(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [*TEXT, ("X Split", "one")])
    return [b""]


def header_has_a_nul(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [*TEXT, ("X-Nul", "a\0b")])
    return [b""]


def content_length_is_no_number(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [*TEXT, ("Content-Length", "five")])
    return [b"12345"]


def content_lengths_conflict(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [*TEXT, ("Content-Length", "5"), ("Content-Length", "6")])
    return [b"12345"]


def sends_hop_by_hop_headers(environ: Any, start_response: Any) -> Any:
    hops = [("Keep-Alive", "timeout=1"), ("Transfer-Encoding", "chunked"), ("Upgrade", "x")]
    start_response("200 OK", [*TEXT, *hops, ("X-Kept", "yes")])
    return [b"hops"]


def asks_to_close(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [*TEXT, ("Connection", "close")])
    return [b"closing"]


def header_is_not_latin_1(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", [*TEXT, ("X-Snow", "\N{SNOWMAN}")])
    return [b""]


def recurses(environ: Any, start_response: Any) -> Any:
    return recurses(environ, start_response)


def crashes_in_compiled_code(environ: Any, start_response: Any) -> Any:
    ctypes.string_at(0)


def ends_the_process(environ: Any, start_response: Any) -> Any:
    """What an exit deep in a library does to the worker."""
    os._exit(3)


def exits(environ: Any, start_response: Any) -> Any:
    raise SystemExit(3)


def interrupts(environ: Any, start_response: Any) -> Any:
    raise KeyboardInterrupt


def ends_like_a_generator(environ: Any, start_response: Any) -> Any:
    raise GeneratorExit


def exits_in_the_middle(environ: Any, start_response: Any) -> Any:
    start_response("200 OK", TEXT)

    def body() -> Iterator[bytes]:
        yield b"the first part"
        raise SystemExit(3)

    return body()


BEFORE_THE_HEAD = [
    raises_before_head,
    raises_after_start_response,
    raises_at_the_first_block,
    never_starts,
    starts_twice,
    returns_nothing,
    returns_text,
    status_is_bytes,
    status_is_a_number,
    status_has_a_newline,
    header_is_a_number,
    header_has_a_newline,
    header_name_has_a_space,
    header_has_a_nul,
    content_length_is_no_number,
    content_lengths_conflict,
    header_is_not_latin_1,
    recurses,
    exits,
    interrupts,
    ends_like_a_generator,
]
"""What fails while a whole answer of 500 can still be given."""


def application(environ: Any, start_response: Any) -> Any:
    """Calls the application that the path names, or the well-behaved ones of `plain`."""
    chosen = globals().get(environ["PATH_INFO"].strip("/"))
    if not callable(chosen) or chosen is application:
        return plain.application(environ, start_response)
    return chosen(environ, start_response)
