"""For every setting a value that is not its default: as text, as a file has it, and parsed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sample:
    """`text` is for options and variables, `raw` for files and programs, `value` the result."""

    text: str
    raw: object
    value: Any


SAMPLES = {
    "wsgi_app": Sample("site:app", "site:app", "site:app"),
    "config": Sample("other.toml", "other.toml", "other.toml"),
    "chdir": Sample("sub", "sub", "sub"),
    "pythonpath": Sample("a,b", "a,b", "a,b"),
    "script_name": Sample("/shop", "/shop", "/shop"),
    "raw_env": Sample("A=1,2", ["A=1,2"], ("A=1,2",)),
    "paste": Sample("site.ini#main", "site.ini#main", "site.ini#main"),
    "raw_paste_global_conf": Sample("A=1", ["A=1"], ("A=1",)),
    "bind": Sample("unix:/run/site.sock", ["unix:/run/site.sock"], ("unix:/run/site.sock",)),
    "protocol": Sample("uwsgi", "uwsgi", "uwsgi"),
    "backlog": Sample("64", 64, 64),
    "reuse_port": Sample("true", True, True),
    "unix_socket_mode": Sample("0660", 0o660, 0o660),
    "unix_socket_owner": Sample("web:www", "web:www", "web:www"),
    "umask": Sample("027", 0o27, 0o27),
    "workers": Sample("auto", "auto", "auto"),
    "worker_class": Sample("gevent_pywsgi", "gevent", "gevent"),
    "threads": Sample("4", 4, 4),
    "preload_app": Sample("true", True, True),
    "warmup": Sample("/,/shop?a=1", ["/", "/shop?a=1"], ("/", "/shop?a=1")),
    "worker_connections": Sample("50", 50, 50),
    "max_surge": Sample("25%", "25%", "25%"),
    "max_unavailable": Sample("1", 1, "1"),
    "max_queue": Sample("8", 8, 8),
    "max_requests": Sample("1000", 1000, 1000),
    "max_requests_jitter": Sample("100", 100, 100),
    "max_lifetime": Sample("12h", 43200, 43200.0),
    "max_lifetime_jitter": Sample("30m", 1800, 1800.0),
    "max_memory": Sample("300M", "300M", 300 * 2**20),
    "timeout": Sample("2m", 120, 120.0),
    "soft_timeout": Sample("20s", 20, 20.0),
    "slow_request": Sample("750ms", 0.75, 0.75),
    "queue_timeout": Sample("250ms", 0.25, 0.25),
    "graceful_timeout": Sample("1.5", 1.5, 1.5),
    "drain_delay": Sample("10s", 10, 10.0),
    "keepalive": Sample("5", 5, 5.0),
    "header_timeout": Sample("500ms", 0.5, 0.5),
    "body_timeout": Sample("3s", 3, 3.0),
    "send_timeout": Sample("4", 4, 4.0),
    "boot_timeout": Sample("1h", 3600, 3600.0),
    "limit_request_line": Sample("8K", 8192, 8192),
    "limit_request_fields": Sample("50", 50, 50),
    "limit_request_field_size": Sample("16K", "16K", 16384),
    "limit_request_body": Sample("10M", "10M", 10 * 2**20),
    "request_body": Sample("stream", "stream", "stream"),
    "body_memory": Sample("2M", 2**21, 2**21),
    "tmp_upload_dir": Sample("/var/tmp", "/var/tmp", "/var/tmp"),
    "sendfile": Sample("no", False, False),
    "header_map": Sample("refuse", "refuse", "refuse"),
    "permit_obsolete_folding": Sample("true", True, True),
    "strip_header_spaces": Sample("true", True, True),
    "permit_unconventional_http_method": Sample("true", True, True),
    "permit_unconventional_http_version": Sample("true", True, True),
    "casefold_http_method": Sample("true", True, True),
    "forwarded_allow_ips": Sample("10.0.0.0/8,::1", ["10.0.0.0/8", "::1"], ("10.0.0.0/8", "::1")),
    "uwsgi_allow_ips": Sample("10.0.0.0/8,::1", ["10.0.0.0/8", "::1"], ("10.0.0.0/8", "::1")),
    "proxy_protocol": Sample("v1", "v1", "v1"),
    "proxy_allow_ips": Sample("10.0.0.0/8,::1", ["10.0.0.0/8", "::1"], ("10.0.0.0/8", "::1")),
    "forwarded_fields": Sample("forwarded", "forwarded", "forwarded"),
    "secure_scheme_headers": Sample("X-Scheme=https", {"X-Scheme": "https"}, {"X-SCHEME": "https"}),
    "forwarder_headers": Sample("REMOTE_USER", ["REMOTE_USER"], ("REMOTE_USER",)),
    "certfile": Sample("site.pem", "site.pem", "site.pem"),
    "keyfile": Sample("site.key", "site.key", "site.key"),
    "keyfile_password_file": Sample("password", "password", "password"),
    "certificates": Sample("b.org=b.pem:b.key", {"b.org": "b.pem:b.key"}, {"b.org": "b.pem:b.key"}),
    "self_signed": Sample("true", True, True),
    "ca_certs": Sample("ca.pem", "ca.pem", "ca.pem"),
    "cert_reqs": Sample("required", 2, "required"),
    "tls_minimum_version": Sample("1.3", "1.3", "1.3"),
    "ciphers": Sample("ECDHE+AESGCM", "ECDHE+AESGCM", "ECDHE+AESGCM"),
    "suppress_ragged_eofs": Sample("false", False, False),
    "http_protocols": Sample("h2,h1", ["h2", "h1"], ("h2", "h1")),
    "http2_cleartext": Sample("prior-knowledge", "prior-knowledge", "prior-knowledge"),
    "http2_max_concurrent_streams": Sample("10", 10, 10),
    "http2_initial_window_size": Sample("1M", 2**20, 2**20),
    "http2_max_frame_size": Sample("32K", 32768, 32768),
    "http2_max_header_list_size": Sample("16K", 16384, 16384),
    "accesslog": Sample("-", "-", "-"),
    "access_log_format": Sample("%(s)s", "%(s)s", "%(s)s"),
    "errorlog": Sample("error.log", "error.log", "error.log"),
    "loglevel": Sample("debug", "debug", "debug"),
    "capture_output": Sample("true", True, True),
    "log_format": Sample("json", "json", "json"),
    "log_split": Sample("true", True, True),
    "logger_class": Sample("shop.logs.Logger", "shop.logs.Logger", "shop.logs.Logger"),
    "logconfig_dict": Sample('{"version": 1}', {"version": 1}, {"version": 1}),
    "logconfig_json": Sample("log.json", "log.json", "log.json"),
    "logconfig": Sample("log.ini", "log.ini", "log.ini"),
    "syslog": Sample("true", True, True),
    "syslog_addr": Sample("tcp://log:601", "tcp://log:601", "tcp://log:601"),
    "syslog_prefix": Sample("shop", "shop", "shop"),
    "syslog_facility": Sample("local3", "local3", "local3"),
    "disable_redirect_access_to_syslog": Sample("true", True, True),
    "request_id": Sample("on", "on", "on"),
    "statsd_host": Sample("metrics:8125", "metrics:8125", "metrics:8125"),
    "statsd_prefix": Sample("shop", "shop", "shop"),
    "dogstatsd_tags": Sample("a:b,c:d", "a:b,c:d", "a:b,c:d"),
    "enable_backlog_metric": Sample("true", True, True),
    "daemon": Sample("true", True, True),
    "enable_stdio_inheritance": Sample("true", True, True),
    "pidfile": Sample("site.pid", "site.pid", "site.pid"),
    "user": Sample("1000", 1000, "1000"),
    "group": Sample("www", "www", "www"),
    "initgroups": Sample("true", True, True),
    "proc_name": Sample("site", "site", "site"),
    "control_socket": Sample("site.ctl", "site.ctl", "site.ctl"),
    "control_socket_mode": Sample("0640", 0o640, 0o640),
    "control_socket_disable": Sample("true", True, True),
    "health_path": Sample("/health", "/health", "/health"),
    "static": Sample("/s=pub,/=www", {"/s": "pub", "/": "www"}, {"/s": "pub", "/": "www"}),
    "static_max_age": Sample("1h", 3600, 3600.0),
    "sendfile_roots": Sample("/p=priv", {"/p": "priv"}, {"/p": "priv"}),
    "metrics_bind": Sample(":9100,unix:m.sock", [":9100", "unix:m.sock"], (":9100", "unix:m.sock")),
    "status_bind": Sample(":9101", [":9101"], (":9101",)),
    "tracing": Sample("true", True, True),
    "reload": Sample("true", True, True),
    "reload_extra_files": Sample("a.html,b.html", ["a.html", "b.html"], ("a.html", "b.html")),
    "check_config": Sample("true", True, True),
    "print_config": Sample("true", True, True),
    "on_starting": Sample(
        "site.hooks:on_starting", "site.hooks:on_starting", "site.hooks:on_starting"
    ),
    "on_reload": Sample("site.hooks:on_reload", "site.hooks:on_reload", "site.hooks:on_reload"),
    "when_ready": Sample("site.hooks:when_ready", "site.hooks:when_ready", "site.hooks:when_ready"),
    "pre_fork": Sample("site.hooks:pre_fork", "site.hooks:pre_fork", "site.hooks:pre_fork"),
    "post_fork": Sample("site.hooks:post_fork", "site.hooks:post_fork", "site.hooks:post_fork"),
    "post_worker_init": Sample(
        "site.hooks:post_worker_init", "site.hooks:post_worker_init", "site.hooks:post_worker_init"
    ),
    "worker_int": Sample("site.hooks:worker_int", "site.hooks:worker_int", "site.hooks:worker_int"),
    "worker_abort": Sample(
        "site.hooks:worker_abort", "site.hooks:worker_abort", "site.hooks:worker_abort"
    ),
    "pre_exec": Sample("site.hooks:pre_exec", "site.hooks:pre_exec", "site.hooks:pre_exec"),
    "pre_request": Sample(
        "site.hooks:pre_request", "site.hooks:pre_request", "site.hooks:pre_request"
    ),
    "post_request": Sample(
        "site.hooks:post_request", "site.hooks:post_request", "site.hooks:post_request"
    ),
    "child_exit": Sample("site.hooks:child_exit", "site.hooks:child_exit", "site.hooks:child_exit"),
    "worker_exit": Sample(
        "site.hooks:worker_exit", "site.hooks:worker_exit", "site.hooks:worker_exit"
    ),
    "nworkers_changed": Sample(
        "site.hooks:nworkers_changed", "site.hooks:nworkers_changed", "site.hooks:nworkers_changed"
    ),
    "ssl_context": Sample("site.hooks:tls", "site.hooks:tls", "site.hooks:tls"),
    "on_exit": Sample("site.hooks:on_exit", "site.hooks:on_exit", "site.hooks:on_exit"),
}
