"""How much a peer may send, and which of its bad habits are put up with.

Small frozen records that the layers above fill from the settings. The defaults are strict, and
Gunicorn's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on one request; 0 means no bound.

    request_line: bytes of the request line without its CRLF (414 above it).
    fields: header field lines, and trailer lines with them (431).
    field_size: bytes of one field line without its CRLF (431).
    body: bytes of the body after its transfer coding is taken off (413).
    header_block: bytes of all field lines together, trailers with them (431). Without it a peer
        could make a connection hold `fields` times `field_size` bytes.
    """

    request_line: int = 4094
    fields: int = 100
    field_size: int = 8190
    body: int = 0
    header_block: int = 131072


#: What becomes of field names with an underscore: in an environ `X_Real_Ip` and `X-Real-Ip` are
#: the same key, so that a client could pass off the one for the other where a front removes or sets
#: only the other.
HeaderMap = Literal["drop", "refuse", "dangerous"]


@dataclass(frozen=True, slots=True)
class Leniency:
    """Each departure from the strict grammar, off by default; names and meaning are Gunicorn's.

    permit_obsolete_folding: a field's value may go on in lines that begin with a space or tab.
    strip_header_spaces: spaces and tabs between a field's name and its colon are ignored.
    permit_unconventional_http_method: any token is a method, not only 3 to 20 characters without
        lower-case letters and '#'.
    casefold_http_method: the method is given to the application in upper case.
    permit_unconventional_http_version: any HTTP/d.d is read by the rules of 1.1 (0.x: of 1.0).
    header_map: field names with an underscore are dropped, refused (400), or passed on as they are.
    """

    permit_obsolete_folding: bool = False
    strip_header_spaces: bool = False
    permit_unconventional_http_method: bool = False
    casefold_http_method: bool = False
    permit_unconventional_http_version: bool = False
    header_map: HeaderMap = "drop"
