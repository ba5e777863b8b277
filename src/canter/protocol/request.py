"""One request as the engine and the WSGI layer see it, whatever wire format it came in.

Compiled where a compiler is at hand (`request.pxd`); the same source either way.
"""

from __future__ import annotations

from typing import Any, Final

#: `Request.body_length` of a body whose length its end will tell.
CHUNKED: Final = -1


class Request:
    """A request head that was judged; its body is still to be read from the reader.

    environ: the base dict's copy with REQUEST_METHOD, PATH_INFO, QUERY_STRING, RAW_URI,
        REQUEST_URI, SERVER_PROTOCOL, SCRIPT_NAME, HTTP_*, CONTENT_TYPE and CONTENT_LENGTH, as
        PEP 3333 wants them (latin-1 strings; PATH_INFO without percent-encoding).
    method: as the application sees it.
    target: the request target as sent.
    http_10: the peer speaks HTTP/1.0 (no chunked response, no interim response).
    keep_alive: another request may follow on the connection.
    body_length: 0 for none, above 0 for exactly that, CHUNKED for as long as it lasts.
    expect_continue: the peer waits for 100 (Continue) before it sends the body.
    names_client: REMOTE_ADDR, and REMOTE_PORT if it is known, are in the environ already: the peer
        speaks for somebody.
    upgrade: the peer asks for another protocol on this connection (RFC 9110 section 7.8).
    """

    __slots__ = (
        "body_length",
        "environ",
        "expect_continue",
        "http_10",
        "keep_alive",
        "method",
        "names_client",
        "target",
        "upgrade",
    )

    environ: dict[str, Any]
    method: str
    target: str
    http_10: bool
    keep_alive: bool
    body_length: int
    expect_continue: bool
    names_client: bool
    upgrade: bool
