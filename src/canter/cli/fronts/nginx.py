"""nginx: its proxy, uwsgi, FastCGI and SCGI modules, and stream for the PROXY protocol."""

from __future__ import annotations

from canter.cli.fronts.site import SET, Site, head, seconds

NAME = "nginx"
PROTOCOLS = ("http", "uwsgi", "fastcgi", "scgi", "proxy")

# What the variables of a gateway protocol are made from.
_PARAMS = (
    ("QUERY_STRING", "$query_string"),
    ("REQUEST_METHOD", "$request_method"),
    ("CONTENT_TYPE", "$content_type"),
    ("CONTENT_LENGTH", "$content_length"),
    ("REQUEST_URI", "$request_uri"),
    ("SERVER_PROTOCOL", "$server_protocol"),
    ("REQUEST_SCHEME", "$scheme"),
    ("HTTPS", "$https if_not_empty"),
    ("REMOTE_ADDR", "$remote_addr"),
    ("REMOTE_PORT", "$remote_port"),
    ("SERVER_ADDR", "$server_addr"),
    ("SERVER_PORT", "$server_port"),
    ("SERVER_NAME", "$server_name"),
)
_VALUES = {
    "X-Forwarded-For": "$remote_addr",
    "X-Forwarded-Proto": "$scheme",
    "X-Forwarded-Host": "$canter_host",
    "X-Forwarded-Port": "$server_port",
}


def configuration(site: Site) -> str:
    """The text of a file for nginx."""
    lines = _stream(site) if site.protocol == "proxy" else _http(site)
    return "\n".join([*lines, ""])


def _where(site: Site) -> str:
    return f"unix:{site.path}" if site.path else site.host_port


def _listen(site: Site) -> str:
    host, port = site.listens
    return f"{host}:{port}" if host else port


def _stream(site: Site) -> list[str]:
    version = (
        []
        if site.proxy_version == 1
        else ["        # Version 1: canter takes it with --proxy-protocol=auto or =required."]
    )
    return [
        *head(
            site,
            NAME,
            "/etc/nginx/modules-enabled/90-canter.conf (the main context, not http)",
            "nginx -t",
            ["It needs the stream module (Debian: libnginx-mod-stream)."],
        ),
        "",
        "stream {",
        "    upstream canter {",
        f"        server {_where(site)};",
        "    }",
        "    server {",
        f"        listen {_listen(site)};",
        "        proxy_pass canter;",
        *version,
        "        proxy_protocol on;",
        "        proxy_connect_timeout 5s;",
        "        # canter ends connections; this is for those whose end it cannot see.",
        f"        proxy_timeout {max(site.app_seconds, int(site.keepalive_seconds) + 10)}s;",
        "    }",
        "}",
    ]


def _http(site: Site) -> list[str]:
    tls = [
        f"    ssl_certificate {site.certificate[0]};",
        f"    ssl_certificate_key {site.certificate[1]};",
        "    ssl_protocols TLSv1.2 TLSv1.3;",
        "    ssl_session_cache shared:canter:1m;",
        "",
    ]
    host, port = site.listens
    return [
        *head(site, NAME, "/etc/nginx/conf.d/canter.conf (within http)", "nginx -t"),
        "",
        "upstream canter {",
        f"    server {_where(site)};",
        *_pool(site),
        "}",
        "",
        "# A request of HTTP/1.0 may come without a host.",
        "map $http_host $canter_host {",
        '    ""      $host;',
        "    default $http_host;",
        "}",
        "",
        *(_redirect(site) if site.secure and not host and port == "443" else []),
        "server {",
        f"    listen {_listen(site)}{' ssl http2' if site.secure else ''};",
        f"    server_name {site.domain or '_'};",
        *(tls if site.secure else []),
        "    # canter's own limits, so that neither refuses what the other takes.",
        f"    client_max_body_size {site.body_bytes};{'' if site.body_bytes else '  # no limit'}",
        f"    large_client_header_buffers 4 {site.head_bytes // 1024}k;",
        f"    client_header_timeout {site.head_seconds}s;",
        f"    client_body_timeout {site.body_seconds}s;",
        f"    send_timeout {site.send_seconds}s;",
        "    keepalive_timeout 65s;  # browsers",
        "",
        *_static(site),
        f"    location {site.prefix or '/'} {{",
        *(_proxy(site) if site.protocol == "http" else _gateway(site)),
        "    }",
        "}",
    ]


def _pool(site: Site) -> list[str]:
    if site.idle_seconds <= 0 or site.protocol not in ("http", "fastcgi"):
        return []
    return [
        "    # Idle connections end here before canter ends them, so that no request is",
        "    # sent into one that is just being closed.",
        "    keepalive 32;",
        f"    keepalive_timeout {seconds(site.idle_seconds)};",
    ]


def _redirect(site: Site) -> list[str]:
    return [
        "server {",
        "    listen 80;",
        f"    server_name {site.domain};",
        f"    return 308 https://{site.domain}$request_uri;",
        "}",
        "",
    ]


def _static(site: Site) -> list[str]:
    lines = []
    for prefix, folder in site.static:
        lines += [f"    location {prefix}/ {{", f"        alias {folder}/;", "    }"]
    return lines


def _shared(site: Site, kind: str) -> list[str]:
    """What is said in the same words for every protocol."""
    return [
        f"        {kind}_connect_timeout 5s;",
        "        # Longer than canter lets a request run, so that its own answer arrives.",
        f"        {kind}_read_timeout {site.app_seconds}s;",
        f"        {kind}_send_timeout {max(site.body_seconds, site.send_seconds)}s;",
        "        # Streams arrive as they are made; canter holds what slow clients leave.",
        f"        {kind}_buffering off;",
        "        # Room for a response head with large cookies.",
        f"        {kind}_buffer_size 16k;",
        f"        {kind}_buffers 8 16k;",
        "        # Sent again is what canter has not answered at all, and only if that is safe.",
        f"        {kind}_next_upstream error;",
    ]


def _proxy(site: Site) -> list[str]:
    pooled = site.idle_seconds > 0
    return [
        "        proxy_pass http://canter;",
        "        proxy_http_version 1.1;",
        f'        proxy_set_header Connection "{"" if pooled else "close"}";',
        "        proxy_set_header Host $canter_host;",
        "        # Set here, whatever the client wrote; the empty ones are removed.",
        *(f"        proxy_set_header {name} {_VALUES[name]};" for name in SET),
        *(f'        proxy_set_header {name} "";' for name in _removed(site)),
        *([f"        proxy_set_header SCRIPT_NAME {site.prefix};"] if site.prefix else []),
        "        # canter collects bodies before it calls the application; once is enough.",
        "        proxy_request_buffering off;",
        *_shared(site, "proxy"),
    ]


def _removed(site: Site) -> list[str]:
    # nginx drops names with underscores by itself (underscores_in_headers off).
    return [name for name in site.removed if "_" not in name]


def _params(kind: str) -> list[tuple[str, str]]:
    if kind != "scgi":
        return list(_PARAMS)
    # The length, which stands first there, is nginx's own business.
    return [("SCGI", "1"), *(pair for pair in _PARAMS if pair[0] != "CONTENT_LENGTH")]


def _gateway(site: Site) -> list[str]:
    kind = site.protocol
    names = (*SET, *_removed(site))
    return [
        f"        {kind}_pass canter;",
        *(f"        {kind}_param {name} {value};" for name, value in _params(kind)),
        f"        {kind}_param SCRIPT_NAME {site.prefix or chr(34) * 2};",
        "        # The variables above say it; what clients claim in headers is removed.",
        *(
            f'        {kind}_param HTTP_{name.upper().replace("-", "_")} "" if_not_empty;'
            for name in names
        ),
        *(["        fastcgi_keep_conn on;"] if kind == "fastcgi" and site.idle_seconds > 0 else []),
        *_shared(site, kind),
    ]
