"""What load balancers and orchestrators are told of the server."""

from __future__ import annotations

from canter.settings.kinds import Optional, UrlPath
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
)
