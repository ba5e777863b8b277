"""Gunicorn's surface, row by row: every setting with its options, a value for each, its default.

Gunicorn's own list (name, options, default) is asked of the Gunicorn that is installed, so that a
version with other settings fails a test; what is written here is what a test gives to both sides.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from tests.live.programs import GUNICORN

OPTIONS: dict[str, tuple[str, ...]] = {
    "backlog": ("--backlog", "64"),
    "workers": ("-w", "2"),
    "worker_class": ("-k", "gthread"),
    "threads": ("--threads", "3"),
    "worker_connections": ("--worker-connections", "50"),
    "max_requests": ("--max-requests", "1000"),
    "max_requests_jitter": ("--max-requests-jitter", "100"),
    "timeout": ("-t", "60"),
    "graceful_timeout": ("--graceful-timeout", "20"),
    "keepalive": ("--keep-alive", "5"),
    "limit_request_line": ("--limit-request-line", "8000"),
    "limit_request_fields": ("--limit-request-fields", "50"),
    "limit_request_field_size": ("--limit-request-field_size", "4000"),
    "reload": ("--reload",),
    "reload_extra_files": ("--reload-extra-file", "extra.html"),
    "chdir": ("--chdir", "sub"),
    "raw_env": ("-e", "A=1,2", "--env", "B=3"),
    "pidfile": ("-p", "site.pid"),
    "user": ("-u", "1000"),
    "group": ("-g", "1000"),
    "umask": ("-m", "027"),
    "forwarded_allow_ips": ("--forwarded-allow-ips", "10.0.0.0/8,::1"),
    "accesslog": ("--access-logfile", "-"),
    "access_log_format": ("--access-logformat", "%(h)s %(s)s"),
    "errorlog": ("--log-file", "error.log"),
    "loglevel": ("--log-level", "warning"),
    "capture_output": ("--capture-output",),
    "proc_name": ("-n", "site"),
    "pythonpath": ("--pythonpath", "lib"),
    "bind": ("-b", "127.0.0.1:9000", "--bind", "unix:site.sock"),
    "permit_obsolete_folding": ("--permit-obsolete-folding",),
    "strip_header_spaces": ("--strip-header-spaces",),
    "permit_unconventional_http_method": ("--permit-unconventional-http-method",),
    "permit_unconventional_http_version": ("--permit-unconventional-http-version",),
    "casefold_http_method": ("--casefold-http-method",),
    "forwarder_headers": ("--forwarder-headers", "REMOTE_USER,SCRIPT_NAME"),
    "header_map": ("--header-map", "refuse"),
    "control_socket_mode": ("--control-socket-mode", "0640"),
    "control_socket_disable": ("--no-control-socket",),
    "sendfile": ("--no-sendfile",),
    "raw_paste_global_conf": ("--paste-global", "a=1"),
}
"""What an option says; the values are not the defaults."""

FILE: dict[str, object] = {
    "wsgi_app": "tests.live.apps.parity:app",
    "bind": "127.0.0.1:9000",
    "workers": 2,
    "worker_class": "gthread",
    "threads": "3",
    "timeout": "60",
    "max_requests": 1000,
    "raw_env": "A=1,2",
    "umask": 0o27,
    "reload": "true",
    "capture_output": "False",
    "reload_extra_files": ["extra.html"],
    "forwarded_allow_ips": "10.0.0.0/8, ::1",
    "forwarder_headers": "REMOTE_USER, SCRIPT_NAME",
    "secure_scheme_headers": {"X-FORWARDED-PROTO": "https"},
    "tmp_upload_dir": "uploads",
    "proc_name": "site",
    "pidfile": "site.pid",
    "limit_request_line": 0,
    "header_map": "dangerous",
    "user": 1000,
    "control_socket_mode": 0o640,
}
"""What a configuration in Python says, with the forms that Gunicorn takes: bare texts, numbers."""

HARMLESS: dict[str, tuple[str, ...]] = {
    "reload_engine": ("--reload-engine", "poll"),
    "http2_max_concurrent_streams": ("--http2-max-concurrent-streams", "50"),
    "http2_initial_window_size": ("--http2-initial-window-size", "131072"),
    "http2_max_frame_size": ("--http2-max-frame-size", "32768"),
    "http2_max_header_list_size": ("--http2-max-header-list-size", "32768"),
    "http2_cleartext": ("--http2-cleartext", "off"),
    "http_protocols": ("--http-protocols", "h1"),
    "disable_redirect_access_to_syslog": ("--disable-redirect-access-to-syslog",),
    "logger_class": ("--logger-class", "simple"),
    "syslog_addr": ("--log-syslog-to", "udp://127.0.0.1:514"),
    "syslog_prefix": ("--log-syslog-prefix", "site"),
    "syslog_facility": ("--log-syslog-facility", "local1"),
    "enable_stdio_inheritance": ("-R",),
    "dogstatsd_tags": ("--dogstatsd-tags", "a:1"),
    "statsd_prefix": ("--statsd-prefix", "site"),
    "enable_backlog_metric": ("--enable-backlog-metric",),
    "ssl_version": ("--ssl-version", "2"),
    "cert_reqs": ("--cert-reqs", "0"),
    "suppress_ragged_eofs": ("--suppress-ragged-eofs",),
    "do_handshake_on_connect": ("--do-handshake-on-connect",),
    "preload_app": ("--preload",),
    "reuse_port": ("--reuse-port",),
    "worker_tmp_dir": ("--worker-tmp-dir", "/tmp"),
    "initgroups": ("--initgroups",),
    "proxy_allow_ips": ("--proxy-allow-from", "127.0.0.1"),
    "uwsgi_allow_ips": ("--uwsgi-allow-from", "127.0.0.1"),
    "protocol": ("--protocol", "http"),
    "root_path": ("--root-path", "/shop"),
    "asgi_loop": ("--asgi-loop", "asyncio"),
    "asgi_lifespan": ("--asgi-lifespan", "off"),
    "asgi_disconnect_grace_period": ("--asgi-disconnect-grace-period", "5"),
    "websocket_max_message_size": ("--websocket-max-message-size", "1024"),
    "http_parser": ("--http-parser", "auto"),
    "dirty_workers": ("--dirty-workers", "1"),
    "dirty_timeout": ("--dirty-timeout", "10"),
    "dirty_threads": ("--dirty-threads", "2"),
    "dirty_graceful_timeout": ("--dirty-graceful-timeout", "10"),
    "statsd_host": ("--statsd-host", "127.0.0.1:8125"),
}
"""Options that a check of the configuration accepts, whether or not they have a meaning."""


@dataclass(frozen=True)
class Row:
    """One setting of the Gunicorn that is installed."""

    name: str
    flags: tuple[str, ...]
    default: Any


_LISTING = """
import json
from gunicorn import config
rows = []
for setting in (it() for it in config.KNOWN_SETTINGS):
    value = None if callable(setting.value) else setting.value
    rows.append([setting.name, list(setting.cli or ()), value])
print(json.dumps(rows))
"""


def real_rows() -> list[Row]:
    """What the installed Gunicorn says of its own settings."""
    done = subprocess.run(
        [str(GUNICORN.with_name("python")), "-I", "-c", _LISTING],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [Row(name, tuple(flags), default) for name, flags, default in json.loads(done.stdout)]
