"""When a certificate expires, read from its file.

The standard library tells this only of a peer's certificate, so the few fields before it are walked
here: X.509 (RFC 5280, section 4.1) in DER, all of whose elements are a tag, a length and a content.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def expires_at(path: str) -> float:
    """The end of the first certificate in a PEM file, in seconds since the epoch.

    Raises OSError, and ValueError for what is no certificate.
    """
    with open(path, encoding="ascii", errors="replace") as file:
        _, begin, rest = file.read().partition(_BEGIN)
    body, end, _ = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"{path}: no certificate in PEM")
    try:
        return _not_after(ssl.PEM_cert_to_DER_cert(f"{_BEGIN}{body}{_END}"))
    except IndexError:
        raise ValueError(f"{path}: the certificate is cut off") from None


def _not_after(der: bytes) -> float:
    at, _ = _content(der, 0, _SEQUENCE)
    at, _ = _content(der, at, _SEQUENCE)
    # version?, serialNumber, signature, issuer; then validity.
    for _ in range(4 if der[at] == _VERSION else 3):
        at = _element(der, at)[2]
    at, _ = _content(der, at, _SEQUENCE)
    after = _element(der, at)[2]
    tag, start, end = _element(der, after)
    text = der[start:end].decode("ascii")
    if tag == _UTC_TIME:
        text = f"{'19' if text[:2] >= '50' else '20'}{text}"
    elif tag != _GENERALIZED_TIME:
        raise ValueError("the validity of the certificate is not a time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """The tag of the element at `at`, and where its content starts and ends."""
    tag, length = der[at], der[at + 1]
    at += 2
    if length & 0x80:
        size = length & 0x7F
        length = int.from_bytes(der[at : at + size], "big")
        at += size
    if at + length > len(der):
        raise IndexError
    return tag, at, at + length


def _content(der: bytes, at: int, wanted: int) -> tuple[int, int]:
    tag, start, end = _element(der, at)
    if tag != wanted:
        raise ValueError("this is no certificate")
    return start, end


class Expiries:
    """When the certificates of some files expire; a file is read again when it has changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, float]] = {}

    def of(self, paths: Iterable[str]) -> dict[str, float]:
        """By path. A file that cannot be read, or read now, has its last known time, or none."""
        found = {}
        for path in paths:
            signature, moment = self._known.get(path, (None, None))
            try:
                status = os.stat(path)
                now: object = (status.st_mtime_ns, status.st_ino, status.st_size)
                if now != signature:
                    moment = expires_at(path)
                    self._known[path] = (now, moment)
            except (OSError, ValueError):
                pass  # half written, or gone: the workers go on with the old one, too
            if moment is not None:
                found[path] = moment
        return found
