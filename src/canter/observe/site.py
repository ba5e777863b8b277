"""What the observer serves: metrics, health and the status page, from snapshots.

A plain WSGI application that runs in a process of its own. The supervisor sends it a snapshot every
second (`take`); a request is answered from the last one and never waits for a worker, so that what
is shown is there when nothing else answers any more.

Which of the two sites a request is for stands in SERVER_NAME, which the observer's sockets set:
`metrics` (metrics and health) or `status` (the page, its data, and health).
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import resources
from typing import Any, Final, TypeAlias

from canter.observe.exposition import Exposition, workers_of
from canter.observe.placard import Placard

METRICS: Final = "metrics"
STATUS: Final = "status"
MOST_VIEWERS: Final = 6
"""Of the live page at once: each holds a thread of the observer."""
_SILENCE_SECONDS = 5.0

Respond: TypeAlias = Callable[[str, list[tuple[str, str]]], Any]
Page: TypeAlias = tuple[str, str, bytes]

_log = logging.getLogger("canter.error")
_PLAIN = "text/plain; charset=utf-8"
_JSON = "application/json"
_OK, _AWAY = "200 OK", "503 Service Unavailable"
_SAFE: Final = [
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    (
        "Content-Security-Policy",
        (
            "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
            "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
        ),
    ),
]


class Site:
    """The application. `make_exposition` is called at the first scrape, in the observer.

    placard: where the metrics are written as often as there are new ones, for workers to show.
    """

    def __init__(
        self, make_exposition: Callable[[], Exposition], placard: Placard | None = None
    ) -> None:
        self._placard = placard
        self._is_at_fault = False
        self._make_exposition = make_exposition
        self._exposition: Exposition | None = None
        self._scraping = threading.Lock()
        self._news = threading.Condition()
        self._number = 0
        self._text = ""
        self._snapshot: Mapping[str, Any] | None = None
        self._viewers = 0
        self._page = b""

    def take(self, text: str) -> None:
        """The newest snapshot, as JSON."""
        snapshot = json.loads(text)
        with self._news:
            self._text, self._snapshot = text, snapshot
            self._number += 1
            self._news.notify_all()
        if self._placard is not None:
            self._placard.write(self._figures())

    def __call__(self, environ: dict[str, Any], start_response: Respond) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return self._send(start_response, ("405 Method Not Allowed", _PLAIN, b"GET only\n"))
        path = environ.get("PATH_INFO", "")
        site = environ["SERVER_NAME"]
        health = _HEALTH.get(path)
        if health is not None:
            return self._send(start_response, health(self._snapshot))
        if site == METRICS and path in {"/metrics", "/"}:
            return self._send(start_response, self._scrape(environ.get("HTTP_ACCEPT", "")))
        if site == STATUS:
            if path == "/":
                return self._send(start_response, self._show())
            if path == "/status.json":
                return self._send(start_response, (_OK, _JSON, self._text.encode()))
            if path == "/events":
                return self._follow(start_response)
        return self._send(start_response, ("404 Not Found", _PLAIN, b"there is nothing here\n"))

    @staticmethod
    def _send(start_response: Respond, page: Page) -> list[bytes]:
        status, content_type, body = page
        start_response(
            status,
            [("Content-Type", content_type), ("Content-Length", str(len(body))), *_SAFE],
        )
        return [body]

    def _scrape(self, accept: str) -> Page:
        snapshot = self._snapshot
        if snapshot is None:
            return _AWAY, _PLAIN, b"there are no figures yet\n"
        # One at a time: a scrape is a few milliseconds of work, and scrapers may be many.
        with self._scraping:
            if self._exposition is None:
                self._exposition = self._make_exposition()
            content_type, body = self._exposition.render(snapshot, accept)
        return _OK, content_type, body

    def _figures(self) -> bytes:
        """The metrics as text, nothing where they cannot be made; a fault is told of once."""
        try:
            body = self._scrape("text/plain")[2]
        except Exception:  # noqa: BLE001 - the application's own files may hold anything
            if not self._is_at_fault:
                _log.exception("the metrics cannot be written")
            self._is_at_fault = True
            return b""
        self._is_at_fault = False
        return body

    def _show(self) -> Page:
        if not self._page:
            self._page = resources.files(__package__).joinpath("page.html").read_bytes()
        return _OK, "text/html; charset=utf-8", self._page

    # ------------------------------------------------------------------------------ the live page

    def _follow(self, start_response: Respond) -> Iterable[bytes]:
        """Snapshots as server-sent events, until the viewer leaves or the service ends."""
        with self._news:
            if self._viewers >= MOST_VIEWERS:
                full = b"enough others are looking; /status.json can be asked\n"
                return self._send(start_response, (_AWAY, _PLAIN, full))
            self._viewers += 1
        start_response(_OK, [("Content-Type", "text/event-stream"), *_SAFE])
        return _Events(self._events(), self._leave)

    def _events(self) -> Iterator[bytes]:
        seen = -1
        yield b"retry: 2000\n\n"
        while True:
            with self._news:
                if self._number == seen:
                    self._news.wait(_SILENCE_SECONDS)
                is_new, seen, text = self._number != seen, self._number, self._text
                is_over = self._snapshot is not None and self._snapshot["phase"] == "ended"
            # A comment keeps the connection alive, and tells when the viewer is gone.
            yield f"data: {text}\n\n".encode() if is_new and text else b": nothing new\n\n"
            if is_over:
                return

    def _leave(self) -> None:
        with self._news:
            self._viewers -= 1


class _Events:
    """An iterable whose close() is sure to be called by the server, also before the first item."""

    def __init__(self, events: Iterator[bytes], leave: Callable[[], None]) -> None:
        self._events = events
        self._leave = leave

    def __iter__(self) -> Iterator[bytes]:
        return self._events

    def close(self) -> None:
        """The viewer is gone."""
        self._leave()


# --------------------------------------------------------------------------------------- health


def _lives(snapshot: Mapping[str, Any] | None) -> Page:
    """The supervisor has told something, and not too long ago for this process to matter."""
    return (_OK, _PLAIN, b"alive\n") if snapshot is not None else (_AWAY, _PLAIN, b"starting\n")


def _is_ready(snapshot: Mapping[str, Any] | None) -> Page:
    """New requests are welcome: a worker serves, and the service does not end."""
    if snapshot is None or snapshot["phase"] == "starting":
        return _AWAY, _PLAIN, b"starting\n"
    if snapshot["phase"] != "running" or snapshot.get("leaves_soon"):
        return _AWAY, _PLAIN, b"stopping\n"
    serving = [it for it in workers_of(snapshot) if it["state"] == "serving"]
    if not serving:
        return _AWAY, _PLAIN, b"no worker serves\n"
    if not any(it["check"] in {"not_asked", "passes"} for it in serving):
        return _AWAY, _PLAIN, b"no worker's check passes\n"
    return _OK, _PLAIN, b"ready\n"


def _has_started(snapshot: Mapping[str, Any] | None) -> Page:
    """The first generation has been proven, whatever came afterwards."""
    if snapshot is None or snapshot["phase"] == "starting":
        return _AWAY, _PLAIN, b"starting\n"
    return _OK, _PLAIN, b"started\n"


_HEALTH: Final[dict[str, Callable[[Mapping[str, Any] | None], Page]]] = {
    "/livez": _lives,
    "/readyz": _is_ready,
    "/startupz": _has_started,
}
