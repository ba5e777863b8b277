"""PROXY headers, well formed and not."""

from __future__ import annotations

from canter.protocol.proxy.crc32c import crc32c
from canter.protocol.proxy.v2 import SIGNATURE

V1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n"
V1_6 = b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n"
IPV4 = bytes((192, 0, 2, 7, 198, 51, 100, 1)) + (4711).to_bytes(2, "big") + b"\x01\xbb"
UNIX = b"/run/client".ljust(108, b"\0") + b"/run/server".ljust(108, b"\0")
CRC32C = 3


def item(kind: int, value: bytes) -> bytes:
    return bytes((kind,)) + len(value).to_bytes(2, "big") + value


def v2(body: bytes = IPV4, command: int = 0x21, family: int = 0x11, change: int = 0) -> bytes:
    size = (len(body) + change).to_bytes(2, "big")
    return SIGNATURE + bytes((command, family)) + size + body


def with_checksum(body: bytes, behind: bytes = b"") -> bytes:
    value = crc32c(v2(body + item(CRC32C, bytes(4)) + behind))
    return v2(body + item(CRC32C, value.to_bytes(4, "big")) + behind)


def tls(client: int, *items: bytes) -> bytes:
    return item(0x20, bytes((client, 0, 0, 0, 0)) + b"".join(items))


ADDRESSED = {"PROXY_PROTOCOL": "TCP4", "PROXY_ADDR": "198.51.100.1", "PROXY_PORT": "443"}

ACCEPTED: dict[str, tuple[bytes, tuple[str, str] | None, str, dict[str, str]]] = {
    "version 1": (V1, ("192.0.2.7", "4711"), "", ADDRESSED),
    "version 1 by IPv6": (
        V1_6,
        ("2001:db8::7", "4711"),
        "",
        {"PROXY_PROTOCOL": "TCP6", "PROXY_ADDR": "2001:db8::1", "PROXY_PORT": "443"},
    ),
    "version 1 that names nobody": (b"PROXY UNKNOWN\r\n", None, "", {}),
    "version 1 that names nobody at length": (b"PROXY UNKNOWN ffff::1 x y z\r\n", None, "", {}),
    "version 2": (v2(), ("192.0.2.7", "4711"), "", ADDRESSED),
    "version 2 by IPv6": (
        v2(bytes(15) + b"\7" + bytes(15) + b"\1" + b"\0\1\0\2", family=0x21),
        ("::7", "1"),
        "",
        {"PROXY_PROTOCOL": "TCP6", "PROXY_ADDR": "::1", "PROXY_PORT": "2"},
    ),
    "version 2 over a unix socket": (
        v2(UNIX, family=0x31),
        ("", ""),
        "",
        {"PROXY_PROTOCOL": "UNIX", "PROXY_ADDR": "/run/server", "PROXY_PORT": ""},
    ),
    "version 2 of the proxy itself": (v2(b"whatever", command=0x20, family=0), None, "", {}),
    "version 2 that names nobody": (v2(b"", family=0), None, "", {}),
    "a name, a protocol and an id": (
        v2(IPV4 + item(1, b"h2") + item(2, b"www.example") + item(5, b"\1\xff")),
        ("192.0.2.7", "4711"),
        "",
        ADDRESSED
        | {
            "PROXY_ALPN": "h2",
            "PROXY_AUTHORITY": "www.example",
            "PROXY_UNIQUE_ID": "01ff",
        },
    ),
    "a client that came by TLS": (
        v2(IPV4 + tls(1, item(0x21, b"TLSv1.3"), item(0x22, b"me"), item(0x23, b"AES"))),
        ("192.0.2.7", "4711"),
        "https",
        ADDRESSED
        | {
            "PROXY_SSL_VERSION": "TLSv1.3",
            "PROXY_SSL_CN": "me",
            "PROXY_SSL_CIPHER": "AES",
        },
    ),
    "a client that came without TLS": (v2(IPV4 + tls(0)), ("192.0.2.7", "4711"), "", ADDRESSED),
    "items that are not known": (
        v2(IPV4 + item(4, bytes(9)) + item(0xE0, b"x") + item(0xE0, b"y")),
        ("192.0.2.7", "4711"),
        "",
        ADDRESSED,
    ),
    "a checksum": (with_checksum(IPV4), ("192.0.2.7", "4711"), "", ADDRESSED),
    "a checksum before other items": (
        with_checksum(IPV4, item(4, b"x")),
        ("192.0.2.7", "4711"),
        "",
        ADDRESSED,
    ),
}

REJECTED: dict[str, tuple[bytes, str]] = {
    "a line without its end": (b"PROXY TCP4 " + b"x" * 200, "without its end"),
    "a line that ends with a bare LF": (V1.replace(b"\r\n", b"\n"), "a bare LF"),
    "a line with too few words": (b"PROXY TCP4 192.0.2.7\r\n", "family, addresses"),
    "a line with too many words": (V1.replace(b"\r\n", b" x\r\n"), "family, addresses"),
    "a line with two spaces": (V1.replace(b"TCP4 ", b"TCP4  "), "family, addresses"),
    "another family": (V1.replace(b"TCP4", b"TCP5"), "family, addresses"),
    "addresses of another family": (V1.replace(b"TCP4", b"TCP6"), "are not TCP6"),
    "an address that is none": (V1.replace(b"192.0.2.7", b"192.0.2.256"), "are not TCP4"),
    "a port that is none": (V1.replace(b"4711", b"04711"), "whose port"),
    "a port that is too high": (V1.replace(b"4711", b"65536"), "whose port"),
    "a line that is not ASCII": (V1.replace(b"443", b"\xff43"), "not ASCII"),
    "another version": (v2(command=0x31), "version 3"),
    "another command": (v2(command=0x22), "the command 2"),
    "another family in version 2": (v2(family=0x41), "the family 0x41"),
    "another transport": (v2(family=0x13), "the family 0x13"),
    "too short for its addresses": (v2(IPV4[:-1]), "too short"),
    "a header that is too long": (v2(bytes(5000)), "over 4096"),
    "an item beyond the end": (v2(IPV4 + item(4, b"xyz")[:-1]), "beyond the end"),
    "an item that ends within its size": (v2(IPV4 + b"\4\0"), "beyond the end"),
    "a checksum that is wrong": (v2(IPV4 + item(CRC32C, b"abcd")), "is not its own"),
    "a checksum of the wrong size": (v2(IPV4 + item(CRC32C, b"abc")), "the wrong size"),
    "two names": (v2(IPV4 + item(2, b"a") + item(2, b"b")), "two items"),
    "an id that is too long": (v2(IPV4 + item(5, bytes(129))), "128 bytes"),
    "a line end in a name": (v2(IPV4 + item(2, b"a\r\nb")), "control character"),
    "an item about TLS that is too short": (v2(IPV4 + item(0x20, b"x")), "too short"),
}
