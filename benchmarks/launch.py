"""Starts servers that are libraries first, or want a file, with what no option of theirs can set.

    python -m benchmarks.launch SERVER PORT --workers N --threads N --connections N MODULE:NAME

Runs in the peers' environment. With more than one worker bjoern and fastwsgi are forked once the
application is loaded; Waitress and Cheroot have one process and get that many times the threads.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import logging
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from typing import Any

HOST = "127.0.0.1"
BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75

Application = Callable[..., Any]


def _waitress(application: Application, options: argparse.Namespace) -> None:
    waitress = importlib.import_module("waitress")
    # Its warnings about the length of its queue would be written for every request.
    logging.getLogger("waitress").setLevel(logging.ERROR)
    waitress.serve(
        application,
        host=HOST,
        port=options.port,
        threads=options.threads * options.workers,
        connection_limit=options.connections,
        backlog=BACKLOG,
        asyncore_use_poll=True,
        channel_timeout=KEEP_ALIVE_SECONDS,
    )


def _cheroot(application: Application, options: argparse.Namespace) -> None:
    server = importlib.import_module("cheroot.wsgi").Server(
        (HOST, options.port),
        application,
        numthreads=options.threads * options.workers,
        request_queue_size=BACKLOG,
        timeout=KEEP_ALIVE_SECONDS,
    )
    server.keep_alive_conn_limit = options.connections
    server.safe_start()


def _bjoern(application: Application, options: argparse.Namespace) -> None:
    bjoern = importlib.import_module("bjoern")
    listener = bjoern.bind_and_listen(HOST, options.port, listen_backlog=BACKLOG)
    _in_workers(options.workers, lambda: bjoern.server_run(listener, application))


def _fastwsgi(application: Application, options: argparse.Namespace) -> None:
    server = importlib.import_module("fastwsgi").server
    server.backlog = BACKLOG
    server.tcp_nodelay = 1

    def serve() -> None:
        server.init(application, HOST, options.port)
        server.run()

    _in_workers(options.workers, serve)


def _nginx(application: Application, options: argparse.Namespace) -> None:
    """Files alone, in the way its own manual advises. It becomes this process."""
    del application
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        sys.exit("nginx is not installed (Debian's package: nginx-light)")
    folder = tempfile.mkdtemp(prefix="nginx-")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    lines = [
        "user root;" if os.geteuid() == 0 else "",
        f"daemon off; worker_processes {options.workers}; pid {folder}/pid; error_log stderr warn;",
        f"events {{ worker_connections {options.connections}; }}",
        "http {",
        *(f"{kind}_temp_path {folder}/{kind};" for kind in kinds),
        "access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;",
        f"keepalive_timeout {KEEP_ALIVE_SECONDS}s;",
        f"server {{ listen {HOST}:{options.port} backlog={BACKLOG};",
        f"location /static/ {{ alias {os.environ['BENCHMARKS_FILES']}/; }} }} }}",
    ]
    path = os.path.join(folder, "nginx.conf")
    with open(path, "w", encoding="utf-8") as configuration:
        configuration.write("\n".join(lines))
    os.execv(program, [program, "-p", folder, "-c", path])  # noqa: S606 - what wants no shell


SERVERS = {
    "waitress": _waitress,
    "cheroot": _cheroot,
    "bjoern": _bjoern,
    "fastwsgi": _fastwsgi,
    "nginx": _nginx,
}


def _in_workers(count: int, serve: Callable[[], None]) -> None:
    """Serve here, or in `count` forked children that end when this process is told to."""
    if count == 1:
        serve()
        return
    children = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            serve()
            os._exit(0)
        children.append(child)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="benchmarks.launch")
    parser.add_argument("server", choices=sorted(SERVERS))
    parser.add_argument("port", type=int)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--connections", type=int, default=1000)
    parser.add_argument("application", metavar="MODULE:NAME")
    options = parser.parse_args(arguments)
    if options.workers > 1 and options.server != "nginx":
        # The parent of forked workers waits for them; a blocked signal is not lost on the way.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    module, _, name = options.application.partition(":")
    application = getattr(importlib.import_module(module), name)
    SERVERS[options.server](application, options)


if __name__ == "__main__":
    main(sys.argv[1:])
