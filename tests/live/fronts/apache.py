"""Apache httpd with mod_proxy_http, mod_proxy_fcgi, mod_proxy_uwsgi and mod_proxy_scgi."""

from __future__ import annotations

import os
from pathlib import Path

from tests.live.fronts.front import Behind, program

_MODULES = Path("/usr/lib/apache2/modules")
_LOADED = {
    "mpm_event": "mpm_event",
    "authz_core": "authz_core",
    "proxy": "proxy",
    "proxy_http": "proxy_http",
    "proxy_fcgi": "proxy_fcgi",
    "proxy_uwsgi": "proxy_uwsgi",
    "proxy_scgi": "proxy_scgi",
    "setenvif": "setenvif",
}
# Otherwise FastCGI and SCGI are told no mount point.
_MOUNTED = "SetEnvIf Request_URI . proxy-fcgi-pathinfo=1 proxy-scgi-pathinfo=1\n"
_SCHEMES = {"http": "http", "fastcgi": "fcgi", "uwsgi": "uwsgi", "scgi": "scgi"}


def front(directory: Path, port: int, behind: Behind) -> list[str]:
    """An HTTP server in front of any wire format."""
    scheme = _SCHEMES[behind.protocol]
    # The mount point is the part that is not passed on: Apache makes SCRIPT_NAME of it.
    target = f"{scheme}://{behind.host_port}/"
    if behind.path:
        target = f"unix:{behind.path}|{scheme}://localhost/"
    modules = "".join(
        f"LoadModule {name}_module {_MODULES}/mod_{file}.so\n" for name, file in _LOADED.items()
    )
    user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
    (directory / "httpd.conf").write_text(
        f"ServerRoot {directory}\nServerName front.example\nPidFile {directory}/httpd.pid\n"
        f"DefaultRuntimeDir {directory}\nListen 127.0.0.1:{port}\n{modules}{user}"
        f"ErrorLog {directory}/error.log\nLogLevel warn\nStartServers 1\nThreadsPerChild 8\n"
        f"ServerLimit 2\nMaxRequestWorkers 16\nAllowEncodedSlashes NoDecode\n"
        f"{_MOUNTED if behind.prefix else ''}"
        f"ProxyPass {behind.prefix}/ {target} flushpackets=on\n"
    )
    return [program("apache2"), "-D", "FOREGROUND", "-f", str(directory / "httpd.conf")]
