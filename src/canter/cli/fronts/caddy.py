"""Caddy: HTTP/1.1, HTTP/2 without TLS, and FastCGI."""

from __future__ import annotations

from canter.cli.fronts.site import SET, Site, head, seconds

NAME = "Caddy"
PROTOCOLS = ("http", "h2c", "fastcgi")


def configuration(site: Site) -> str:
    """The text of a Caddyfile."""
    host, port = site.listens
    if site.secure and not site.listen:
        address = site.domain  # Caddy gets a certificate for it, and redirects from port 80
    elif site.secure:
        address = f"https://{site.domain}:{port}"
    else:
        address = f"http://:{port}"
    lines = [
        *head(site, NAME, "/etc/caddy/Caddyfile", "caddy validate --config /etc/caddy/Caddyfile"),
        "",
        "{",
        "    servers {",
        f"        max_header_size {max(site.head_bytes * 2, 16384)}",
        "        timeouts {",
        f"            read_header {site.head_seconds}s",
        "            idle 65s",
        "        }",
        "    }",
        "}",
        "",
        f"{address} {{",
        *([f"    bind {host}"] if host else []),
        *_limits(site),
        *_static(site),
        *_pass(site),
        "}",
        "",
    ]
    return "\n".join(lines)


def _limits(site: Site) -> list[str]:
    if not site.body_bytes:
        return []
    return [
        "    # canter's own limit.",
        "    request_body {",
        f"        max_size {site.body_bytes}",
        "    }",
    ]


def _static(site: Site) -> list[str]:
    lines = []
    for prefix, folder in site.static:
        lines += [
            f"    handle_path {prefix}/* {{",
            f"        root * {folder}",
            "        file_server",
            "    }",
        ]
    return lines


def _pass(site: Site) -> list[str]:
    where = f"unix/{site.path}" if site.path else site.host_port
    if site.protocol == "h2c":
        where = f"unix+h2c/{site.path}" if site.path else f"h2c://{where}"
    over_http = site.protocol in ("http", "h2c")
    matcher = f"{site.prefix}/* " if site.prefix else ""
    lines = [
        "    handle {",
        f"        reverse_proxy {matcher}{where} {{",
        "            # Streams arrive as they are made; canter holds what slow clients leave.",
        "            flush_interval -1",
    ]
    if over_http:
        lines += [
            "            # Caddy itself sets X-Forwarded-For, -Proto and -Host anew.",
            "            header_up X-Forwarded-Port {http.request.port}",
        ]
    removed = site.removed if over_http else (*SET, *site.removed)
    mounted = over_http and site.prefix
    lines += [
        f"            header_up -{name}"
        for name in removed
        if not (mounted and name == "SCRIPT_NAME")
    ]
    if over_http:
        if site.prefix:
            lines.append(f"            header_up SCRIPT_NAME {site.prefix}")
        lines += _http_transport(site)
    else:
        lines += [
            "            transport fastcgi {",
            "                root /",
            f'                env SCRIPT_NAME "{site.prefix}"',
            "                env PATH_INFO {http.request.uri.path}",
            "                env REMOTE_PORT {http.request.remote.port}",
            "                dial_timeout 5s",
            "                # Longer than canter lets a request run.",
            f"                read_timeout {site.app_seconds}s",
            "            }",
        ]
    return [*lines, "        }", "    }"]


def _http_transport(site: Site) -> list[str]:
    idle = seconds(site.idle_seconds) if site.idle_seconds > 0 else "off"
    return [
        "            transport http {",
        *(["                versions h2c"] if site.protocol == "h2c" else []),
        "                dial_timeout 5s",
        "                # Longer than canter lets a request run, so that its own answer arrives.",
        f"                response_header_timeout {site.app_seconds}s",
        "                # Idle connections end here before canter ends them, so that no request",
        "                # is sent into one that is just being closed.",
        f"                keepalive {idle}",
        "            }",
    ]
