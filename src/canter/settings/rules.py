"""What settings must be to each other: one function for each rule, with its own message.

A rule that is broken raises ConfigError. A setting that has no effect as things stand is only worth
a warning, and the rule returns its text.
"""

from __future__ import annotations

from collections.abc import Callable

from canter.errors import ConfigError
from canter.settings.settings import Settings


def threads_fit_into_connections(settings: Settings) -> str | None:
    """A thread works on a connection, so fewer connections than threads would leave some idle."""
    if settings.worker_class == "threads" and settings.worker_connections < settings.threads:
        raise ConfigError(
            f"worker_connections ({settings.worker_connections}, "
            f"{settings.source('worker_connections')}) is below threads ({settings.threads}, "
            f"{settings.source('threads')}): not all threads could ever work"
        )
    return None


def jitter_needs_max_requests(settings: Settings) -> str | None:
    """Jitter alone replaces nothing."""
    if settings.max_requests_jitter and not settings.max_requests:
        return "max_requests_jitter has no effect without max_requests"
    return None


def lifetime_jitter_needs_max_lifetime(settings: Settings) -> str | None:
    """Jitter alone replaces nothing."""
    if settings.max_lifetime_jitter and not settings.max_lifetime:
        return "max_lifetime_jitter has no effect without max_lifetime"
    return None


def soft_timeout_comes_before_the_hard_one(settings: Settings) -> str | None:
    """A request that has been ended cannot be interrupted."""
    if settings.timeout and settings.soft_timeout >= settings.timeout:
        return "soft_timeout has no effect: timeout is not longer"
    return None


def socket_files_need_a_unix_address(settings: Settings) -> str | None:
    """Mode and owner are of socket files; abstract sockets have none."""
    files = [address for address in settings.bind if address.lower().startswith("unix:")]
    if any(not address[5:].removeprefix("//").startswith("@") for address in files):
        return None
    if settings.unix_socket_mode is not None or settings.unix_socket_owner is not None:
        return "unix_socket_mode and unix_socket_owner have no effect: no address is a socket file"
    return None


def extra_files_need_reload(settings: Settings) -> str | None:
    """Files are watched for `reload` only."""
    if settings.reload_extra_files and not settings.reload:
        return "reload_extra_files has no effect without reload"
    return None


def greenlets_have_no_threads_to_set(settings: Settings) -> str | None:
    """What is about threads, or about requests that wait for one."""
    if settings.worker_class != "gevent":
        return None
    idle = [
        name
        for name, is_set in (
            ("threads", settings.threads > 1),
            ("preload_app", settings.preload_app),
            ("queue_timeout", settings.queue_timeout > 0),
            ("max_queue", settings.max_queue > 0),
            ("http2_cleartext", settings.http2_cleartext != "off"),
        )
        if is_set
    ]
    if not idle:
        return None
    verb = "has" if len(idle) == 1 else "have"
    return f"{' and '.join(idle)} {verb} no effect with worker_class gevent"


def somebody_may_be_replaced(settings: Settings) -> str | None:
    """Without a worker more or less nothing can change."""
    names = ("max_surge", "max_unavailable")
    if all(getattr(settings, name) in {"0", "0%"} for name in names):
        places = ", ".join(f"{name}: {settings.source(name)}" for name in names)
        raise ConfigError(
            f"max_surge and max_unavailable are both 0 ({places}): no worker could be replaced"
        )
    return None


def a_daemon_needs_a_log(settings: Settings) -> str | None:
    """Standard error is closed, unless it is to be inherited."""
    if settings.daemon and settings.errorlog == "-" and not settings.enable_stdio_inheritance:
        return "with daemon the error log goes nowhere: errorlog is not a file"
    return None


def http2_by_upgrade_is_not_spoken(settings: Settings) -> str | None:
    """RFC 9113 has given up the upgrade; prior knowledge is what proxies use."""
    where = settings.source("http2_cleartext").where("http2_cleartext")
    if settings.http2_cleartext == "upgrade":
        raise ConfigError(f"{where}: HTTP/2 by upgrade is not spoken; prior-knowledge is")
    if settings.http2_cleartext == "both":
        return f"{where}: HTTP/2 is spoken by prior knowledge; the upgrade is not"
    return None


def http2_needs_a_way_in(settings: Settings) -> str | None:
    """ALPN is a part of TLS."""
    if "h2" in settings.http_protocols:
        tls = settings.certfile is not None or settings.self_signed
        if not tls and settings.http2_cleartext == "off":
            return "http_protocols: h2 has no effect: neither certfile nor http2_cleartext is set"
    elif settings.http2_cleartext not in {"off", "upgrade"}:
        return "http2_cleartext has no effect: h2 is not in http_protocols"
    return None


RULES: tuple[Callable[[Settings], str | None], ...] = (
    threads_fit_into_connections,
    greenlets_have_no_threads_to_set,
    jitter_needs_max_requests,
    lifetime_jitter_needs_max_lifetime,
    soft_timeout_comes_before_the_hard_one,
    socket_files_need_a_unix_address,
    extra_files_need_reload,
    somebody_may_be_replaced,
    a_daemon_needs_a_log,
    http2_by_upgrade_is_not_spoken,
    http2_needs_a_way_in,
)


def check_rules(settings: Settings) -> tuple[str, ...]:
    """The warnings of all rules.

    Raises ConfigError with the message of the first rule that is broken.
    """
    return tuple(text for text in (rule(settings) for rule in RULES) if text is not None)
