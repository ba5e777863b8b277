"""Ids of requests: one that a trusted front has given, or one of our own.

Asked for only where somebody looks at them, so that all others pay nothing; see ADR 0016.
"""

from __future__ import annotations

import random
import re
from typing import Any

from canter.engine.contract import AroundCalls
from canter.protocol.trust import TrustPolicy
from canter.wsgi.exchange import Application, Exchange

KEY = "canter.request_id"
_HEADER = "HTTP_X_REQUEST_ID"
# What may be passed on: printable, and not so long that logs drown in it.
_FIT = re.compile(r"[!#-\[\]-~]{1,128}").fullmatch
_KNOWN_PEERS = 1024


class RequestIds:
    """Gives each request its id before the application is called. inner: what else runs then."""

    def __init__(self, trust: TrustPolicy, inner: AroundCalls | None) -> None:
        self._trust = trust
        self._inner = inner
        # Of its own: an application may seed the one that all share.
        self._bits = random.Random().getrandbits  # noqa: S311 - it tells requests apart, no more
        self._peers: dict[str, bool] = {}

    def run(self, application: Application, exchange: Exchange) -> None:
        """Call the application; raises nothing."""
        environ = exchange.environ
        given = environ.get(_HEADER)
        if given is None or not self._believes(environ) or _FIT(given) is None:
            given = f"{self._bits(128):032x}"
        environ[KEY] = environ[_HEADER] = given
        if self._inner is None:
            exchange.run(application)
        else:
            self._inner.run(application, exchange)

    def _believes(self, environ: dict[str, Any]) -> bool:
        peer = environ.get("REMOTE_ADDR", "")
        known = self._peers.get(peer)
        if known is None:
            if len(self._peers) >= _KNOWN_PEERS:
                self._peers.clear()
            known = self._peers[peer] = self._trust.trusts(peer or None)
        return known
