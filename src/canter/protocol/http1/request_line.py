"""Judgements about the request line that are HTTP/1's own: method and version (RFC 9112 3)."""

from __future__ import annotations

import re

from canter.protocol.faults import BadRequestLine, BadTarget, Fault, UnsupportedVersion, quoted
from canter.protocol.limits import Leniency

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_VERSION = re.compile(rb"HTTP/[0-9]\.[0-9]").fullmatch
_UNCONVENTIONAL = re.compile(r"[a-z#]").search
_SHORTEST_METHOD = 3
_LONGEST_METHOD = 20


def judge_method(method: str, leniency: Leniency) -> str:
    """The method as the application is to see it; raises BadRequestLine.

    Every method is a token, and case matters (RFC 9110 section 9.1). All registered ones have 3 to
    20 capital letters and hyphens, so that another shape is likelier an attack than a need.
    """
    if not leniency.permit_unconventional_http_method and (
        _UNCONVENTIONAL(method) or not _SHORTEST_METHOD <= len(method) <= _LONGEST_METHOD
    ):
        raise BadRequestLine(f"an unconventional method: {quoted(method)}")
    return method.upper() if leniency.casefold_http_method else method


def judge_version(version: str, leniency: Leniency) -> str:
    """The version whose rules a request follows: "HTTP/1.1" or "HTTP/1.0".

    A higher minor version is read as 1.1, the highest spoken here (RFC 9110 section 2.5). Raises
    UnsupportedVersion for another major version.
    """
    major, minor = version[5], version[7]
    if major != "1":
        if not leniency.permit_unconventional_http_version:
            raise UnsupportedVersion(f"the version {quoted(version)}")
        return "HTTP/1.0" if major == "0" else "HTTP/1.1"
    return "HTTP/1.0" if minor == "0" else "HTTP/1.1"


def explain_request_line(line: bytes) -> Fault:
    """The fault of a request line that a scanner refused; `line` ends with its LF."""
    if not line.endswith(b"\r\n"):
        return BadRequestLine("a bare LF ends the request line")
    line = line[:-2]
    if b"\r" in line:
        return BadRequestLine("a bare CR in the request line")
    parts = line.split(b" ")
    if len(parts) != 3:
        return BadRequestLine(f"not method, target and version: {quoted(line)}")
    method, target, version = parts
    if not _TOKEN(method):
        return BadRequestLine(f"not a method: {quoted(method)}")
    if not _VERSION(version):
        return BadRequestLine(f"not a version: {quoted(version)}")
    if b"#" in target:
        return BadTarget(f"a fragment in the target: {quoted(target)}")
    if not target:
        return BadTarget("an empty target")
    return BadTarget(f"a character that must be percent-encoded in the target: {quoted(target)}")
