"""The value of every setting, typed. Made from the declarations in `sections`; do not edit.

`python -m canter.settings` makes it anew, and a test compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What each setting is set to. Durations are in seconds, sizes in bytes."""

    # Application
    wsgi_app: str | None
    """The application: `module`, `module:attribute` or `module:factory()`."""
    config: str | None
    """The configuration file to read."""
    chdir: str | None
    """The directory to change to before the application is imported."""
    pythonpath: str | None
    """Directories to import from, ahead of the others."""
    script_name: str | None
    """The path that the application is mounted at, such as `/shop`."""
    raw_env: tuple[str, ...]
    """Environment variables to set before the application is imported."""
    paste: str | None
    """The PasteDeploy file, and the section of it, whose application is served instead of
    `wsgi_app`."""
    raw_paste_global_conf: tuple[str, ...]
    """Values for the global configuration of the PasteDeploy file."""

    # Addresses
    bind: tuple[str, ...]
    """The addresses to listen on."""
    protocol: Literal["http", "uwsgi", "fastcgi", "scgi"]
    """What is spoken on the addresses of `bind` that do not say it themselves."""
    backlog: int
    """How many connections may wait to be accepted."""
    reuse_port: bool
    """Let other servers listen on the same TCP addresses, if they set SO_REUSEPORT too."""
    unix_socket_mode: int | None
    """The permission bits of unix sockets."""
    unix_socket_owner: str | None
    """The owner of unix sockets, as `user`, `user:group` or `:group`."""
    umask: int
    """The file mode mask while unix sockets are made."""

    # Workers
    workers: int | Literal["auto"] | tuple[int | Literal["auto"], int | Literal["auto"]]
    """The number of worker processes."""
    worker_class: Literal["threads", "gevent"]
    """The engine that runs requests: `threads`, or `gevent`, a greenlet for each connection
    (docs/gevent.md), which needs `canter[gevent]`."""
    threads: int
    """The number of threads that call the application in each worker."""
    preload_app: bool
    """Whether the application is imported once for all workers."""
    warmup: tuple[str, ...]
    """The paths of requests that the application answers in each worker before that counts as
    ready; the option may be repeated."""
    worker_connections: int
    """The number of connections that one worker keeps open, idle ones included."""
    max_surge: str | None
    """How many workers there may be beyond `workers` while some are replaced: a number, or a
    percentage of them, rounded up."""
    max_unavailable: str
    """How many of the `workers` may be missing while some are replaced: a number, or a percentage
    of them, rounded down."""
    max_queue: int
    """The number of requests that may wait for a free thread in one worker; 0 means without
    limit."""
    max_requests: int
    """The number of requests after which a worker is replaced; 0 means never."""
    max_requests_jitter: int
    """The most that is added at random to `max_requests`, for each worker anew."""
    max_lifetime: float
    """How long a worker serves before it is replaced; 0 means for ever."""
    max_lifetime_jitter: float
    """The most that is added at random to `max_lifetime`, for each worker anew."""
    max_memory: int
    """The resident memory above which a worker is replaced; 0 means no limit."""

    # Time-outs
    timeout: float
    """How long one request may run in the application; 0 means without limit."""
    soft_timeout: float
    """How long one request may run before `canter.RequestTimeout` is raised in its thread; 0 means
    that it never is."""
    slow_request: float
    """How long one request may run before the log tells of it, with the stack of its thread at that
    moment; 0 means that it never does."""
    queue_timeout: float
    """How long a request may wait for a free thread; 0 means without limit."""
    graceful_timeout: float
    """How long running requests may take to finish when a worker is stopped or replaced."""
    drain_delay: float
    """How long to serve on, as before, after being told to stop gracefully, while health checks say
    that the service leaves; then the drain begins."""
    keepalive: float
    """How long an idle connection is kept for its next request; 0 means that every response ends
    its connection."""
    header_timeout: float
    """How long the head of a request may take to arrive, from its first byte; for the first request
    of a connection, from its opening."""
    body_timeout: float
    """How long the body of a request may pause without a byte arriving."""
    send_timeout: float
    """How long a client may take no byte of its response before the connection is cut."""
    boot_timeout: float
    """How long a worker may take to import the application and be ready."""

    # Requests
    limit_request_line: int
    """The longest request line in bytes; 0 means no limit."""
    limit_request_fields: int
    """The largest number of header fields in a request; 0 means no limit."""
    limit_request_field_size: int
    """The longest header field in bytes, name and value together; 0 means no limit."""
    limit_request_body: int
    """The longest body in bytes; 0 means no limit."""
    request_body: Literal["buffer", "stream"]
    """Whether the application is called when the whole body is there (`buffer`), or as soon as the
    head is, reading the body as it arrives (`stream`)."""
    body_memory: int
    """The size up to which a body is kept in memory until it is whole; a longer one goes to a
    temporary file, and so does any while the bodies of a worker have 64 times as much."""
    tmp_upload_dir: str | None
    """The directory for the temporary files of long bodies."""
    sendfile: bool
    """Whether files of `wsgi.file_wrapper` are sent by the kernel, without being copied."""

    # Strictness
    header_map: Literal["drop", "refuse", "dangerous"]
    """What becomes of header names with an underscore, which in the application's environ look like
    those with a dash."""
    permit_obsolete_folding: bool
    """Whether a header field may go on in the next line, as before RFC 7230."""
    strip_header_spaces: bool
    """Whether white space between a header's name and its colon is taken away."""
    permit_unconventional_http_method: bool
    """Whether methods of other than 3 to 20 capital letters and dashes are taken."""
    permit_unconventional_http_version: bool
    """Whether versions other than HTTP/1.0 and HTTP/1.1 are taken."""
    casefold_http_method: bool
    """Whether methods are turned into capital letters."""

    # Proxies
    forwarded_allow_ips: tuple[str, ...]
    """The peers whose headers about the scheme and the mount point are believed."""
    uwsgi_allow_ips: tuple[str, ...]
    """The peers that may speak uwsgi, FastCGI or SCGI where those are spoken."""
    proxy_protocol: Literal["off", "v1", "v2", "auto", "required"]
    """Read the PROXY protocol ahead of connections: who the client is, said by the proxy before all
    else."""
    proxy_allow_ips: tuple[str, ...]
    """The peers whose PROXY protocol is believed."""
    forwarded_fields: Literal["off", "x-forwarded", "forwarded"]
    """Which headers of a peer of `forwarded_allow_ips` say who the client is: `X-Forwarded-For`,
    `-Proto`, `-Host`, `-Port` and `-Prefix`, or `Forwarded` (RFC 7239); never both."""
    secure_scheme_headers: Mapping[str, str]
    """Headers, each with the value that means https."""
    forwarder_headers: tuple[str, ...]
    """Headers with an underscore that a peer of `forwarded_allow_ips` may set although `header_map`
    would drop them."""

    # TLS
    certfile: str | None
    """The file with the server's certificate and its chain, in PEM."""
    keyfile: str | None
    """The file with the certificate's key, in PEM; `certfile` may hold it as well."""
    keyfile_password_file: str | None
    """The file whose first line is the password of encrypted keys."""
    certificates: Mapping[str, str]
    """Certificates for further host names, chosen by the name that a client asks for (SNI)."""
    self_signed: bool
    """Whether to speak TLS with a certificate made for this start, for localhost."""
    ca_certs: str | None
    """The file with the authorities, in PEM, whose client certificates are accepted."""
    cert_reqs: Literal["none", "optional", "required"]
    """Whether clients show a certificate."""
    tls_minimum_version: Literal["1.0", "1.1", "1.2", "1.3"]
    """The lowest version of TLS that is spoken."""
    ciphers: str | None
    """The ciphers of TLS 1.2, in OpenSSL's notation."""
    suppress_ragged_eofs: bool
    """Whether a client may close its connection without the end that TLS has for it."""

    # HTTP/2
    http_protocols: tuple[str, ...]
    """The versions of HTTP that clients may choose by ALPN, the best first."""
    http2_cleartext: Literal["off", "prior-knowledge", "both", "upgrade"]
    """Whether HTTP/2 is spoken without TLS, by prior knowledge, with the peers of
    `forwarded_allow_ips`."""
    http2_max_concurrent_streams: int
    """How many requests one connection may have at once."""
    http2_initial_window_size: int
    """How many bytes of one request's body may be on their way at once."""
    http2_max_frame_size: int
    """The largest frame that clients may send."""
    http2_max_header_list_size: int
    """The largest head of a request, all fields unpacked; 0 means 16 MiB."""

    # Logs
    accesslog: str | None
    """The file for one line about every request; `-` is standard output."""
    access_log_format: str
    """The format of that line, in Gunicorn's notation with Gunicorn's atoms."""
    errorlog: str
    """The file for everything else that is logged; `-` is standard error."""
    loglevel: Literal["debug", "info", "warning", "error", "critical"]
    """The least severe level that is written to the error log."""
    capture_output: bool
    """Whether what the application prints goes to the error log."""
    log_format: Literal["text", "json", "otel"]
    """How lines of both logs are written: as text, as JSON objects with keys of the Elastic Common
    Schema, or with `otel` as records of OpenTelemetry's log data model."""
    log_split: bool
    """Whether, where the error log is standard error, what is less severe than a warning goes to
    standard output: some platforms take every line on standard error for an error."""
    logger_class: str | type | None
    """A class that writes the logs, as `module.Class`."""
    logconfig_dict: Mapping[str, Any]
    """A logging configuration as `logging.config.dictConfig` takes it."""
    logconfig_json: str | None
    """A JSON file with such a configuration."""
    logconfig: str | None
    """An ini file with a logging configuration, as `logging.config.fileConfig` takes it."""
    syslog: bool
    """Whether both logs go to syslog, too; the access log then needs no file."""
    syslog_addr: str
    """Where syslog listens: `udp://HOST:PORT`, `tcp://HOST:PORT`, or `unix://PATH` with `#dgram` or
    `#stream` behind it."""
    syslog_prefix: str | None
    """The program's name in syslog, which begins with `gunicorn.`; else `proc_name`."""
    syslog_facility: str
    """The facility of what is sent to syslog."""
    disable_redirect_access_to_syslog: bool
    """Whether the access log is kept out of syslog."""
    request_id: Literal["auto", "on", "off"]
    """Whether each request has an id: `auto` where a log has a place for it, `%(request_id)s` in
    `access_log_format` or another `log_format` than `text`."""
    statsd_host: str | None
    """The statsd daemon to send metrics to: `HOST:PORT`, or `unix://PATH`."""
    statsd_prefix: str | None
    """What the names of these metrics begin with; a dot follows it."""
    dogstatsd_tags: str | None
    """Tags that follow each of these metrics, as `name:value,name:value`."""
    enable_backlog_metric: bool
    """Whether the number of connections that wait to be accepted is among these metrics; on Linux,
    for TCP."""

    # Process
    daemon: bool
    """Leave the terminal and serve in the background."""
    enable_stdio_inheritance: bool
    """Keep standard output and error with `daemon`."""
    pidfile: str | None
    """The file that holds the supervisor's process number while it runs."""
    user: str | None
    """The user that workers run as, by name or number."""
    group: str | None
    """The group that workers run as, by name or number."""
    initgroups: bool
    """Give workers all the groups that `user` is a member of."""
    proc_name: str | None
    """The name that the processes show in `ps` and `top`."""

    # Control
    control_socket: str | None
    """The path of the control socket."""
    control_socket_mode: int
    """The permission bits of the control socket."""
    control_socket_disable: bool
    """Whether to have no control socket."""

    # Health
    health_path: str | None
    """The path below which the server answers health checks by itself: `livez`, `readyz` and
    `startupz`."""
    health_check: str | None
    """A function of the application, without arguments, that says whether it is well: it fails by
    raising something or giving `False`."""
    health_check_interval: float
    """The time between two calls of `health_check`."""
    health_check_timeout: float
    """A call of `health_check` that takes longer hangs, readiness says until it is over."""

    # Files
    static: Mapping[str, str]
    """Directories whose files are sent without the application, each with the path that they are
    below, such as `/static=/srv/site/static`."""
    static_max_age: float
    """For how long a client may use a file of `static` without asking whether it has changed
    (`Cache-Control: max-age`)."""
    sendfile_roots: Mapping[str, str]
    """Directories whose files the application may hand over: `X-Accel-Redirect` names one by the
    prefix, `X-Sendfile` by its absolute path, and the server sends it instead of the body."""

    # Observing
    metrics_bind: tuple[str, ...]
    """Addresses that serve metrics for Prometheus at `/metrics`, and `/livez`, `/readyz` and
    `/startupz`."""
    status_bind: tuple[str, ...]
    """Addresses that serve the status page, and `/livez`, `/readyz` and `/startupz`."""
    metrics_path: str | None
    """A path of the addresses in `bind` that shows the same metrics, for the whole server and
    whichever worker is asked, to the peers in `metrics_allow_ips`; for others it is the
    application's."""
    metrics_allow_ips: tuple[str, ...]
    """The peers that may see `metrics_path`."""
    tracing: bool
    """Whether each request is a span of OpenTelemetry's, which is sent by OTLP over HTTP to where
    the SDK's own variables say (`OTEL_EXPORTER_OTLP_ENDPOINT` and so on)."""

    # Development
    reload: bool
    """Whether workers are replaced when a file of the application changes."""
    reload_extra_files: tuple[str, ...]
    """Further files to watch for `reload`; patterns with `*` are understood."""
    check_config: bool
    """Whether to check the settings, import the application, and leave without serving."""
    print_config: bool
    """Whether to print every setting with where its value came from, and leave."""

    # Hooks
    on_starting: Callable[..., object] | str | None
    """Called as `on_starting(server)` in the supervisor, before it opens its sockets."""
    on_reload: Callable[..., object] | str | None
    """Called as `on_reload(server)` in the supervisor, when a reload has read its settings."""
    when_ready: Callable[..., object] | str | None
    """Called as `when_ready(server)` in the supervisor, when its sockets are open and no worker has
    been started."""
    pre_fork: Callable[..., object] | str | None
    """Called as `pre_fork(server, worker)` in the supervisor, before each worker is started."""
    post_fork: Callable[..., object] | str | None
    """Called as `post_fork(server, worker)` in the worker, before it changes its user and imports
    the application."""
    post_worker_init: Callable[..., object] | str | None
    """Called as `post_worker_init(worker)` in the worker, when the application is imported and
    nothing has been accepted yet."""
    worker_int: Callable[..., object] | str | None
    """Called as `worker_int(worker)` in the worker, when it is told to stop at once (INT, QUIT)."""
    worker_abort: Callable[..., object] | str | None
    """Called as `worker_abort(worker)` in the worker, when one of its requests is over its time, or
    on ABRT."""
    pre_exec: Callable[..., object] | str | None
    """Called as `pre_exec(server)` in the supervisor, before it starts the next one on USR2."""
    pre_request: Callable[..., object] | str | None
    """Called as `pre_request(worker, req)` in the thread of the request, before the application is
    called."""
    post_request: Callable[..., object] | str | None
    """Called as `post_request(worker, req, environ, resp)` in the thread of the request, when its
    answer was sent; it may take the first two or three arguments only."""
    child_exit: Callable[..., object] | str | None
    """Called as `child_exit(server, worker)` in the supervisor, when a worker's process has
    ended."""
    worker_exit: Callable[..., object] | str | None
    """Called as `worker_exit(server, worker)` in the worker, as it leaves."""
    nworkers_changed: Callable[..., object] | str | None
    """Called as `nworkers_changed(server, new_value, old_value)` in the supervisor, when another
    number of workers is wanted; at the start the old one is None."""
    ssl_context: Callable[..., object] | str | None
    """Called as `ssl_context(config, default_ssl_context_factory)` in the supervisor where TLS is
    spoken, once for each start and reload, and in the workers when a certificate's file has
    changed; never for each connection."""
    on_exit: Callable[..., object] | str | None
    """Called as `on_exit(server)` in the supervisor, as it leaves."""
