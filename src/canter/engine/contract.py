"""What a worker hands to an engine, and what an engine tells it."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import Protocol

from canter.engine.answers import Responder
from canter.engine.spool import Budget
from canter.net.certificates import Keyring
from canter.protocol.http2.limits import Http2Limits
from canter.protocol.limits import Leniency, Limits
from canter.protocol.peers import LOOPBACK, Peers
from canter.protocol.proxy.reader import Mode as ProxyMode
from canter.protocol.trust import TrustPolicy
from canter.wsgi.exchange import Application, Exchange


class BodyMode(enum.Enum):
    """When the application is called: with the whole body at hand, or while it arrives."""

    BUFFER = "buffer"
    STREAM = "stream"


class EngineEvent(enum.Enum):
    """What an engine tells its worker, from one of its own threads.

    MAX_REQUESTS: it has served its share; it asks to be replaced and goes on serving meanwhile.
    FINISHED: it was drained or stopped and holds no connection any more.
    """

    MAX_REQUESTS = "max-requests"
    FINISHED = "finished"


class AroundCalls(Protocol):
    """What somebody wants to happen before and after each call of the application."""

    def run(self, application: Application, exchange: Exchange) -> None:
        """Have `exchange` run the application; in the thread of the request. Raises nothing."""


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """An engine's part of the settings. Times in seconds, sizes in bytes; 0 requests = no limit.

    queue_timeout_seconds: what waited this long for a thread is answered 503; 0 = never.
    soft_timeout_seconds: what runs this long is interrupted by an exception; 0 = never.
    slow_request_seconds: what runs this long is told in the log, with its stack; 0 = never.
    max_queue: more waiting requests than that are answered 503 at once; 0 = no limit.
    responders: asked in this order before a request waits for the application.
    body_memory_bytes: what a body may take of memory; body_budget: what all of them may, and have.
    keyring: the contexts of new TLS connections; None where all is plain. http2: what connections
    of HTTP/2 may have; None where it is not spoken.
    protocol: what is spoken on listeners whose address names nothing else. gateway_peers: who may
    speak the formats that tell who the client is (uwsgi, FastCGI, SCGI). proxy_mode: whether the
    PROXY protocol is read ahead of connections; proxy_peers: from whom.
    """

    threads: int = 1
    worker_connections: int = 1000
    header_timeout_seconds: float = 10.0
    body_timeout_seconds: float = 30.0
    send_timeout_seconds: float = 60.0
    keep_alive_seconds: float = 75.0
    linger_seconds: float = 2.0
    request_body: BodyMode = BodyMode.BUFFER
    body_memory_bytes: int = 1024 * 1024
    body_budget: Budget = field(default_factory=Budget)
    spool_directory: str | None = None
    sendfile: bool = True
    high_water_bytes: int = 256 * 1024
    max_requests: int = 0
    queue_timeout_seconds: float = 0.0
    max_queue: int = 0
    soft_timeout_seconds: float = 0.0
    slow_request_seconds: float = 0.0
    multiprocess: bool = False
    script_name: str = ""
    responders: tuple[Responder, ...] = ()
    limits: Limits = field(default_factory=Limits)
    leniency: Leniency = field(default_factory=Leniency)
    trust: TrustPolicy = field(default_factory=TrustPolicy)
    keyring: Keyring | None = None
    http2: Http2Limits | None = None
    protocol: str = "http"
    gateway_peers: Peers = LOOPBACK
    proxy_mode: ProxyMode = ProxyMode.OFF
    proxy_peers: Peers = LOOPBACK
