"""What load balancers and orchestrators are told of the server."""

from __future__ import annotations

from canter.settings.kinds import Duration, Optional, Text, UrlPath
from canter.settings.setting import AnySetting, Section, Setting

SECTION = Section(
    "Health",
    "What load balancers and orchestrators are told: see [health.md](health.md).",
)

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="health_path",
        section=SECTION,
        kind=Optional(UrlPath()),
        default=None,
        flags=("--health-path",),
        help=(
            "The path below which the server answers health checks by itself: `livez`, `readyz` "
            "and `startupz`. They are answered also while every thread is busy, and do not reach "
            "the application. With `/health`, `/health` itself answers as `/health/readyz`; with "
            "`/` they are `/livez` and so on. Where it is not set there are none."
        ),
    ),
    Setting(
        name="health_check",
        section=SECTION,
        kind=Optional(Text("MODULE:CALLABLE")),
        default=None,
        flags=("--health-check",),
        help=(
            "A function of the application, without arguments, that says whether it is well: it "
            "fails by raising something or giving `False`. Each worker calls it now and then in a "
            "thread of its own, and readiness says no while it fails or hangs. Requests are "
            "served all the same."
        ),
    ),
    Setting(
        name="health_check_interval",
        section=SECTION,
        kind=Duration(zero=False),
        default=10.0,
        flags=("--health-check-interval",),
        help="The time between two calls of `health_check`.",
    ),
    Setting(
        name="health_check_timeout",
        section=SECTION,
        kind=Duration(zero=False),
        default=5.0,
        flags=("--health-check-timeout",),
        help="A call of `health_check` that takes longer hangs, readiness says until it is over.",
    ),
)
