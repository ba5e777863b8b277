"""What goes around a printed configuration so that the program runs within one directory.

A wrapper is given the directory, the port and the text, writes the files, and says how to start the
program in the foreground and how to have it check them.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from tests.live.programs import NGINX_STREAM, SEARCHED

_APACHE_MODULES = Path("/usr/lib/apache2/modules")
_NEEDED_MODULES = re.compile(r"a2enmod ([a-z0-9_ ]+)")
_PARAMETERS = re.compile(r"-p (\w+=\S+)")


@dataclass(frozen=True)
class Started:
    """How to start a front, and how to have it check its configuration."""

    command: list[str]
    check: list[str] = field(default_factory=list)
    environment: Mapping[str, str] = field(default_factory=dict)


Wrapper = Callable[[Path, int, str], Started]


def program(name: str) -> str:
    """The full path of a program that may be in /usr/sbin."""
    found = shutil.which(name, path=SEARCHED)
    assert found, name
    return found


def _nginx(directory: Path, port: int, text: str) -> Started:
    (directory / "canter.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {directory}/{kind};\n" for kind in kinds)
    streams = re.search(r"^stream", text, re.MULTILINE)
    (directory / "nginx.conf").write_text(
        (f"load_module {NGINX_STREAM};\n" if streams else "")
        + ("user root;\n" if os.geteuid() == 0 else "")
        + f"daemon off;\nworker_processes 1;\npid {directory}/nginx.pid;\n"
        f"error_log {directory}/error.log info;\nevents {{ worker_connections 256; }}\n"
        + (
            f"include {directory}/canter.conf;\n"
            if streams
            else f"http {{\n{places}access_log off;\ninclude {directory}/canter.conf;\n}}\n"
        )
    )
    command = [program("nginx"), "-p", str(directory), "-c", str(directory / "nginx.conf")]
    return Started(command, [*command, "-t"])


def _apache(directory: Path, port: int, text: str) -> Started:
    (directory / "canter.conf").write_text(text)
    named = _NEEDED_MODULES.search(text)
    assert named, text
    modules = ["mpm_event", "authz_core", *named[1].split()]
    if "ssl" in modules:
        modules.insert(0, "socache_shmcb")
    if "Alias" in text:
        modules.append("alias")
    loaded = "".join(
        f"LoadModule {name}_module {_APACHE_MODULES}/mod_{name}.so\n" for name in modules
    )
    user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
    (directory / "httpd.conf").write_text(
        f"ServerRoot {directory}\nServerName front.example\nPidFile {directory}/httpd.pid\n"
        f"DefaultRuntimeDir {directory}\nListen 127.0.0.1:{port}\n{loaded}{user}"
        f"ErrorLog {directory}/error.log\nLogLevel warn\nStartServers 1\nThreadsPerChild 16\n"
        f"ServerLimit 2\nMaxRequestWorkers 32\nInclude {directory}/canter.conf\n"
    )
    command = [program("apache2"), "-f", str(directory / "httpd.conf")]
    return Started([*command, "-D", "FOREGROUND"], [*command, "-t"])


def _haproxy(directory: Path, port: int, text: str) -> Started:
    (directory / "haproxy.cfg").write_text(text)
    command = [program("haproxy"), "-f", str(directory / "haproxy.cfg")]
    return Started([*command, "-db"], [*command, "-c"])


def _caddy(directory: Path, port: int, text: str) -> Started:
    # One line is put in: nobody is to be asked for orders on Caddy's usual port.
    assert "\n{\n" in text
    (directory / "Caddyfile").write_text(text.replace("\n{\n", "\n{\n    admin off\n", 1))
    options = ["--config", str(directory / "Caddyfile"), "--adapter", "caddyfile"]
    caddy = program("caddy")
    homes = {name: str(directory) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
    return Started([caddy, "run", *options], [caddy, "validate", *options], homes)


def _lighttpd(directory: Path, port: int, text: str) -> Started:
    (directory / "lighttpd.conf").write_text(text)
    command = [program("lighttpd"), "-f", str(directory / "lighttpd.conf")]
    return Started([*command, "-D"], [*command, "-tt"])


def _varnish(directory: Path, port: int, text: str) -> Started:
    (directory / "default.vcl").write_text(text)
    parameters = [word for found in _PARAMETERS.findall(text) for word in ("-p", found)]
    varnishd = program("varnishd")
    own = ["-j", "none", "-n", str(directory / "varnish"), "-f", str(directory / "default.vcl")]
    command = [varnishd, "-F", *own, "-a", f"127.0.0.1:{port}", "-s", "malloc,64m", *parameters]
    return Started(command, [varnishd, "-C", *own])


WRAPPERS: Mapping[str, Wrapper] = MappingProxyType(
    {
        "nginx": _nginx,
        "apache": _apache,
        "haproxy": _haproxy,
        "caddy": _caddy,
        "lighttpd": _lighttpd,
        "varnish": _varnish,
    }
)
PROGRAMS: Mapping[str, str] = MappingProxyType(
    {"apache": "apache2", "varnish": "varnishd"}
    | {n: n for n in ("nginx", "haproxy", "caddy", "lighttpd")}
)
"""What has to be installed for each."""
