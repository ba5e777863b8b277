"""What fronts tell about the client in fields: X-Forwarded-* and Forwarded (RFC 7239), hop by hop.

Each front adds itself on the right, so the lists are read from there: a hop that is one of ours is
passed by, and the first that is not is the client. What stands left of it the client may have made
up, and it is not even looked at. One family of fields is read and the other is not, as the setting
says: they are never mixed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

from canter.protocol.faults import BadForwarding
from canter.protocol.fields import is_host

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"  # noqa: S105 - a rule of the grammar
_PAIR = re.compile(rf'[ \t]*({_TOKEN})=(?:({_TOKEN})|"((?:[^"\\]|\\.)*)")[ \t]*').match
_ESCAPED = re.compile(r"\\(.)").sub
_PORT = re.compile(r"[0-9]{1,5}").fullmatch
_PREFIX = re.compile(r"(?:/[A-Za-z0-9\-._~!$&'()*+,;=:@%]+)+/?").fullmatch
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_DEFAULT_PORTS = {"http": "80", "https": "443"}

Includes = Callable[[str], bool]
"""Whether an address is one of our fronts."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the fields tell of the client; empty where they do not."""

    host: str = ""
    port: str = ""
    scheme: str = ""
    authority: str = ""
    server_port: str = ""
    prefix: str = ""


def read_x_forwarded(environ: Mapping[str, Any], includes: Includes) -> Told:
    """By X-Forwarded-For, -Proto, -Host, -Port and -Prefix. Raises BadForwarding."""
    nodes = [_node(text) for text in _members(environ, "FOR")]
    hops = _passed([host for host, _ in nodes], includes)
    host, port = nodes[-1 - hops] if nodes else ("", "")

    def chosen(name: str) -> str:
        values = _members(environ, name)
        if len(values) <= 1:
            return values[0] if values else ""
        if len(values) <= hops:
            raise BadForwarding(f"X-Forwarded-{name.title()} has fewer values than there are hops")
        return values[-1 - hops]

    return Told(
        host,
        port,
        _scheme(chosen("PROTO")),
        _authority(chosen("HOST")),
        _server_port(chosen("PORT")),
        _prefix(chosen("PREFIX")),
    )


def read_forwarded(environ: Mapping[str, Any], includes: Includes) -> Told:
    """By Forwarded. Raises BadForwarding."""
    elements = parse_forwarded(environ.get("HTTP_FORWARDED", ""))
    if not elements:
        return Told()
    nodes = [_node(element.get("for", "")) for element in elements]
    hops = _passed([host for host, _ in nodes], includes)
    element = elements[-1 - hops]
    host, port = nodes[-1 - hops]
    return Told(host, port, _scheme(element.get("proto", "")), _authority(element.get("host", "")))


def parse_forwarded(value: str) -> list[dict[str, str]]:
    """The elements of a Forwarded field, each by its parameters in lower case (RFC 7239 4).

    Raises BadForwarding.
    """
    elements: list[dict[str, str]] = []
    pairs: dict[str, str] = {}
    at = 0
    end = len(value)
    while at < end:
        found = _PAIR(value, at)
        if found is None:
            raise BadForwarding("a malformed Forwarded field")
        name = found[1].lower()
        if name in pairs:
            raise BadForwarding("a parameter that comes twice in an element of Forwarded")
        pairs[name] = _ESCAPED(r"\1", found[3]) if found[2] is None else found[2]
        at = found.end()
        separator = value[at : at + 1]
        if separator not in ("", ";", ","):
            raise BadForwarding("a malformed Forwarded field")
        at += 1
        if separator != ";":
            elements.append(pairs)
            pairs = {}
    if pairs or value.endswith(","):
        raise BadForwarding("a Forwarded field that ends too early")
    return elements


def apply(environ: dict[str, Any], told: Told) -> bool:
    """Put what was told into an environ; whether it names the client."""
    if told.scheme:
        environ["wsgi.url_scheme"] = told.scheme
    if told.authority:
        environ["HTTP_HOST"] = told.authority
    if told.server_port:
        environ["SERVER_PORT"] = told.server_port
        host = environ.get("HTTP_HOST", "")
        default = _DEFAULT_PORTS[environ["wsgi.url_scheme"]]
        if host and told.server_port != default and not re.search(r":[0-9]*\Z", host):
            environ["HTTP_HOST"] = f"{host}:{told.server_port}"
    if told.prefix:
        environ["SCRIPT_NAME"] = told.prefix + environ["SCRIPT_NAME"]
    if not told.host:
        return False
    environ["REMOTE_ADDR"] = told.host
    if told.port:
        environ["REMOTE_PORT"] = told.port
    return True


def _members(environ: Mapping[str, Any], name: str) -> list[str]:
    value: str = environ.get(f"HTTP_X_FORWARDED_{name}", "")
    return [member for text in value.split(",") if (member := text.strip(" \t"))]


def _passed(hosts: list[str], includes: Includes) -> int:
    """How many hops, from the right, are our own fronts; the leftmost is the client at any rate."""
    hops = 0
    while hops < len(hosts) - 1 and hosts[-1 - hops] and includes(hosts[-1 - hops]):
        hops += 1
    return hops


def _node(text: str) -> tuple[str, str]:
    """Host and port of a node (RFC 7239 6); nothing for one that is hidden or no address."""
    host, port = text, ""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        address = str(ip_address(host))
    except ValueError:
        return "", ""
    return address, port if _PORT(port) and int(port) <= 65535 else ""


def _scheme(text: str) -> str:
    if text and text.lower() not in _SCHEMES:
        raise BadForwarding("a front tells a scheme that is none")
    return _SCHEMES[text.lower()] if text else ""


def _authority(text: str) -> str:
    if text and not is_host(text):
        raise BadForwarding("a front tells a host that is none")
    return text


def _server_port(text: str) -> str:
    if text and (not _PORT(text) or not 0 < int(text) <= 65535):
        raise BadForwarding("a front tells a port that is none")
    return text


def _prefix(text: str) -> str:
    """A mount point, without a slash at its end."""
    if text in ("", "/"):
        return ""
    # Two slashes in front would make another host of a link that begins with it.
    if not _PREFIX(text):
        raise BadForwarding("a front tells a prefix that is no path")
    return text.rstrip("/")
