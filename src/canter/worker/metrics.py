"""Metrics at a path of the main addresses, for peers that may see them.

The answer lies ready in shared memory, written by the observer once a second for the whole server:
whichever worker is asked gives the same, at once, also while all its threads are busy.
"""

from __future__ import annotations

from collections.abc import Callable

from canter.engine.answers import Answer
from canter.protocol.peers import Peers
from canter.protocol.request import Request

_PLAIN = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"))
_FIELDS = (
    ("Content-Type", "text/plain; version=0.0.4; charset=utf-8"),
    ("Cache-Control", "no-store"),
)
_NONE_YET = Answer("503 Service Unavailable", _PLAIN, (b"there are no figures\n",))
_WRONG_METHOD = Answer("405 Method Not Allowed", (*_PLAIN, ("Allow", "GET, HEAD")), (b"use GET\n",))
# A web server that passes requests on is a peer that may, and its clients are not.
_PASSED_ON = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")


class Metrics:
    """The responder for scrapes; for everybody else the path is the application's.

    read: gives the figures as text, empty where there are none.
    """

    def __init__(self, path: str, peers: Peers, read: Callable[[], bytes]) -> None:
        self._path = path
        self._peers = peers
        self._read = read

    def __call__(self, request: Request) -> Answer | None:
        """The answer to a scrape; None for anything else."""
        environ = request.environ
        if environ["PATH_INFO"] != self._path or any(name in environ for name in _PASSED_ON):
            return None
        if not self._peers.include(environ.get("REMOTE_ADDR") or None):
            return None
        if request.method not in {"GET", "HEAD"}:
            return _WRONG_METHOD
        text = self._read()
        return Answer("200 OK", _FIELDS, (text,)) if text else _NONE_YET
