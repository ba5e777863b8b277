"""What the access log is told of one request.

Compiled where a compiler is at hand (`access_entry.pxd`); the same source either way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from canter.observe.outcomes import Outcome


class AccessEntry:
    """What is known of one request at its end.

    `environ`       the request's environ, None when there never was one
    `request_line`  the line as received, used when there is no environ; "" if it was not whole
    `client`        the peer's address, "" for a unix socket
    `status`        the status sent, 0 when nothing was sent
    `headers`       the response's headers, or None
    `body_bytes`    body bytes of the response that were sent, without chunk framing
    `started_at`    when its first byte was read, in seconds since the epoch
    `queue_ns`      from the whole request to the start of the application's call
    `app_ns`        inside the application, iteration and close() included
    `total_ns`      from the first byte read to the last one sent
    `outcome`       how it ended

    `AccessLog.record` keeps nothing of it, so that one entry can be filled again and again.
    """

    __slots__ = (
        "app_ns",
        "body_bytes",
        "client",
        "environ",
        "headers",
        "outcome",
        "queue_ns",
        "request_line",
        "started_at",
        "status",
        "total_ns",
    )

    def __init__(  # noqa: PLR0913, PLR0917 - a record of eleven fields
        self,
        environ: dict[str, Any] | None = None,
        request_line: str = "",
        client: str = "",
        status: int = 0,
        headers: Iterable[tuple[str, str]] | None = None,
        body_bytes: int = 0,
        started_at: float = 0.0,
        queue_ns: int = 0,
        app_ns: int = 0,
        total_ns: int = 0,
        outcome: Outcome = Outcome.OK,
    ) -> None:
        self.environ = environ
        self.request_line = request_line
        self.client = client
        self.status = status
        self.headers = headers
        self.body_bytes = body_bytes
        self.started_at = started_at
        self.queue_ns = queue_ns
        self.app_ns = app_ns
        self.total_ns = total_ns
        self.outcome = outcome
