"""What may be listened on, parsed from the text of `--bind`. Pure: nothing is opened or resolved.

    HOST            HOST:PORT       [V6]:PORT       :PORT       tcp://HOST:PORT
    unix:PATH       unix://PATH     unix:@NAME      fd://N

`FORMAT://` before a host, and `FORMAT+` before unix: or fd:, say which wire format is spoken there.
A missing port is 8000, a missing host is every IPv4 address, port 0 lets the kernel choose.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import TypeAlias

from canter.errors import ConfigError

DEFAULT_PORT = 8000
#: The wire formats that may be named.
FORMATS = ("http", "https", "uwsgi", "fastcgi", "scgi")
_EVERY_IPV4 = "0.0.0.0"  # noqa: S104 - this is what an empty host asks for
_FORMAT = re.compile(rf"({'|'.join(FORMATS)})(?:://|\+(?=unix:|fd:))", re.ASCII | re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class TcpAddress:
    """A host (a name, an IPv4 or an IPv6 address without brackets) and a port; 0 = any free one."""

    host: str
    port: int
    scheme: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{_prefix(self.scheme, '://')}{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixAddress:
    """A unix socket in the file system."""

    path: str
    scheme: str = ""

    def __str__(self) -> str:
        return f"{_prefix(self.scheme, '+')}unix:{self.path}"


@dataclass(frozen=True, slots=True)
class AbstractAddress:
    """A unix socket in Linux's abstract namespace; no file, no permissions."""

    name: str
    scheme: str = ""

    def __str__(self) -> str:
        return f"{_prefix(self.scheme, '+')}unix:@{self.name}"


@dataclass(frozen=True, slots=True)
class FdAddress:
    """A socket that was opened by whoever started us, by its descriptor number."""

    fd: int
    scheme: str = ""

    def __str__(self) -> str:
        return f"{_prefix(self.scheme, '+')}fd://{self.fd}"


Address: TypeAlias = TcpAddress | UnixAddress | AbstractAddress | FdAddress
"""`scheme` is the wire format that is spoken there, "" for the one that all others speak."""


def _prefix(scheme: str, behind: str) -> str:
    return scheme + behind if scheme else ""


def parse_bind(text: str) -> Address:
    """The address that `text` names.

    Raises ConfigError, with the text in its message, when it names none.
    """
    stripped = text.strip()
    if not stripped:
        # Gunicorn listens on every address then; an unset variable in a start script should not.
        raise _bad(text, "it is empty; :8000 is port 8000 on every address")
    if "\0" in stripped:
        raise _bad(text, "it contains a NUL byte")
    named = _FORMAT.match(stripped)
    if named:
        address = _parse(text, stripped[named.end() :])
        if named[0].endswith("+") or isinstance(address, TcpAddress):
            return replace(address, scheme=named[1].lower())
        raise _bad(text, f"with a format it is written {named[1].lower()}+{address}")
    return _parse(text, stripped)


def _parse(text: str, stripped: str) -> Address:
    lowered = stripped.lower()
    if lowered.startswith("unix:"):
        return _parse_unix(text, stripped[len("unix:") :])
    if lowered.startswith("fd://"):
        return _parse_fd(text, stripped[len("fd://") :])
    if lowered.startswith("tcp://"):
        stripped = stripped[len("tcp://") :]
    elif "://" in stripped:
        raise _bad(text, f"the schemes are tcp://, unix://, fd:// and {'://, '.join(FORMATS)}://")
    return _parse_tcp(text, stripped)


def _parse_unix(text: str, rest: str) -> UnixAddress | AbstractAddress:
    path = rest.removeprefix("//")
    if path.startswith("@"):
        if path == "@":
            raise _bad(text, "the name after @ is missing")
        return AbstractAddress(path[1:])
    if not path:
        raise _bad(text, "the path is missing")
    return UnixAddress(path)


def _parse_fd(text: str, digits: str) -> FdAddress:
    if not (digits.isascii() and digits.isdigit()):
        raise _bad(text, "fd:// is followed by a descriptor number")
    return FdAddress(int(digits))


def _parse_tcp(text: str, netloc: str) -> TcpAddress:
    if netloc.startswith("["):
        host, bracket, rest = netloc[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _bad(text, "an IPv6 address is written [ADDRESS]:PORT")
        return TcpAddress(_check_ipv6(text, host), _parse_port(text, rest[1:] if rest else None))
    if netloc.count(":") > 1:
        raise _bad(text, "an IPv6 address is written in brackets, [ADDRESS]:PORT")
    host, colon, port = netloc.partition(":")
    if not colon and host.isdigit():
        raise _bad(text, f"did you mean :{host}?")
    if host and not _HOST.fullmatch(host):
        raise _bad(text, f"{host!r} is not a host")
    return TcpAddress(host.lower() or _EVERY_IPV4, _parse_port(text, port if colon else None))


def _check_ipv6(text: str, host: str) -> str:
    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        raise _bad(text, f"{host!r} is not an IPv6 address") from None
    return host.lower()


def _parse_port(text: str, digits: str | None) -> int:
    if digits is None:
        return DEFAULT_PORT
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 5 or int(digits) > 65535:
        raise _bad(text, "the port is a number from 0 to 65535")
    return int(digits)


def _bad(text: str, why: str) -> ConfigError:
    return ConfigError(f"cannot bind to {text!r}: {why}")
