"""Whom to believe about what happened before the request came here."""

from __future__ import annotations

from types import MappingProxyType

from canter.settings.kinds import Choice, HeaderMapping, HeaderNames, Networks, SwitchedChoice
from canter.settings.setting import AnySetting, PlatformVariable, Section, Setting

SECTION = Section("Proxies", "Whom to believe about what happened before a request came here.")

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="forwarded_allow_ips",
        section=SECTION,
        kind=Networks(),
        default=("127.0.0.1", "::1"),
        flags=("--forwarded-allow-ips",),
        platform=PlatformVariable("FORWARDED_ALLOW_IPS"),
        help=(
            "The peers whose headers about the scheme and the mount point are believed. "
            "`*` believes everyone, which is right only where nobody but a proxy can connect; "
            "an empty value believes nobody. Peers on a unix socket are always believed."
        ),
    ),
    Setting(
        name="uwsgi_allow_ips",
        section=SECTION,
        kind=Networks(),
        default=("127.0.0.1", "::1"),
        flags=("--uwsgi-allow-from", "--gateway-allow-from"),
        help=(
            "The peers that may speak uwsgi, FastCGI or SCGI where those are spoken. "
            "What they say about the client is believed, so `*` is right only where nobody but a "
            "web server can connect; others are closed with a line in the log. Peers on a unix "
            "socket may always."
        ),
        gunicorn="It is the list for FastCGI and SCGI as well, which Gunicorn does not speak.",
    ),
    Setting(
        name="proxy_protocol",
        section=SECTION,
        kind=SwitchedChoice("off", "v1", "v2", "auto", "required", yes="auto", no="off"),
        default="off",
        flags=("--proxy-protocol",),
        bare="auto",
        help=(
            "Read the PROXY protocol ahead of connections: who the client is, said by the proxy "
            "before all else. `auto` takes both versions. Connections without it are served too, "
            "but for `required`."
        ),
        gunicorn="`required` is canter's own.",
    ),
    Setting(
        name="proxy_allow_ips",
        section=SECTION,
        kind=Networks(),
        default=("127.0.0.1", "::1"),
        flags=("--proxy-allow-from",),
        help=(
            "The peers whose PROXY protocol is believed. From others it is refused. Peers on a "
            "unix socket are always believed."
        ),
    ),
    Setting(
        name="forwarded_fields",
        section=SECTION,
        kind=Choice("off", "x-forwarded", "forwarded"),
        default="off",
        flags=("--forwarded-fields",),
        help=(
            "Which headers of a peer of `forwarded_allow_ips` say who the client is: "
            "`X-Forwarded-For`, `-Proto`, `-Host`, `-Port` and `-Prefix`, or `Forwarded` "
            "(RFC 7239); never both. They are read from the right, past addresses that are in "
            "`forwarded_allow_ips` themselves, and set REMOTE_ADDR, the scheme, the host and "
            "SCRIPT_NAME; the peer's own address is in `canter.peer`. The front must set the "
            "headers or remove them: what it passes on unread, the client has written."
        ),
    ),
    Setting(
        name="secure_scheme_headers",
        section=SECTION,
        kind=HeaderMapping(),
        default=MappingProxyType(
            {
                "X-FORWARDED-PROTOCOL": "ssl",
                "X-FORWARDED-PROTO": "https",
                "X-FORWARDED-SSL": "on",
            }
        ),
        flags=("--secure-scheme-headers",),
        help=(
            "Headers, each with the value that means https. "
            "They are looked at only when they come from a peer of `forwarded_allow_ips`."
        ),
        gunicorn="Names match whatever their case; Gunicorn's must be in capital letters.",
    ),
    Setting(
        name="forwarder_headers",
        section=SECTION,
        kind=HeaderNames(),
        default=("SCRIPT_NAME", "PATH_INFO"),
        flags=("--forwarder-headers",),
        help=(
            "Headers with an underscore that a peer of `forwarded_allow_ips` may set although "
            "`header_map` would drop them."
        ),
    ),
)
