"""Health checks, answered by the loop: they work while every thread is busy or stuck.

Below one prefix, with the names that Kubernetes gave them:

- `livez`: the process reacts. It never says no; a worker whose loop has stopped does not answer.
- `readyz`: send requests here. It says 503 once the service is going to end, and while the
  application's own check fails. The prefix itself answers as this does.
- `startupz`: the application is loaded. Before that nobody answers.
"""

from __future__ import annotations

from collections.abc import Callable

from canter.engine.answers import Answer
from canter.protocol.request import Request
from canter.worker.checkup import Verdict

# What answers for the state of this moment must not be kept by anybody on the way.
_FIELDS = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"))
_OK = Answer("200 OK", _FIELDS, (b"ok\n",))
_LEAVING = Answer("503 Service Unavailable", _FIELDS, (b"leaving\n",))
_SAID = {
    verdict: Answer("503 Service Unavailable", _FIELDS, (text,))
    for verdict, text in (
        (Verdict.PENDING, b"the check has not ended yet\n"),
        (Verdict.FAILS, b"the check fails\n"),
        (Verdict.HANGS, b"the check hangs\n"),
    )
}
_WRONG_METHOD = Answer(
    "405 Method Not Allowed", (*_FIELDS, ("Allow", "GET, HEAD")), (b"use GET\n",)
)
_METHODS = ("GET", "HEAD")


class Health:
    """The responder for health checks.

    prefix: such as "/health" or "/". is_ready: whether load balancers should send requests here.
    check: what the application's own check has come to.
    """

    def __init__(
        self,
        prefix: str,
        is_ready: Callable[[], bool],
        check: Callable[[], Verdict] = lambda: Verdict.NOT_ASKED,
    ) -> None:
        stem = prefix.rstrip("/")
        self._always = frozenset({f"{stem}/livez", f"{stem}/startupz"})
        ready = {f"{stem}/readyz", stem} if stem else {"/readyz"}
        self._when_ready = frozenset(ready)
        self._is_ready = is_ready
        self._check = check

    def __call__(self, request: Request) -> Answer | None:
        """The answer to a health check; None for anything else."""
        path = request.environ["PATH_INFO"]
        if path in self._always:
            answer = _OK
        elif path in self._when_ready:
            answer = _SAID.get(self._check(), _OK) if self._is_ready() else _LEAVING
        else:
            return None
        return answer if request.method in _METHODS else _WRONG_METHOD
