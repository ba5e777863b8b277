"""What is let through although it is not quite HTTP. Everything here is off by default."""

from __future__ import annotations

from canter.settings.kinds import Boolean, Choice
from canter.settings.setting import AnySetting, Section, Setting

SECTION = Section(
    "Strictness",
    "What is let through although it is not quite HTTP. A message that two parsers may read "
    "differently is how requests are smuggled past a proxy: switch something on here only for a "
    "client that cannot be mended.",
)

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="header_map",
        section=SECTION,
        kind=Choice("drop", "refuse", "dangerous"),
        default="drop",
        flags=("--header-map",),
        help=(
            "What becomes of header names with an underscore, which in the application's environ "
            "look like those with a dash. `drop` leaves them out, `refuse` answers 400, and "
            "`dangerous` lets them through, so that a client can forge what a proxy sets."
        ),
    ),
    Setting(
        name="permit_obsolete_folding",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--permit-obsolete-folding",),
        help="Whether a header field may go on in the next line, as before RFC 7230.",
    ),
    Setting(
        name="strip_header_spaces",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--strip-header-spaces",),
        help="Whether white space between a header's name and its colon is taken away.",
    ),
    Setting(
        name="permit_unconventional_http_method",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--permit-unconventional-http-method",),
        help="Whether methods of other than 3 to 20 capital letters and dashes are taken.",
    ),
    Setting(
        name="permit_unconventional_http_version",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--permit-unconventional-http-version",),
        help="Whether versions other than HTTP/1.0 and HTTP/1.1 are taken.",
    ),
    Setting(
        name="casefold_http_method",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--casefold-http-method",),
        help="Whether methods are turned into capital letters.",
    ),
)
