"""Version 2: a binary header.

    signature (12 bytes)   version and command (1)   family and transport (1)   size (2)
    addresses, then type-length-value items

Numbers are big-endian.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address

from canter.protocol.faults import BadProxyHeader
from canter.protocol.proxy.crc32c import crc32c
from canter.protocol.proxy.introduction import NOBODY, Introduction, introduce

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
HEAD_BYTES = 16
#: Of addresses and items; what proxies send has some hundreds.
SIZE_MAXIMUM = 4096

_LOCAL, _PROXY = 0, 1
# By the high half of the byte: the bytes of one address, and the name in version 1's manner.
_UNSPEC, _INET, _INET6, _UNIX = 0, 1, 2, 3
_ADDRESS_BYTES = {_INET: 4, _INET6: 16, _UNIX: 108}
_NAMES = {
    (_INET, 1): "TCP4",
    (_INET, 2): "UDP4",
    (_INET6, 1): "TCP6",
    (_INET6, 2): "UDP6",
    (_UNIX, 1): "UNIX",
    (_UNIX, 2): "UNIX",
}

_ALPN, _AUTHORITY, _CRC32C, _UNIQUE_ID, _SSL = 0x01, 0x02, 0x03, 0x05, 0x20
_SSL_VERSION, _SSL_CN, _SSL_CIPHER = 0x21, 0x22, 0x23
_CLIENT_SSL = 0x01
_UNIQUE_ID_BYTES = 128
_TEXTS = {_ALPN: "PROXY_ALPN", _AUTHORITY: "PROXY_AUTHORITY"}
_SSL_TEXTS = {
    _SSL_VERSION: "PROXY_SSL_VERSION",
    _SSL_CN: "PROXY_SSL_CN",
    _SSL_CIPHER: "PROXY_SSL_CIPHER",
}


def read_header(data: bytes) -> tuple[int, Introduction] | None:
    """The header's size and what it says; None when its end has not come. Raises BadProxyHeader.

    data: begins with the signature.
    """
    if len(data) > 12:
        _judge_command(data[12])
    if len(data) < HEAD_BYTES:
        return None
    size = int.from_bytes(data[14:16], "big")
    if size > SIZE_MAXIMUM:
        raise BadProxyHeader(f"a PROXY header of {size} bytes, over {SIZE_MAXIMUM}")
    end = HEAD_BYTES + size
    if len(data) < end:
        return None
    return end, _judge(data[:end])


def _judge_command(byte: int) -> None:
    if byte >> 4 != 2:
        raise BadProxyHeader(f"version {byte >> 4} of the PROXY protocol")
    if byte & 15 not in (_LOCAL, _PROXY):
        raise BadProxyHeader(f"the command {byte & 15} of the PROXY protocol")


def _judge(header: bytes) -> Introduction:
    family, transport = header[13] >> 4, header[13] & 15
    if family > _UNIX or transport > 2:
        raise BadProxyHeader(f"the family {header[13]:#04x} of the PROXY protocol")
    width = _ADDRESS_BYTES.get(family, 0)
    fixed = 2 * width + (4 if family in (_INET, _INET6) else 0)
    body = header[HEAD_BYTES:]
    if header[12] & 15 == _LOCAL:
        # The specification: whatever else is in it is to be skipped.
        return NOBODY
    if len(body) < fixed:
        raise BadProxyHeader("a PROXY header too short for its addresses")
    name = _NAMES.get((family, transport))
    found = NOBODY if name is None else _addresses(name, family, width, body)
    return _with_items(found, header, HEAD_BYTES + (fixed if width else 0))


def _addresses(name: str, family: int, width: int, body: bytes) -> Introduction:
    source, destination = body[:width], body[width : 2 * width]
    if family == _UNIX:
        path = destination.partition(b"\0")[0].decode("latin-1")
        return introduce(name, ("", ""), (path, ""))
    ports = body[2 * width : 2 * width + 4]
    return introduce(
        name,
        (str(ip_address(source)), str(int.from_bytes(ports[:2], "big"))),
        (str(ip_address(destination)), str(int.from_bytes(ports[2:], "big"))),
    )


def _with_items(found: Introduction, header: bytes, begin: int) -> Introduction:
    environ = dict(found.environ)
    scheme = ""
    seen: set[int] = set()
    for kind, at, value in _items(header, begin, len(header)):
        if kind in seen and kind in (_ALPN, _AUTHORITY, _CRC32C, _UNIQUE_ID, _SSL):
            raise BadProxyHeader(f"two items of type {kind:#04x} in a PROXY header")
        seen.add(kind)
        if kind == _CRC32C:
            _judge_checksum(header, at, value)
        elif kind in _TEXTS:
            environ[_TEXTS[kind]] = _text(value)
        elif kind == _UNIQUE_ID:
            if len(value) > _UNIQUE_ID_BYTES:
                raise BadProxyHeader("a unique id of more than 128 bytes in a PROXY header")
            environ["PROXY_UNIQUE_ID"] = value.hex()
        elif kind == _SSL:
            if len(value) < 5:
                raise BadProxyHeader("an item about TLS that is too short in a PROXY header")
            if value[0] & _CLIENT_SSL:
                scheme = "https"
            for inner, _, text in _items(value, 5, len(value)):
                if inner in _SSL_TEXTS:
                    environ[_SSL_TEXTS[inner]] = _text(text)
    return replace(found, scheme=scheme, environ=environ)


def _items(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, bytes]]:
    """Type, where the value begins, value. Raises BadProxyHeader unless they fill the room."""
    while at < end:
        begin = at + 3
        behind = begin + int.from_bytes(data[at + 1 : begin], "big")
        if begin > end or behind > end:
            raise BadProxyHeader("an item that reaches beyond the end of its PROXY header")
        yield data[at], begin, data[begin:behind]
        at = behind


def _judge_checksum(header: bytes, at: int, value: bytes) -> None:
    if len(value) != 4:
        raise BadProxyHeader("a checksum of the wrong size in a PROXY header")
    blank = header[:at] + bytes(4) + header[at + 4 :]
    if crc32c(blank) != int.from_bytes(value, "big"):
        raise BadProxyHeader("a PROXY header whose checksum is not its own")


def _text(value: bytes) -> str:
    text = value.decode("latin-1")
    if not text.isprintable():
        raise BadProxyHeader("a control character in a PROXY header")
    return text
