"""HTTP/2: where it is spoken, and what one connection may have."""

from __future__ import annotations

from canter.settings.kinds import Choice, Integer, Size, Words
from canter.settings.setting import AnySetting, Section, Setting

SECTION = Section("HTTP/2", "Where it is spoken, and what one connection may have.")

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="http_protocols",
        section=SECTION,
        kind=Words("h1", "h2"),
        default=("h1",),
        flags=("--http-protocols",),
        help=(
            "The versions of HTTP that clients may choose by ALPN, the best first. "
            "Clients that choose nothing speak HTTP/1.1."
        ),
    ),
    Setting(
        name="http2_cleartext",
        section=SECTION,
        kind=Choice("off", "prior-knowledge", "both", "upgrade"),
        default="off",
        flags=("--http2-cleartext",),
        help=(
            "Whether HTTP/2 is spoken without TLS, by prior knowledge, with the peers of "
            "`forwarded_allow_ips`."
        ),
        gunicorn=(
            "`upgrade` is refused, and `both` is `prior-knowledge` with a warning: RFC 9113 has "
            "given up the upgrade from HTTP/1.1."
        ),
    ),
    Setting(
        name="http2_max_concurrent_streams",
        section=SECTION,
        kind=Integer(1),
        default=100,
        flags=("--http2-max-concurrent-streams",),
        help="How many requests one connection may have at once.",
    ),
    Setting(
        name="http2_initial_window_size",
        section=SECTION,
        kind=Size(1, 2**31 - 1),
        default=65535,
        flags=("--http2-initial-window-size",),
        help="How many bytes of one request's body may be on their way at once.",
    ),
    Setting(
        name="http2_max_frame_size",
        section=SECTION,
        kind=Size(16384, 2**24 - 1),
        default=16384,
        flags=("--http2-max-frame-size",),
        help="The largest frame that clients may send.",
    ),
    Setting(
        name="http2_max_header_list_size",
        section=SECTION,
        kind=Size(0),
        default=65536,
        flags=("--http2-max-header-list-size",),
        help="The largest head of a request, all fields unpacked; 0 means 16 MiB.",
    ),
)
