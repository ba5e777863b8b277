"""What one connection of HTTP/2 may have, as it is told to the peer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Http2Limits:
    """Names and defaults are Gunicorn's; sizes in bytes, 0 means no bound.

    cleartext: whether it is spoken without TLS, by prior knowledge, with trusted peers.
    """

    max_concurrent_streams: int = 100
    initial_window_size: int = 65535
    max_frame_size: int = 16384
    max_header_list_size: int = 65536
    cleartext: bool = False
