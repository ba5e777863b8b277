"""Where the server can be watched."""

from __future__ import annotations

from canter.settings.kinds import Boolean, Networks, Optional, TextList, UrlPath
from canter.settings.setting import AnySetting, Section, Setting

SECTION = Section(
    "Observing",
    "Where the server can be watched: see [observability.md](observability.md).",
)

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="metrics_bind",
        section=SECTION,
        kind=TextList("ADDRESS,..."),
        default=(),
        flags=("--metrics-bind",),
        help=(
            "Addresses that serve metrics for Prometheus at `/metrics`, and `/livez`, `/readyz` "
            "and `/startupz`. They are written as for `bind`. A process of its own answers, so "
            "that a scrape never waits for the application. It needs `canter[metrics]`. "
            "A change takes effect at the next start."
        ),
    ),
    Setting(
        name="status_bind",
        section=SECTION,
        kind=TextList("ADDRESS,..."),
        default=(),
        flags=("--status-bind",),
        help=(
            "Addresses that serve the status page, and `/livez`, `/readyz` and `/startupz`. Where "
            "no host is given it is 127.0.0.1: the page shows what the server is doing, without "
            "query strings, to everybody who can reach it. "
            "A change takes effect at the next start."
        ),
    ),
    Setting(
        name="metrics_path",
        section=SECTION,
        kind=Optional(UrlPath()),
        default=None,
        flags=("--metrics-path",),
        help=(
            "A path of the addresses in `bind` that shows the same metrics, for the whole server "
            "and whichever worker is asked, to the peers in `metrics_allow_ips`; for others it is "
            "the application's. It needs `canter[metrics]`. Whether there are any is decided at "
            "the start."
        ),
    ),
    Setting(
        name="metrics_allow_ips",
        section=SECTION,
        kind=Networks(),
        default=("127.0.0.1", "::1"),
        flags=("--metrics-allow-from",),
        help=(
            "The peers that may see `metrics_path`. A request that a web server has passed on, "
            "which its header fields tell (`X-Forwarded-For`, `Forwarded`, `X-Real-IP`, `Via`), "
            "never may. Peers on a unix socket may."
        ),
    ),
    Setting(
        name="tracing",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--tracing",),
        help=(
            "Whether each request is a span of OpenTelemetry's, which is sent by OTLP over HTTP "
            "to where the SDK's own variables say (`OTEL_EXPORTER_OTLP_ENDPOINT` and so on). It "
            "needs `canter[otel]`; see [observability.md](observability.md#tracing)."
        ),
    ),
)
