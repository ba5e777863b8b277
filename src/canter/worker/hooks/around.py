"""`pre_request` and `post_request`: what runs before and after each call of the application."""

from __future__ import annotations

import logging
from typing import Any

from canter.errors import CanterError
from canter.observe.request_view import RequestView
from canter.worker.hooks.calling import Hooks, told
from canter.worker.hooks.views import WorkerView
from canter.wsgi.exchange import Application, Exchange


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
