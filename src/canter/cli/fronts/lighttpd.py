"""lighttpd: mod_proxy, mod_fastcgi and mod_scgi, which speaks uwsgi too."""

from __future__ import annotations

import math
import re

from canter.cli.fronts.site import SET, Site, head

NAME = "lighttpd"
PROTOCOLS = ("http", "uwsgi", "fastcgi", "scgi")

_MODULES = {"http": "proxy", "fastcgi": "fastcgi", "scgi": "scgi", "uwsgi": "scgi"}

# Of static files; it knows none by itself.
_TYPES = {
    "css": "text/css; charset=utf-8",
    "gif": "image/gif",
    "html": "text/html; charset=utf-8",
    "ico": "image/x-icon",
    "jpg": "image/jpeg",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "pdf": "application/pdf",
    "png": "image/png",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "webp": "image/webp",
    "woff2": "font/woff2",
}


def configuration(site: Site) -> str:
    """The text of lighttpd.conf."""
    host, port = site.listens
    modules = ["mod_setenv", f"mod_{_MODULES[site.protocol]}"]
    if site.static:
        modules.append("mod_alias")
    if site.secure:
        modules.append("mod_openssl")
    words = ", ".join(f'"{name}"' for name in modules)
    lines = [
        *head(
            site,
            NAME,
            "/etc/lighttpd/lighttpd.conf",
            "lighttpd -tt -f /etc/lighttpd/lighttpd.conf",
            ["lighttpd makes a new connection to canter for each request."],
        ),
        "",
        f"server.modules = ( {words} )",
        'server.document-root = "/var/www"',
        *([f'server.bind = "{host}"'] if host else []),
        f"server.port = {port}",
        *_tls(site),
        "",
        "# canter's own limits, in kilobytes here; 0 is no limit.",
        f"server.max-request-size = {math.ceil(site.body_bytes / 1024)}",
        f"server.max-request-field-size = {max(site.head_bytes * 4, 32768)}",
        "# How long clients may be silent.",
        f"server.max-read-idle = {max(site.head_seconds, site.body_seconds)}",
        f"server.max-write-idle = {site.send_seconds}",
        "server.max-keep-alive-idle = 65",
        "server.max-keep-alive-requests = 10000",
        "# Streams arrive as they are made.",
        "server.stream-response-body = 1",
        "# %2F is passed on as it is.",
        "server.http-parseopts = (",
        '    "url-path-2f-decode" => "disable",',
        '    "url-path-2f-reject" => "disable"',
        ")",
        "",
        *_static(site),
        *_headers(site),
        *_pass(site),
        "",
    ]
    return "\n".join(lines)


def _tls(site: Site) -> list[str]:
    if not site.secure:
        return []
    return [
        'ssl.engine = "enable"',
        f'ssl.pemfile = "{site.certificate[0]}"',
        f'ssl.privkey = "{site.certificate[1]}"',
        'ssl.openssl.ssl-conf-cmd = ( "MinProtocol" => "TLSv1.2" )',
    ]


def _static(site: Site) -> list[str]:
    if not site.static:
        return []
    pairs = ", ".join(f'"{prefix}/" => "{folder}/"' for prefix, folder in site.static)
    types = [f'    ".{name}" => "{kind}",' for name, kind in _TYPES.items()]
    return [f"alias.url = ( {pairs} )", "mimetype.assign = (", *types, ")", ""]


def _headers(site: Site) -> list[str]:
    names = (
        (*SET[:1], *SET[2:3], *site.removed) if site.protocol == "http" else (*SET, *site.removed)
    )
    pairs = [f'    "{name}" => ""' for name in names if not (site.prefix and name == "SCRIPT_NAME")]
    if site.protocol == "http":
        # lighttpd itself then adds X-Forwarded-For and -Host.
        scheme, (_, port) = "https" if site.secure else "http", site.listens
        pairs += [f'    "X-Forwarded-Port" => "{port}"', f'    "X-Forwarded-Proto" => "{scheme}"']
        if site.prefix:
            pairs.append(f'    "SCRIPT_NAME" => "{site.prefix}"')
    return [
        "# Set here, whatever the client wrote; the empty ones are removed.",
        "setenv.set-request-header = (",
        ",\n".join(pairs),
        ")",
        "",
    ]


def _pass(site: Site) -> list[str]:
    module = _MODULES[site.protocol]
    if site.protocol == "http":
        where = f'"host" => "{site.path}"' if site.path else _tcp(site)
    else:
        where = f'"socket" => "{site.path}"' if site.path else _tcp(site)
    options = [
        where,
        '"connect-timeout" => 5',
        "# Longer than canter lets a request run, so that its own answer arrives.",
        f'"read-timeout" => {site.app_seconds}',
        "# There is no other server to spare this one for.",
        '"disable-time" => 0',
    ]
    if site.protocol != "http":
        options += ['"check-local" => "disable"', '"fix-root-scriptname" => "enable"']
    prefix = f"{site.prefix}" if site.prefix else ("/" if module != "proxy" else "")
    inner = [f"    {it}" + ("" if it.startswith("#") else ",") for it in options]
    lines = [
        *(['scgi.protocol = "uwsgi"'] if site.protocol == "uwsgi" else []),
        f'{module}.server = ( "{prefix}" => ((',
        *inner,
        ")) )",
    ]
    if not site.static:
        return lines
    mine = "|".join(re.escape(mounted) for mounted, _ in site.static)
    return [f'$HTTP["url"] !~ "^({mine})/" {{', *(f"    {line}" for line in lines), "}"]


def _tcp(site: Site) -> str:
    return f'"host" => "{site.host.strip("[]")}", "port" => {site.port}'
