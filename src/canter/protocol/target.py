"""The request target in its four forms (RFC 9112 section 3.2) and as an application sees it.

Paths are passed on as they came: `//` and dot segments are kept, and percent-encoding is taken off
once. `%00` and `%2F` become the bytes they stand for, as PEP 3333 and CGI want PATH_INFO; RAW_URI
has the target as sent for whoever needs to tell the difference.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import unquote

from canter.protocol.faults import BadForwarding, BadTarget, MethodNotImplemented, quoted
from canter.protocol.fields import is_host

# RFC 9112 section 3.2.3: the authority form always has a port.
_WITH_PORT = re.compile(r".+:[0-9]+").fullmatch
_ABSOLUTE = re.compile(r"https?://([^/?]*)([^?]*)(?:\?(.*))?", re.IGNORECASE).fullmatch


class Target(NamedTuple):
    """A target taken apart. authority: that of the absolute form, which replaces Host."""

    path: str
    query: str
    authority: str | None


def resolve_target(method: str, target: str) -> Target:
    """Take apart a target that is not in origin form ("/path?query").

    Raises BadTarget, or MethodNotImplemented for a CONNECT that is well formed.
    """
    if method == "CONNECT":
        if _is_authority(target):
            raise MethodNotImplemented(f"CONNECT {quoted(target)}")
        raise BadTarget(f"CONNECT to what is no host and port: {quoted(target)}")
    if target.startswith("/"):
        path, _, query = target.partition("?")
        return Target(path, query, None)
    if target == "*":
        if method != "OPTIONS":
            raise BadTarget(f"the target * with {quoted(method)}")
        return Target("*", "", None)
    absolute = _ABSOLUTE(target)
    if absolute is None:
        raise BadTarget(f"a target of no known form: {quoted(target)}")
    authority, path, query = absolute.group(1, 2, 3)
    if not is_host(authority):
        raise BadTarget(f"a target without a proper host: {quoted(target)}")
    if not path:
        # RFC 9112 section 3.2.4: OPTIONS for a server as a whole, on its way through a proxy.
        path = "*" if method == "OPTIONS" and query is None else "/"
    return Target(path, query or "", authority)


def _is_authority(target: str) -> bool:
    return _WITH_PORT(target) is not None and is_host(target)


def decode_path(path: str) -> str:
    """PATH_INFO of a path as sent: percent-encoding taken off, as latin-1 (PEP 3333)."""
    return unquote(path, encoding="latin-1")


def mount(environ: dict[str, Any]) -> None:
    """Take SCRIPT_NAME, where the application is mounted, off the front of PATH_INFO (PEP 3333).

    Raises BadForwarding when the path lies outside: a front that names the mount point must send
    only what belongs below it.
    """
    script_name: str = environ["SCRIPT_NAME"].rstrip("/")
    path: str = environ["PATH_INFO"]
    rest = path.removeprefix(script_name)
    if script_name and (rest is path or (rest and not rest.startswith("/"))):
        raise BadForwarding(f"{quoted(path)} is not below SCRIPT_NAME {quoted(script_name)}")
    environ["SCRIPT_NAME"] = script_name
    environ["PATH_INFO"] = rest
