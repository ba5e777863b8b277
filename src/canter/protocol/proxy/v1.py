r"""Version 1: one line of text.

PROXY TCP4 192.0.2.7 198.51.100.1 4711 443 CR LF
PROXY UNKNOWN ... CR LF
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address

from canter.protocol.faults import BadProxyHeader
from canter.protocol.proxy.introduction import NOBODY, Introduction, introduce

SIGNATURE = b"PROXY "
#: With its CR LF, by the specification.
LINE_BYTES = 107

_PORT = re.compile(r"0|[1-9][0-9]{0,4}").fullmatch
_FAMILIES: dict[str, type[IPv4Address | IPv6Address]] = {"TCP4": IPv4Address, "TCP6": IPv6Address}


def read_line(data: bytes) -> tuple[int, Introduction] | None:
    """The header's size and what it says; None when its end has not come. Raises BadProxyHeader."""
    lf = data.find(b"\n", 0, LINE_BYTES)
    if lf < 0:
        if len(data) >= LINE_BYTES:
            raise BadProxyHeader("a PROXY line without its end")
        return None
    if data[lf - 1] != ord("\r"):
        raise BadProxyHeader("a bare LF ends the PROXY line")
    return lf + 1, _judge(data[: lf - 1])


def _judge(line: bytes) -> Introduction:
    if not line.isascii():
        raise BadProxyHeader("a PROXY line that is not ASCII")
    words = line.decode("ascii").split(" ")
    if words[1] == "UNKNOWN":
        return NOBODY
    if len(words) != 6 or words[1] not in _FAMILIES:
        raise BadProxyHeader("a PROXY line that is not family, addresses and ports")
    address = _FAMILIES[words[1]]
    try:
        source, destination = str(address(words[2])), str(address(words[3]))
    except ValueError:
        raise BadProxyHeader(f"a PROXY line whose addresses are not {words[1]}") from None
    for port in words[4:]:
        if not _PORT(port) or int(port) > 65535:
            raise BadProxyHeader("a PROXY line whose port is none")
    return introduce(words[1], (source, words[4]), (destination, words[5]))
