"""Apache httpd: mod_proxy with http, fcgi, scgi and uwsgi."""

from __future__ import annotations

from canter.cli.fronts.site import SET, Site, head

NAME = "Apache httpd"
PROTOCOLS = ("http", "uwsgi", "fastcgi", "scgi")

_SCHEMES = {"http": "http", "fastcgi": "fcgi", "uwsgi": "uwsgi", "scgi": "scgi"}
_MODULES = {
    "http": "proxy_http",
    "fastcgi": "proxy_fcgi",
    "uwsgi": "proxy_uwsgi",
    "scgi": "proxy_scgi",
}
_VALUES = {
    "X-Forwarded-For": "expr=%{REMOTE_ADDR}",
    "X-Forwarded-Proto": "expr=%{REQUEST_SCHEME}",
    "X-Forwarded-Host": "expr=%{HTTP_HOST}",
    "X-Forwarded-Port": "expr=%{SERVER_PORT}",
}


def configuration(site: Site) -> str:
    """The text of a virtual host."""
    modules = ["proxy", _MODULES[site.protocol], "headers", "reqtimeout", "setenvif"]
    if site.secure:
        modules += ["ssl", "http2"]
    host, port = site.listens
    lines = [
        *head(
            site,
            NAME,
            "/etc/apache2/sites-available/canter.conf, then a2ensite canter",
            "apachectl -t",
            [f"It needs these modules: a2enmod {' '.join(modules)}"],
        ),
        "",
        *(_redirect(site) if site.secure and not host and port == "443" else []),
        f"<VirtualHost {host or '*'}:{port}>",
        f"    ServerName {site.domain or 'localhost'}",
        *(_tls(site) if site.secure else []),
        *_limits(site),
        *_headers(site),
        *_pass(site),
        "</VirtualHost>",
        "",
    ]
    return "\n".join(lines)


def _redirect(site: Site) -> list[str]:
    return [
        "<VirtualHost *:80>",
        f"    ServerName {site.domain}",
        f"    Redirect 308 / https://{site.domain}/",
        "</VirtualHost>",
        "",
    ]


def _tls(site: Site) -> list[str]:
    return [
        "    SSLEngine on",
        f"    SSLCertificateFile {site.certificate[0]}",
        f"    SSLCertificateKeyFile {site.certificate[1]}",
        "    SSLProtocol -all +TLSv1.2 +TLSv1.3",
        "    Protocols h2 http/1.1",
        "",
    ]


def _limits(site: Site) -> list[str]:
    return [
        "    # canter's own limits, so that neither refuses what the other takes.",
        f"    LimitRequestBody {site.body_bytes}",
        f"    LimitRequestLine {max(site.line_bytes, 8190)}",
        f"    LimitRequestFieldSize {max(site.field_bytes, 8190)}",
        f"    LimitRequestFields {site.fields}",
        f"    RequestReadTimeout header={site.head_seconds} body={site.body_seconds},MinRate=500",
        f"    Timeout {site.send_seconds}",
        "    KeepAlive On",
        "    KeepAliveTimeout 65",
        "    MaxKeepAliveRequests 0",
        "",
    ]


def _headers(site: Site) -> list[str]:
    if site.protocol == "http":
        own = [f"    RequestHeader set {name} {_VALUES[name]}" for name in SET]
        said = "    # Set here, whatever the client wrote."
        removed = site.removed
    else:
        own = []
        said = "    # The protocol's variables say it; what clients claim in headers is removed."
        removed = (*SET, *site.removed)
    mounted = []
    if site.prefix and site.protocol == "http":
        mounted = [f"    RequestHeader set SCRIPT_NAME {site.prefix}"]
        removed = tuple(name for name in removed if name != "SCRIPT_NAME")
    return [
        "    ProxyRequests Off",
        "    ProxyPreserveHost On",
        "    ProxyAddHeaders Off",
        said,
        *own,
        *(f"    RequestHeader unset {name}" for name in removed),
        *mounted,
        "",
    ]


def _pass(site: Site) -> list[str]:
    scheme = _SCHEMES[site.protocol]
    target = f"{scheme}://{site.host_port}" if not site.path else ""
    if site.path:
        target = f"unix:{site.path}|{scheme}://canter"
    prefix = site.prefix
    # Over HTTP the mount point is passed on with the path; the others take it for SCRIPT_NAME.
    below = f"{prefix}/" if site.protocol == "http" else "/"
    idle = int(site.idle_seconds)
    # Over HTTP the path goes on as it was sent; the others are told it decoded.
    slashes = "NoDecode" if site.protocol == "http" else "On"
    lines = [
        "    # Paths with %2F and // are passed on.",
        f"    AllowEncodedSlashes {slashes}",
        "    MergeSlashes Off",
    ]
    if prefix and site.protocol in ("fastcgi", "scgi"):
        lines += ["    SetEnvIf Request_URI . proxy-fcgi-pathinfo=1 proxy-scgi-pathinfo=1"]
    for mounted, folder in site.static:
        lines += [
            f'    ProxyPass "{mounted}/" "!"',
            f'    Alias "{mounted}/" "{folder}/"',
            f'    <Directory "{folder}">',
            "        Require all granted",
            "        Options -Indexes",
            "    </Directory>",
        ]
    options = ["connectiontimeout=5", f"timeout={site.app_seconds}", "retry=0", "flushpackets=on"]
    if site.protocol == "http":
        options.append("nocanon")
    if site.protocol in ("http", "fastcgi"):
        lines += [
            "    # Idle connections end here before canter ends them, so that no request is",
            "    # sent into one that is just being closed. Apache counts whole seconds.",
        ]
        options += ["enablereuse=on", f"ttl={idle}"] if idle else ["disablereuse=on"]
    lines += [
        "    # timeout: longer than canter lets a request run, so that its own answer arrives.",
        "    # retry=0: there is no other server to spare this one for.",
        f'    ProxyPass "{prefix}/" "{target}{below}" {" ".join(options)}',
    ]
    return lines
