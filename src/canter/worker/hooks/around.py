"""`pre_request` and `post_request`: what runs before and after each call of the application."""

from __future__ import annotations

import logging
from typing import Any

from canter.errors import CanterError
from canter.worker.hooks.calling import Hooks, told
from canter.worker.hooks.views import WorkerView
from canter.wsgi.exchange import Application, Exchange


class RequestView:
    """`req`, made from the environ; what a hook does to `headers` reaches the environ."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ
        self._headers: list[tuple[str, str]] | None = None
        self._before: list[tuple[str, str]] = []

    @property
    def method(self) -> str:
        """The method."""
        return str(self._environ.get("REQUEST_METHOD", ""))

    @property
    def uri(self) -> str:
        """The target as it was received."""
        return str(self._environ.get("RAW_URI", ""))

    @property
    def path(self) -> str:
        """The target's path, not decoded."""
        return self.uri.partition("?")[0].partition("#")[0]

    @property
    def query(self) -> str:
        """What follows the question mark."""
        return str(self._environ.get("QUERY_STRING", ""))

    @property
    def fragment(self) -> str:
        """What follows a `#`."""
        return self.uri.partition("#")[2]

    @property
    def version(self) -> tuple[int, int]:
        """The protocol's version."""
        major, _, minor = self._environ.get("SERVER_PROTOCOL", "HTTP/1.1")[5:].partition(".")
        return int(major or 1), int(minor or 0)

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return str(self._environ.get("wsgi.url_scheme", "http"))

    @property
    def body(self) -> Any:
        """The body as a file; the application reads the same one."""
        return self._environ.get("wsgi.input")

    @property
    def trailers(self) -> list[tuple[str, str]]:
        """Canter passes none on."""
        return []

    @property
    def remote_addr(self) -> tuple[str, int] | str:
        """The client: address and port, "" for a unix socket."""
        host = self._environ.get("REMOTE_ADDR", "")
        return (host, int(self._environ.get("REMOTE_PORT", 0) or 0)) if host else ""

    peer_addr = remote_addr

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The header fields: names in capital letters, and values."""
        if self._headers is None:
            self._headers = _header_fields(self._environ)
            self._before = list(self._headers)
        return self._headers

    @headers.setter
    def headers(self, fields: list[tuple[str, str]]) -> None:
        self._before = list(self.headers)
        self._headers = fields

    def pass_on(self) -> None:
        """Bring what a hook did to the headers into the environ."""
        fields = self._headers
        if fields is None or fields == self._before:
            return
        environ = self._environ
        for name, _ in self._before:
            environ.pop(_key(name), None)
        for name, value in fields:
            key = _key(name)
            environ[key] = f"{environ[key]},{value}" if key in environ else value


class ResponseView:
    """`resp`: what was answered."""

    def __init__(self, exchange: Exchange) -> None:
        head = exchange.head
        self.status = head.status if head is not None else ""
        self.status_code = exchange.code
        self.headers = list(exchange.fields)
        self.sent = exchange.body_bytes
        self.response_length = head.content_length if head and head.content_length >= 0 else None
        self.headers_sent = exchange.code != 0
        self.must_close = not exchange.writer.keep_alive
        self.upgrade = False

    def should_close(self) -> bool:
        """Whether the connection ends with this answer."""
        return self.must_close

    def is_chunked(self) -> bool:
        """Whether the answer had no length."""
        return self.response_length is None


class RequestHooks:
    """Runs them around a call; in the thread of the request."""

    def __init__(self, hooks: Hooks, worker: WorkerView, log: logging.Logger) -> None:
        self._before, _ = hooks.find_quietly("pre_request", 2, 2)
        self._after, self._count = hooks.find_quietly("post_request", 4, 2)
        self._worker = worker
        self._log = log

    @property
    def has_any(self) -> bool:
        """Whether there is one at all."""
        return self._before is not None or self._after is not None

    def run(self, application: Application, exchange: Exchange) -> None:
        """Call the application and the hooks; raises nothing."""
        request = RequestView(exchange.environ)
        before = self._before
        if before is None:
            exchange.run(application)
        else:

            def called(environ: dict[str, Any], start_response: Any) -> Any:
                try:
                    before(self._worker, request)
                    request.pass_on()
                except BaseException as error:
                    # As Gunicorn: a request that the hook could not prepare is not served.
                    raise HookFailed(f"the hook pre_request failed: {told(error)}") from error
                return application(environ, start_response)

            exchange.run(called)
        if self._after is not None:
            self._tell_after(exchange, request)

    def _tell_after(self, exchange: Exchange, request: RequestView) -> None:
        assert self._after is not None
        arguments = (self._worker, request, exchange.environ, ResponseView(exchange))
        try:
            self._after(*arguments[: self._count])
        except BaseException as error:  # noqa: BLE001 - somebody else's code; the answer is out
            self._log.error("the hook post_request failed: %s", told(error), exc_info=error)


class HookFailed(CanterError):
    """A hook before a request raised; the request is answered with 500."""


def _header_fields(environ: dict[str, Any]) -> list[tuple[str, str]]:
    fields = []
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            fields.append((key[5:].replace("_", "-"), value))
        elif key in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value:
            fields.append((key.replace("_", "-"), value))
    return fields


def _key(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
