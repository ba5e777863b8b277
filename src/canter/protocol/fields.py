"""Judgements about header fields that hold for every wire format (RFC 9110 section 5)."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Any

from canter.protocol.faults import BadField, BadForwarding, BadHost, BadTrailer, quoted
from canter.protocol.limits import HeaderMap

# RFC 3986 section 3.2.2, reg-name, but for the comma: a front that joined two Host fields into one
# would pass for a single host.
_REG_NAME = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+;=]|%[0-9A-Fa-f]{2})+").fullmatch
_NOT_NAME = re.compile(r"[^!#$%&'*+\-.^_`|~0-9A-Za-z]").search
_PORT = re.compile(r"[0-9]{0,5}").fullmatch
_HIGHEST_PORT = 65535

#: RFC 9110 section 6.5.1: fields that frame, route, authenticate or say how to read the content
#: mean something only before it. As environ keys.
FORBIDDEN_TRAILERS = frozenset(
    {
        "CONTENT_LENGTH",
        "CONTENT_TYPE",
        "HTTP_AUTHORIZATION",
        "HTTP_CONNECTION",
        "HTTP_CONTENT_ENCODING",
        "HTTP_CONTENT_RANGE",
        "HTTP_EXPECT",
        "HTTP_HOST",
        "HTTP_TE",
        "HTTP_TRAILER",
        "HTTP_TRANSFER_ENCODING",
        "HTTP_UPGRADE",
    }
)


def is_host(text: str) -> bool:
    """Whether `text` is `uri-host [":" port]`, the host not empty (RFC 9110 4.2.1, 7.2)."""
    if text.startswith("["):
        address, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return False
        return _is_ip_literal(address) and _is_port(rest[1:])
    host, _, port = text.partition(":")
    return _REG_NAME(host) is not None and _is_port(port)


# Hosts are few and come again and again; a name in the DNS has at most 253 characters.
_REMEMBERED_HOSTS = 256
_REMEMBERED_LENGTH = 260
_is_host_again = lru_cache(_REMEMBERED_HOSTS)(is_host)


def _is_ip_literal(address: str) -> bool:
    # A zone ("fe80::1%eth0") means something only on the machine that wrote it (RFC 9110 4.2.1
    # leaves it out), and IPvFuture has no version yet.
    if "%" in address:
        return False
    try:
        ipaddress.IPv6Address(address)
    except ValueError:
        return False
    return True


def _is_port(text: str) -> bool:
    return _PORT(text) is not None and (not text or int(text) <= _HIGHEST_PORT)


def judge_host(host: str) -> None:
    """Raises BadHost unless a Host field's value names a host (RFC 9112 section 3.2)."""
    if not (_is_host_again if len(host) <= _REMEMBERED_LENGTH else is_host)(host):
        raise BadHost("an empty Host" if not host else f"Host is not a host: {quoted(host)}")


def explain_field(line: bytes) -> str:
    """Why a field line that a scanner refused is malformed; `line` ends with its LF."""
    name, colon, value = line.partition(b":")
    if not line.endswith(b"\r\n"):
        return f"a bare LF ends the field {quoted(name.rstrip())}"
    if line.startswith((b" ", b"\t")):
        return "a field line begins with a space or tab (obsolete folding)"
    if not colon:
        return f"a field line without a colon: {quoted(line.rstrip())}"
    if not name:
        return "a field without a name"
    if name.rstrip(b" \t") != name:
        return f"a space before the colon of the field {quoted(name.rstrip())}"
    if _NOT_NAME(name.decode("latin-1")):
        return f"not a field name: {quoted(name)}"
    kind = "a bare CR" if b"\r" in value[:-2] else "a control character"
    return f"{kind} in the value of the field {quoted(name)}"


def judge_trailers(environ: dict[str, Any]) -> None:
    """Raises BadTrailer for a field that trailers must not hold (RFC 9110 section 6.5.1)."""
    forbidden = FORBIDDEN_TRAILERS.intersection(environ)
    if forbidden:
        name = min(forbidden).removeprefix("HTTP_").replace("_", "-").title()
        raise BadTrailer(f"{name} in the trailers")


def admit_underscored(
    environ: dict[str, Any],
    aside: list[tuple[str, str]],
    header_map: HeaderMap,
    forwarders: frozenset[str],
) -> None:
    """Decide on fields with an underscore in their name, which the scanner has set aside.

    forwarders: names in upper case that this peer may set all the same; what they say replaces a
    field of the same key, which a client may have sent, and SCRIPT_NAME becomes the environ's own.
    Raises BadField when such names are refused, BadForwarding for two different SCRIPT_NAMEs.
    """
    forwarded: dict[str, str] = {}
    for name, value in aside:
        upper = name.upper()
        # Not through the scanner's table of names: `Content_Length` must not become
        # CONTENT_LENGTH, nor anything here touch the framing.
        key = "HTTP_" + upper.replace("-", "_")
        if upper in forwarders or "*" in forwarders:
            if forwarded.setdefault(upper, value) != value and upper == "SCRIPT_NAME":
                raise BadForwarding("two different SCRIPT_NAME fields")
            environ[key] = value
        elif header_map == "dangerous":
            joined = environ.get(key)
            environ[key] = value if joined is None else f"{joined},{value}"
        elif header_map == "refuse":
            raise BadField(f"an underscore in the field name {quoted(name)}")
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    if "SCRIPT_NAME" in forwarded:
        environ["SCRIPT_NAME"] = forwarded["SCRIPT_NAME"]
