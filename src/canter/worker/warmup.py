"""Warm-up: requests that the application answers before its worker says that it is ready.

They are whole requests, read by the reader and run by the exchange as any other; only there is no
client. What a first request is slow at (imports, templates, connections) is done then before
anybody waits for it, and a deploy that cannot answer is found out while the old one still serves.
"""

from __future__ import annotations

import io
import logging
import threading
import traceback
from collections.abc import Iterable
from typing import Any

from canter.errors import BootError
from canter.protocol.faults import Fault
from canter.protocol.http1.reader import Reader
from canter.protocol.limits import Leniency, Limits
from canter.protocol.request import Request
from canter.protocol.writer import ResponseWriter
from canter.worker.task import WorkerTask
from canter.wsgi.environ import base_environ
from canter.wsgi.errors import ErrorStream
from canter.wsgi.exchange import Application, Ending, Exchange, Sink

_HTTP_PORT = "80"
_FAILING = 500
"""Statuses from here on say that the application cannot do its work."""
_DOUBTFUL = 400
"""And from here on that little was warmed by it."""
_LOCAL = "127.0.0.1"


class _Discarding(Sink):
    """A client that takes everything and is not there."""

    def send(self, data: bytes) -> None:
        """Take it."""

    def stream(self, data: bytes) -> None:
        """Take it."""

    def open_file(self, filelike: Any) -> tuple[int, int, int] | None:
        """Files are read as any iterable is."""

    def send_file(self, head: bytes, descriptor: int, offset: int, count: int) -> None:
        """No file was opened."""

    def close_file(self, descriptor: int) -> None:
        """No file was opened."""

    def date_line(self) -> bytes:
        """Nobody reads it."""
        return b""

    def settle(self, writer: ResponseWriter) -> None:
        """The request has no body."""


def warm_up(application: Application, task: WorkerTask) -> None:
    """Have each path of the settings answered, in order. Raises BootError for the first that fails.

    In a thread of its own: what the application keeps for a thread is gone with it.
    """
    warming = _WarmUp(application, task)
    thread = threading.Thread(target=warming.run, args=(task.settings.warmup,), name="warm-up")
    thread.start()
    thread.join()
    if warming.failure is not None:
        raise warming.failure


class _WarmUp:
    """The requests of one worker; `failure` is what was wrong with the last."""

    def __init__(self, application: Application, task: WorkerTask) -> None:
        self.failure: BootError | None = None
        self._application = application
        self._log = task.log.logger
        listener = next(iter(task.listeners), None)
        self._base = base_environ(
            server_name="localhost" if listener is None else listener.server_name,
            server_port=_HTTP_PORT if listener is None else listener.server_port,
            multithread=task.settings.threads > 1 or task.settings.worker_class == "gevent",
            multiprocess=task.multiprocess,
            script_name=task.settings.script_name or "",
            errors=ErrorStream(self._log.error),
        )

    def run(self, paths: Iterable[str]) -> None:
        """Have each path answered, up to the first that fails."""
        try:
            for path in paths:
                self._answer(path)
        except BootError as failure:
            self.failure = failure

    def _answer(self, path: str) -> None:
        reader = Reader(Limits(), Leniency())
        request = self._ask(reader, path)
        exchange = Exchange(request.environ, _Discarding(), reader.answer(request, False))
        exchange.run(self._application)
        for remark in exchange.remarks or ():
            self._log.warning("warm-up of %s: %s", path, remark)
        problem = exchange.problem
        if problem is not None:
            what = traceback.format_exception_only(problem)[-1].strip()
            raise BootError(f"the warm-up request for {path} failed: {what}") from problem
        status = "nothing" if exchange.head is None else exchange.head.status
        if exchange.ending is not Ending.OK or exchange.code >= _FAILING:
            raise BootError(f"the warm-up request for {path} was answered with {status}")
        level = logging.WARNING if exchange.code >= _DOUBTFUL else logging.DEBUG
        self._log.log(level, "the warm-up request for %s was answered with %s", path, status)

    def _ask(self, reader: Reader, path: str) -> Request:
        """A request for `path`, as if it had come from this machine. Raises BootError."""
        name, port = self._base["SERVER_NAME"], self._base["SERVER_PORT"]
        host = f"[{name}]" if ":" in name else name
        if port != _HTTP_PORT:
            host = f"{host}:{port}"
        reader.feed(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: canter-warmup\r\n"
            "Connection: close\r\n\r\n".encode("latin-1", "replace")
        )
        try:
            request = reader.next_request(self._base)
        except Fault as fault:
            raise BootError(f"the warm-up request for {path} cannot be made: {fault}") from None
        assert request is not None
        request.environ["REMOTE_ADDR"] = _LOCAL
        request.environ["wsgi.input"] = io.BytesIO()
        request.environ["wsgi.early_hints"] = lambda _fields: None
        request.environ["canter.client_disconnected"] = lambda: False
        return request
