"""From settings to the records that the layers below take: the one place that knows both.

Lower layers never see the settings whole; what each needs is made here, once for each worker.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import logging
import random
from collections.abc import Callable, Iterable
from typing import Protocol

from canter.engine.answers import Responder
from canter.engine.contract import AroundCalls, BodyMode, EngineConfig, EngineEvent
from canter.engine.spool import Budget
from canter.engine.threaded.engine import ThreadedEngine
from canter.errors import CanterError
from canter.net.certificates import Keyring
from canter.observe.access import RequestLog
from canter.protocol.http2.limits import Http2Limits
from canter.protocol.limits import Leniency, Limits
from canter.protocol.peers import Peers
from canter.protocol.proxy.reader import Mode as ProxyMode
from canter.protocol.trust import TrustPolicy
from canter.settings import Settings
from canter.worker.checkup import CheckPlan, Checkup
from canter.worker.files.handed import HandedFiles
from canter.worker.files.static import StaticFiles
from canter.worker.health import Health
from canter.worker.loader import load_application
from canter.worker.metrics import Metrics
from canter.worker.request_ids import RequestIds
from canter.worker.task import Application, WorkerTask
from canter.worker.tracing import Tracing
from canter.worker.wear import WearGauge

# The largest bodies that may lie in a worker's memory at once, before any goes to disk.
_BODIES_IN_MEMORY = 64


class Engine(Protocol):
    """What a worker asks of an engine; its contract is told in `canter.engine`."""

    def start(self) -> None:
        """Start its threads and accept."""

    def drain(self, *, answer_backlog: bool) -> None:
        """Finish what runs, then send FINISHED."""

    def stop(self) -> None:
        """Close everything at once, then send FINISHED."""

    def expire(self, thread: int, started_ns: int) -> str | None:
        """End one request whose time is over; what it was, or None when it has ended before."""

    def stacks(self, only: int | None = None) -> str:
        """The Python stack of every thread that runs a request, or of one."""


def prepare_process(settings: Settings) -> None:
    """What an engine needs done before the application is imported. Raises BootError."""
    if settings.worker_class == "gevent":
        from canter.engine.gevent.patching import patch

        patch()


def make_engine(
    application: Application,
    task: WorkerTask,
    access: RequestLog | None,
    on_event: Callable[[EngineEvent], None],
    around: AroundCalls | None = None,
    checkup: Checkup | None = None,
) -> Engine:
    """The engine that the settings ask for, around `application`; not started."""
    config = dataclasses.replace(
        engine_config(task.settings, multiprocess=task.multiprocess, keyring=task.keyring),
        responders=make_responders(task, checkup),
    )
    if task.settings.sendfile_roots:
        application = HandedFiles(application, task.settings.sendfile_roots, task.log.logger)
    if task.settings.worker_class == "gevent":
        from canter.engine.gevent.engine import GeventEngine

        return GeventEngine(
            application,
            task.listeners,
            config,
            task.slot,
            access,
            task.log.logger,
            on_event,
            around,
        )
    return ThreadedEngine(
        application,
        task.listeners,
        config,
        task.slot,
        access,
        task.log.logger,
        on_event,
        task.siblings,
        around,
    )


def make_responders(task: WorkerTask, checkup: Checkup | None = None) -> tuple[Responder, ...]:
    """What is answered without the application, in the order in which it is asked."""
    settings, slot = task.settings, task.slot
    responders: list[Responder] = []
    if settings.health_path is not None:
        health = Health(settings.health_path, lambda: slot.is_ready)
        if checkup is not None:
            health = Health(settings.health_path, lambda: slot.is_ready, checkup.verdict)
        responders.append(health)
    if settings.metrics_path is not None and task.placard is not None:
        peers = _peers(settings.metrics_allow_ips)
        responders.append(Metrics(settings.metrics_path, peers, task.placard.read))
    if settings.static:
        static = StaticFiles(settings.static, int(settings.static_max_age), task.log.logger)
        responders.append(static)
    return tuple(responders)


def engine_config(
    settings: Settings, *, multiprocess: bool, keyring: Keyring | None = None
) -> EngineConfig:
    """An engine's part of `settings`. The jitter of max_requests is drawn here."""
    max_requests = settings.max_requests
    if max_requests:
        # Spreads the replacements, so that workers started together do not leave together.
        max_requests += random.randint(0, settings.max_requests_jitter)  # noqa: S311 - no secret
    return EngineConfig(
        threads=settings.threads,
        worker_connections=settings.worker_connections,
        header_timeout_seconds=settings.header_timeout,
        body_timeout_seconds=settings.body_timeout,
        send_timeout_seconds=settings.send_timeout,
        keep_alive_seconds=settings.keepalive,
        request_body=BodyMode(settings.request_body),
        body_memory_bytes=settings.body_memory,
        body_budget=Budget(_BODIES_IN_MEMORY * settings.body_memory),
        spool_directory=settings.tmp_upload_dir,
        sendfile=settings.sendfile,
        max_requests=max_requests,
        queue_timeout_seconds=settings.queue_timeout,
        max_queue=settings.max_queue,
        soft_timeout_seconds=settings.soft_timeout,
        slow_request_seconds=settings.slow_request,
        multiprocess=multiprocess,
        script_name=settings.script_name or "",
        limits=Limits(
            request_line=settings.limit_request_line,
            fields=settings.limit_request_fields,
            field_size=settings.limit_request_field_size,
            body=settings.limit_request_body,
        ),
        leniency=Leniency(
            permit_obsolete_folding=settings.permit_obsolete_folding,
            strip_header_spaces=settings.strip_header_spaces,
            permit_unconventional_http_method=settings.permit_unconventional_http_method,
            permit_unconventional_http_version=settings.permit_unconventional_http_version,
            casefold_http_method=settings.casefold_http_method,
            header_map=settings.header_map,
        ),
        trust=trust_policy(settings),
        keyring=keyring,
        http2=http2_limits(settings),
        protocol=settings.protocol,
        gateway_peers=_peers(settings.uwsgi_allow_ips),
        proxy_mode=ProxyMode(settings.proxy_protocol),
        proxy_peers=_peers(settings.proxy_allow_ips),
    )


def around_calls(settings: Settings, hooks: AroundCalls | None) -> AroundCalls | None:
    """What runs around each call of the application: ids where they are wanted, and hooks."""
    wanted = settings.request_id == "on"
    if settings.request_id == "auto" and settings.accesslog is not None:
        wanted = settings.log_format != "text" or "%(request_id)" in settings.access_log_format
    return RequestIds(trust_policy(settings), hooks) if wanted else hooks


def make_checkup(settings: Settings, log: logging.Logger) -> Checkup | None:
    """What asks the application for its health, where that is wanted; not begun.

    Raises BootError or ApplicationError.
    """
    if settings.health_check is None:
        return None
    try:
        check = load_application(settings.health_check)
    except CanterError as error:
        raise type(error)(f"health_check: {error}") from error.__cause__
    plan = CheckPlan(settings.health_check_interval, settings.health_check_timeout)
    return Checkup(check, plan, log)


def make_tracing(task: WorkerTask, inner: AroundCalls | None) -> Tracing:
    """Spans for requests, with `inner` within them. Imports OpenTelemetry."""
    settings = task.settings
    service = settings.proc_name or (settings.wsgi_app or "canter").partition(":")[0]
    return Tracing(service, task.log.logger, inner)


def make_gauge(settings: Settings, now: float, resident_bytes: int) -> WearGauge:
    """The judge of a worker that begins to serve. The jitter of max_lifetime is drawn here."""
    lifetime = settings.max_lifetime
    if lifetime:
        lifetime += random.uniform(0, settings.max_lifetime_jitter)  # noqa: S311 - no secret
    return WearGauge(lifetime, settings.max_memory, now, resident_bytes)


def http2_limits(settings: Settings) -> Http2Limits | None:
    """What connections of HTTP/2 may have; None where it is not spoken."""
    if "h2" not in settings.http_protocols:
        return None
    return Http2Limits(
        max_concurrent_streams=settings.http2_max_concurrent_streams,
        initial_window_size=settings.http2_initial_window_size,
        max_frame_size=settings.http2_max_frame_size,
        max_header_list_size=settings.http2_max_header_list_size,
        cleartext=settings.http2_cleartext not in {"off", "upgrade"},
    )


def trust_policy(settings: Settings) -> TrustPolicy:
    """Whom to believe about the scheme and the mount point."""
    return TrustPolicy(
        allow=_peers(settings.forwarded_allow_ips).allow,
        secure_scheme_headers=settings.secure_scheme_headers,
        forwarder_headers=tuple(settings.forwarder_headers),
        client_fields=settings.forwarded_fields,
    )


def _peers(allow: Iterable[str]) -> Peers:
    allow = tuple(allow)
    return Peers("*" if "*" in allow else tuple(ipaddress.ip_network(it, False) for it in allow))
