"""nginx: proxy_pass, uwsgi_pass, fastcgi_pass and scgi_pass, and its stream module."""

from __future__ import annotations

import os
from pathlib import Path

from tests.live.fronts.front import Behind, program
from tests.live.programs import NGINX_STREAM

_PARAMS = "/etc/nginx/{}_params"


def _head(directory: Path) -> str:
    user = "user root;\n" if os.geteuid() == 0 else ""
    return (
        f"{user}daemon off;\nworker_processes 1;\npid {directory}/nginx.pid;\n"
        f"error_log {directory}/error.log info;\nevents {{ worker_connections 256; }}\n"
    )


def _temporary(directory: Path) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "".join(f"{kind}_temp_path {directory}/{kind};\n" for kind in kinds)


def _pass(behind: Behind) -> str:
    """The location's own lines, as an administrator would write them."""
    where = f"unix:{behind.path}" if behind.path else behind.host_port
    if behind.protocol == "http":
        return (
            f"proxy_pass http://{where}; proxy_http_version 1.1; proxy_buffering off;\n"
            "proxy_set_header Host $http_host; proxy_set_header Connection '';\n"
            "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
            "proxy_set_header X-Forwarded-Proto $scheme;\n"
        )
    kind = {"uwsgi": "uwsgi", "fastcgi": "fastcgi", "scgi": "scgi"}[behind.protocol]
    lines = f"include {_PARAMS.format(kind)};\n{kind}_pass {where}; {kind}_buffering off;\n"
    if behind.prefix:
        lines += f"{kind}_param SCRIPT_NAME {behind.prefix};\n"
    if kind == "fastcgi":
        lines += "fastcgi_keep_conn on;\n"
    return lines


def http_front(directory: Path, port: int, behind: Behind) -> list[str]:
    """An HTTP server in front of any wire format."""
    upstream = _pass(behind)
    where = f"unix:{behind.path}" if behind.path else behind.host_port
    upstream = upstream.replace(f"_pass {where}", "_pass behind").replace(
        f"http://{where}", "http://behind"
    )
    (directory / "nginx.conf").write_text(
        _head(directory)
        + "http {\n"
        + _temporary(directory)
        + f"access_log off;\nclient_max_body_size 20m;\n"
        f"upstream behind {{ server {where}; keepalive 4; }}\n"
        f"server {{ listen 127.0.0.1:{port}; server_name front.example;\n"
        f"location {behind.prefix or '/'} {{ {upstream} }} }} }}\n"
    )
    return [program("nginx"), "-p", str(directory), "-c", str(directory / "nginx.conf")]


def stream_front(directory: Path, port: int, behind: Behind) -> list[str]:
    """A TCP proxy that says who its clients are by the PROXY protocol (v1)."""
    where = f"unix:{behind.path}" if behind.path else behind.host_port
    (directory / "nginx.conf").write_text(
        f"load_module {NGINX_STREAM};\n"
        + _head(directory)
        + f"stream {{ server {{ listen 127.0.0.1:{port}; proxy_pass {where}; "
        f"proxy_protocol {'on' if behind.proxy_protocol else 'off'}; }} }}\n"
    )
    return [program("nginx"), "-p", str(directory), "-c", str(directory / "nginx.conf")]
