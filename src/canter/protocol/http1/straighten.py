"""Two leniencies about header lines, as a rewriting into the strict form before the scan.

Folded lines and spaces before a colon are replaced byte for byte, so that no position moves and the
limits count what was sent; the strict scanners then need to know nothing of them. Only a head is
rewritten, never trailers.
"""

from __future__ import annotations

import re

from canter.protocol.limits import Leniency

# RFC 9112 section 5.2: obs-fold = OWS CRLF RWS, to be replaced by spaces.
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_SPACED_COLON = re.compile(rb"(?:^|(?<=\n))([!#$%&'*+\-.^_`|~0-9A-Za-z]++)([ \t]++):")


def straighten(data: bytes, pos: int, leniency: Leniency) -> tuple[bytes, int]:
    """`data` with the fields from `pos` on rewritten, and how much of it may be scanned now.

    With folding, whether a line is complete is known only when the next one has begun, so the LF
    that is last in the buffer is held back.
    """
    end = data.find(b"\r\n\r\n", pos)
    complete = end >= 0 or data.startswith(b"\r\n", pos)
    if data.startswith(b"\r\n", pos):
        return data, len(data)
    fields = data[pos:] if end < 0 else data[pos:end]
    if leniency.permit_obsolete_folding:
        fields = _FOLD.sub(b"  ", fields)
    if leniency.strip_header_spaces:
        fields = _SPACED_COLON.sub(_move_colon, fields)
    straight = data[:pos] + fields + (b"" if end < 0 else data[end:])
    held_back = leniency.permit_obsolete_folding and not complete and straight.endswith(b"\n")
    return straight, len(straight) - held_back


def _move_colon(found: re.Match[bytes]) -> bytes:
    name, spaces = found.groups()
    return name + b":" + spaces
