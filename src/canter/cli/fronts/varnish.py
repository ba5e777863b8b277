"""Varnish: HTTP/1.1, with the PROXY protocol ahead of it where that is wanted."""

from __future__ import annotations

from canter.cli.fronts.site import SET, Site, head

NAME = "Varnish"
PROTOCOLS = ("http", "proxy")


def configuration(site: Site) -> str:
    """The text of default.vcl."""
    host, port = site.listens
    tls = []
    if site.domain:
        host, port = host or "", port if site.listen else "80"
        tls = ["Varnish speaks no TLS: let hitch or HAProxy take it off in front of it."]
    options = " ".join(f"-p {name}={value}" for name, value in parameters(site).items())
    lines = [
        *head(
            site,
            NAME,
            "/etc/varnish/default.vcl",
            "varnishd -C -f /etc/varnish/default.vcl",
            [
                f"Start: varnishd -a {host or ''}:{port} -f /etc/varnish/default.vcl",
                f"    {options}",
            ],
        ),
        *(f"# {line}" for line in tls),
        "",
        "vcl 4.1;",
        "",
        "import std;",
        "",
        *_backend(site),
        "",
        *_receive(site),
        "",
        "sub vcl_backend_response {",
        "    # Nothing is kept but what the application says may be kept.",
        "    if (!beresp.http.Cache-Control && !beresp.http.Expires) {",
        "        set beresp.ttl = 120s;",
        "        set beresp.uncacheable = true;",
        "        return (deliver);",
        "    }",
        "}",
        "",
    ]
    return "\n".join(lines)


def parameters(site: Site) -> dict[str, str]:
    """The parameters that varnishd is started with."""
    found = {
        "http_req_hdr_len": str(site.head_bytes),
        "http_req_size": str(site.head_bytes * 4),
        "http_max_hdr": str(min(max(site.fields, 64), 65535)),
    }
    if site.idle_seconds > 0:
        # Shorter than canter keeps them.
        found["backend_idle_timeout"] = f"{max(site.idle_seconds, 1):g}"
    return found


def _backend(site: Site) -> list[str]:
    where = (
        [f'    .path = "{site.path}";']
        if site.path
        else [f'    .host = "{site.host.strip("[]")}";', f'    .port = "{site.port}";']
    )
    if site.protocol == "proxy":
        where.append(f"    .proxy_header = {site.proxy_version};")
    if site.health:
        where += [
            "    .probe = {",
            f'        .url = "{site.health}";',
            "        .interval = 2s;",
            "    }",
        ]
    return [
        "backend canter {",
        *where,
        "    .connect_timeout = 5s;",
        "    # Longer than canter lets a request run, so that its own answer arrives.",
        f"    .first_byte_timeout = {site.app_seconds}s;",
        f"    .between_bytes_timeout = {site.app_seconds}s;",
        "}",
    ]


def _receive(site: Site) -> list[str]:
    lines = ["sub vcl_recv {"]
    if site.body_bytes:
        lines += [
            "    # canter's own limit; a body in chunks is measured by canter.",
            f"    if (std.integer(req.http.Content-Length, 0) > {site.body_bytes}) {{",
            "        return (synth(413));",
            "    }",
        ]
    lines.append("    # Set here, whatever the client wrote.")
    if site.protocol == "http":
        lines += [
            "    set req.http.X-Forwarded-For = client.ip;",
            '    set req.http.X-Forwarded-Proto = "http";',
            "    set req.http.X-Forwarded-Host = req.http.Host;",
            "    set req.http.X-Forwarded-Port = std.port(server.ip);",
        ]
    removed = site.removed if site.protocol == "http" else (*SET, *site.removed)
    lines += [f"    unset req.http.{name};" for name in removed]
    if site.prefix:
        lines += [
            f'    if (req.url !~ "^{site.prefix}(/|[?]|$)") {{',
            "        return (synth(404));",
            "    }",
            f'    set req.http.SCRIPT_NAME = "{site.prefix}";',
        ]
    return [*lines, "}"]
