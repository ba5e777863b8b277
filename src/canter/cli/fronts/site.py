"""What a front has to know of canter, from canter's settings; values only."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from canter.errors import UsageError
from canter.net.addresses import (
    AbstractAddress,
    Address,
    FdAddress,
    TcpAddress,
    UnixAddress,
    parse_bind,
)
from canter.settings import Settings
from canter.worker.tls import spoken_protocol

PROTOCOLS = ("http", "h2c", "uwsgi", "fastcgi", "scgi", "proxy")
"""What may be spoken between a front and canter; `proxy` is a connection passed on unopened, with
the PROXY protocol ahead of it."""

TITLES = {
    "http": "HTTP/1.1",
    "h2c": "HTTP/2 without TLS",
    "uwsgi": "uwsgi",
    "fastcgi": "FastCGI",
    "scgi": "SCGI",
    "proxy": "the PROXY protocol",
}
GATEWAYS = ("uwsgi", "fastcgi", "scgi")
"""Formats whose variables tell who the client is."""

# A front must give up later than canter does, so that canter's answer, and not its own, is sent.
_LATER_SECONDS = 10
_WITHOUT_LIMIT_SECONDS = 3600
_LEAST_HEAD_BYTES = 8 * 1024

# What a client could claim in these, applications and canter may believe.
_CLAIMS = (
    "Forwarded",
    "X-Forwarded-Prefix",
    "X-Forwarded-Server",
    "X-Real-IP",
    "Proxy",
)
SET = ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port")
"""The headers that a front sets, so that nothing of the client's is left in them."""


@dataclass(frozen=True)
class Site:
    """One site behind a front. Times are in seconds, sizes in bytes; 0 = without limit.

    address: canter's. domain: its name, "" for every name and no TLS. listen: the front's own
    HOST:PORT or PORT. prefix: the path it is mounted at, "" for the root. static: (prefix,
    directory) pairs that the front serves. app_seconds: how long the front waits for an answer.
    idle_seconds: how long the front keeps an idle connection to canter, always shorter than canter
    does; 0 = not at all. removed: headers that clients must not set. needs: options that canter has
    to be given besides.
    """

    protocol: str
    address: Address
    domain: str = ""
    listen: str = ""
    prefix: str = ""
    static: tuple[tuple[str, str], ...] = ()
    body_bytes: int = 0
    line_bytes: int = 0
    field_bytes: int = 0
    fields: int = 0
    app_seconds: int = 40
    head_seconds: int = 10
    body_seconds: int = 30
    send_seconds: int = 60
    keepalive_seconds: float = 75
    idle_seconds: float = 60
    proxy_version: int = 2
    health: str = ""
    removed: tuple[str, ...] = _CLAIMS
    needs: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def path(self) -> str:
        """The unix socket, "" where it is none."""
        return os.path.abspath(self.address.path) if isinstance(self.address, UnixAddress) else ""

    @property
    def host(self) -> str:
        """Where to connect to: the loopback, where canter listens on every address."""
        assert isinstance(self.address, TcpAddress)
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.address.host, self.address.host)  # noqa: S104
        return f"[{host}]" if ":" in host else host

    @property
    def port(self) -> int:
        """Where canter listens."""
        assert isinstance(self.address, TcpAddress)
        return self.address.port

    @property
    def host_port(self) -> str:
        """Host and port to connect to."""
        return f"{self.host}:{self.port}"

    @property
    def where(self) -> str:
        """The address in words."""
        return f"unix:{self.path}" if self.path else self.host_port

    @property
    def secure(self) -> bool:
        """Whether the front is to speak TLS with its clients."""
        return bool(self.domain) and self.protocol != "proxy"

    @property
    def listens(self) -> tuple[str, str]:
        """The front's own host, "" for every one, and its port."""
        host, _, port = self.listen.rpartition(":")
        return host, port or ("443" if self.domain else "80")

    @property
    def head_bytes(self) -> int:
        """Room for the longest line or field of a request's head."""
        longest = max(self.line_bytes, self.field_bytes)
        return max(_LEAST_HEAD_BYTES, math.ceil(longest / 1024) * 1024)

    @property
    def certificate(self) -> tuple[str, str]:
        """Where a certificate and its key are expected; to be filled in."""
        folder = f"/etc/letsencrypt/live/{self.domain}"
        return f"{folder}/fullchain.pem", f"{folder}/privkey.pem"


def make_site(settings: Settings, protocol: str | None, own: Site) -> Site:
    """Fill `own`, which has what the command's options say, from canter's settings.

    protocol: what was asked for, None for what canter speaks. Raises UsageError, ConfigError.
    """
    binds = [parse_bind(text) for text in settings.bind]
    spoken, address = _choose(settings, protocol, binds)
    needs = _needs(settings, spoken, address)
    notes = _notes(settings, spoken, address)
    seconds = settings.timeout + settings.queue_timeout
    removed = (*settings.secure_scheme_headers, *settings.forwarder_headers)
    known = {name.lower() for name in (*_CLAIMS, *SET)}
    return replace(
        own,
        protocol=spoken,
        address=address,
        static=tuple(_static(settings)),
        body_bytes=settings.limit_request_body,
        line_bytes=settings.limit_request_line,
        field_bytes=settings.limit_request_field_size,
        fields=settings.limit_request_fields,
        app_seconds=(
            math.ceil(seconds) + _LATER_SECONDS if settings.timeout else _WITHOUT_LIMIT_SECONDS
        ),
        head_seconds=math.ceil(settings.header_timeout),
        body_seconds=math.ceil(settings.body_timeout),
        send_seconds=math.ceil(settings.send_timeout),
        keepalive_seconds=settings.keepalive,
        idle_seconds=idle_seconds(settings.keepalive),
        proxy_version=1 if settings.proxy_protocol == "v1" else 2,
        health=f"{settings.health_path.rstrip('/')}/readyz" if settings.health_path else "",
        removed=(*_CLAIMS, *(_title(it) for it in removed if it.lower() not in known)),
        needs=tuple(needs),
        notes=tuple(notes),
    )


def idle_seconds(keepalive: float) -> float:
    """How long a front may keep an idle connection that canter keeps for so long.

    The front has to be the one that closes: who sends a request into a connection that the other
    side closes at that moment cannot know whether it was processed. So there is a margin of five
    seconds, or where there is no room for that of half the time.
    """
    return keepalive * 0.8 if keepalive >= 25 else keepalive / 2


def _choose(
    settings: Settings, protocol: str | None, binds: Sequence[Address]
) -> tuple[str, Address]:
    """The protocol, and the first address that speaks it or else the first that could."""
    usable = [it for it in binds if not isinstance(it, FdAddress | AbstractAddress)]
    if not usable:
        raise UsageError(
            "canter front: it needs an address with a name: bind has only sockets of others or "
            "abstract ones"
        )
    wire = {"h2c": "http"}.get(protocol or "", protocol)
    for address in usable:
        spoken = address.scheme or spoken_protocol(settings)
        if wire is None and spoken in PROTOCOLS:
            return spoken, address
        if wire is not None and (spoken == wire or wire == "proxy"):
            return protocol or spoken, address
    if wire is None:
        raise UsageError(
            f"canter front: canter speaks TLS at {usable[0]}: --protocol proxy is for a front that "
            "passes it on unopened; for others have canter listen at http:// besides"
        )
    return protocol or wire, usable[0]


def _needs(settings: Settings, spoken: str, address: Address) -> list[str]:
    """The options that canter lacks for this, each with the reason."""
    found = []
    wire = {"h2c": "http", "proxy": ""}.get(spoken, spoken)
    if wire and (address.scheme or spoken_protocol(settings)) != wire:
        bare = replace(address, scheme=wire)
        found.append(f"--bind {bare}")
    if spoken == "proxy" and settings.proxy_protocol == "off":
        found.append("--proxy-protocol=required")
    if spoken == "proxy" and settings.forwarded_allow_ips:
        # A connection that is passed on unopened holds what the client wrote.
        found.append("--forwarded-allow-ips ''")
    if spoken in ("http", "h2c") and settings.forwarded_fields != "x-forwarded":
        found.append("--forwarded-fields x-forwarded")
    if spoken == "h2c" and settings.http2_cleartext == "off":
        found.append("--http-protocols h2,h1 --http2-cleartext prior-knowledge")
    allow = {"http": "forwarded_allow_ips", "h2c": "forwarded_allow_ips"}.get(spoken)
    allow = allow or ("proxy_allow_ips" if spoken == "proxy" else "uwsgi_allow_ips")
    if isinstance(address, TcpAddress) and not set(getattr(settings, allow)) & {"127.0.0.1", "*"}:
        option = {"proxy_allow_ips": "proxy-allow-from", "uwsgi_allow_ips": "uwsgi-allow-from"}
        found.append(f"--{option.get(allow, 'forwarded-allow-ips')} ADDRESS-OF-THE-FRONT")
    return found


def _notes(settings: Settings, spoken: str, address: Address) -> list[str]:
    """What is worth knowing beside the options."""
    found = []
    if (
        isinstance(address, UnixAddress)
        and settings.unix_socket_mode is None
        and not settings.umask
    ):
        found.append(
            "Everybody on this machine may connect to the socket. To let in the front alone, start "
            "canter with --unix-socket-mode 660 --unix-socket-owner :GROUP-OF-THE-FRONT."
        )
    if isinstance(address, UnixAddress) and spoken == "proxy":
        found.append(
            "Peers on a unix socket are believed about X-Forwarded-Proto and SCRIPT_NAME, which a "
            "client writes here: a TCP address is better."
        )
    if settings.keepalive <= 0 and spoken in ("http", "h2c", "fastcgi"):
        found.append("canter keeps no connections (--keep-alive 0), so each request needs one.")
    if not settings.timeout:
        found.append(
            "canter ends no request by itself (--timeout 0); the front does after an hour."
        )
    return found


def _static(settings: Settings) -> list[tuple[str, str]]:
    # Files below the root are left to canter: there the application is asked for what is none.
    below = {path.rstrip("/"): folder for path, folder in settings.static.items()}
    base = os.path.abspath(settings.chdir or "")
    return [(path, os.path.join(base, folder)) for path, folder in below.items() if path]


def _title(name: str) -> str:
    return name if "_" in name else "-".join(part.title() for part in name.split("-"))


def head(site: Site, name: str, place: str, check: str, more: Sequence[str] = ()) -> list[str]:
    """The comment that every configuration begins with."""
    lines = [
        f"{name} in front of canter: {TITLES[site.protocol]} over {site.where}.",
        "Made by `canter front` from canter's settings; make it anew when they change.",
        f"Place: {place}",
        f"Check: {check}",
        *more,
        "",
    ]
    if site.needs:
        lines += ["canter needs these options besides those that it has:"]
        lines += [f"    {option}" for option in site.needs]
    else:
        lines += ["canter is set for this."]
    for note in site.notes:
        lines += ["", *_wrapped(note)]
    return [f"# {line}".rstrip() for line in lines]


def _wrapped(text: str) -> list[str]:
    lines, line = [], ""
    for word in text.split():
        if len(line) + len(word) > 92:
            lines.append(line)
            line = ""
        line = f"{line} {word}".strip()
    return [*lines, line]


def seconds(value: float) -> str:
    """As most programs write a time: whole seconds, or milliseconds."""
    return f"{int(value)}s" if value == int(value) else f"{int(value * 1000)}ms"
