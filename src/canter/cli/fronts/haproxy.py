"""HAProxy: HTTP/1.1, HTTP/2 and FastCGI, and TCP with the PROXY protocol."""

from __future__ import annotations

from canter.cli.fronts.site import SET, Site, head, seconds

NAME = "HAProxy"
PROTOCOLS = ("http", "h2c", "fastcgi", "proxy")

_BUFFER_BYTES = 16 * 1024
_VALUES = {
    "X-Forwarded-For": "%[src]",
    "X-Forwarded-Proto": "%[ssl_fc,iif(https,http)]",
    "X-Forwarded-Host": "%[req.hdr(host)]",
    "X-Forwarded-Port": "%[dst_port]",
}


def configuration(site: Site) -> str:
    """The text of haproxy.cfg."""
    body = _tcp(site) if site.protocol == "proxy" else _http(site)
    lines = [
        *head(site, NAME, "/etc/haproxy/haproxy.cfg", "haproxy -c -f /etc/haproxy/haproxy.cfg"),
        "",
        *body,
        "",
    ]
    return "\n".join(lines)


def _where(site: Site) -> str:
    return f"unix@{site.path}" if site.path else site.host_port


def _bind(site: Site) -> str:
    host, port = site.listens
    return f"{host or '*'}:{port}"


def _tcp(site: Site) -> list[str]:
    version = "send-proxy" if site.proxy_version == 1 else "send-proxy-v2"
    quiet = max(site.app_seconds, int(site.keepalive_seconds) + 10)
    return [
        "global",
        "    log /dev/log local0",
        "",
        "defaults",
        "    mode tcp",
        "    log global",
        "    option tcplog",
        "    option dontlognull",
        "    timeout connect 5s",
        "    # canter ends connections; this is for those whose end it cannot see.",
        f"    timeout client {quiet}s",
        f"    timeout server {quiet}s",
        "",
        "frontend web",
        f"    bind {_bind(site)}",
        "    default_backend canter",
        "",
        "backend canter",
        f"    server canter {_where(site)} {version}",
    ]


def _http(site: Site) -> list[str]:
    head_bytes = site.head_bytes * 2
    large = [f"    tune.bufsize {head_bytes}"] if head_bytes > _BUFFER_BYTES else []
    return [
        "global",
        "    log /dev/log local0",
        *large,
        f"    tune.http.maxhdr {min(max(site.fields, 101), 32767)}",
        "",
        "defaults",
        "    mode http",
        "    log global",
        "    option httplog",
        "    option dontlognull",
        "    # Streams arrive as they are made.",
        "    option http-no-delay",
        "    timeout connect 5s",
        f"    timeout http-request {site.head_seconds}s",
        "    timeout http-keep-alive 65s",
        f"    timeout client {max(site.body_seconds, site.send_seconds)}s",
        "    # Longer than canter lets a request run, so that its own answer arrives.",
        f"    timeout server {site.app_seconds}s",
        "",
        "frontend web",
        *_doors(site),
        *_limits(site),
        *_headers(site),
        f"    {_choice(site)}",
        "",
        *(_fcgi_app(site) if site.protocol == "fastcgi" else []),
        "backend canter",
        *_server(site),
    ]


def _choice(site: Site) -> str:
    if not site.prefix:
        return "default_backend canter"
    return f"use_backend canter if {{ path -m beg {site.prefix}/ }} || {{ path {site.prefix} }}"


def _doors(site: Site) -> list[str]:
    if not site.secure:
        return [f"    bind {_bind(site)}"]
    pem = f"/etc/haproxy/certs/{site.domain}.pem"
    lines = [
        "    # The certificate, its chain and its key in one file.",
        f"    bind {_bind(site)} ssl crt {pem} alpn h2,http/1.1 ssl-min-ver TLSv1.2",
    ]
    host, port = site.listens
    if not host and port == "443":
        lines += [
            "    bind *:80",
            "    http-request redirect scheme https code 308 unless { ssl_fc }",
        ]
    return lines


def _limits(site: Site) -> list[str]:
    if not site.body_bytes:
        return []
    longer = f"req.hdr_val(content-length) gt {site.body_bytes}"
    return [
        "    # canter's own limit; a body in chunks is measured by canter.",
        f"    http-request deny deny_status 413 if {{ {longer} }}",
    ]


def _headers(site: Site) -> list[str]:
    over_http = site.protocol in ("http", "h2c")
    removed = site.removed if over_http else (*SET, *site.removed)
    lines = [
        "    # Set here, whatever the client wrote." if over_http else "    # Clients' claims."
    ]
    if over_http:
        lines += [f"    http-request set-header {name} {_VALUES[name]}" for name in SET]
    lines += [f"    http-request del-header {name}" for name in removed]
    if site.prefix and over_http:
        lines.append(f"    http-request set-header SCRIPT_NAME {site.prefix}")
    return lines


def _fcgi_app(site: Site) -> list[str]:
    return [
        "fcgi-app canter",
        "    docroot /",
        "    option keep-conn",
        *([f"    set-param SCRIPT_NAME {site.prefix}"] if site.prefix else []),
        "    set-param REMOTE_PORT %[src_port]",
        "",
    ]


def _server(site: Site) -> list[str]:
    pooled = site.idle_seconds > 0
    words = [f"    server canter {_where(site)}"]
    if site.protocol == "h2c":
        words.append("proto h2")
    if site.protocol == "fastcgi":
        words.append("proto fcgi")
    lines = ["    use-fcgi-app canter"] if site.protocol == "fastcgi" else []
    if pooled:
        lines += [
            "    # Idle connections end here before canter ends them, so that no request is",
            "    # sent into one that is just being closed.",
            "    http-reuse safe",
        ]
        words.append(f"pool-purge-delay {seconds(site.idle_seconds)}")
    else:
        lines.append("    option http-server-close")
    lines += [
        "    # Sent again is what canter has not answered at all, and only if that is safe.",
        "    retries 2",
        "    retry-on conn-failure empty-response",
        "    http-request disable-l7-retry if !{ method GET HEAD OPTIONS }",
    ]
    if site.health and site.protocol in ("http", "h2c"):
        lines.append(f"    option httpchk GET {site.health}")
        words.append("check inter 2s")
    return [*lines, " ".join(words)]
