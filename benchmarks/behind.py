"""Runs a server on a unix socket, and nginx in front of it, until SIGTERM.

    python -m benchmarks.behind PORT http|uwsgi|fastcgi -- COMMAND...

In COMMAND the word SOCKET stands for the path of the socket. nginx keeps connections to the server
as its manual advises, and writes no log.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

CONNECTIONS = 1000
KEPT = 64
PASS = {
    "http": (
        "proxy_pass http://back; proxy_http_version 1.1; "
        'proxy_set_header Connection ""; proxy_set_header Host $host;'
    ),
    "uwsgi": "uwsgi_pass back; include {parameters}/uwsgi_params;",
    "fastcgi": (
        "fastcgi_pass back; fastcgi_keep_conn on; include {parameters}/fastcgi_params; "
        "fastcgi_param SCRIPT_NAME ''; fastcgi_param PATH_INFO $document_uri;"
    ),
}
PARAMETERS = Path("/etc/nginx")
TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


def configuration(folder: str, port: int, protocol: str, sock: str) -> str:
    """What nginx reads. It closes uwsgi's connections itself: that format has no keep-alive."""
    return "\n".join(
        (
            "user root;" if os.geteuid() == 0 else "",
            f"daemon off; worker_processes 1; pid {folder}/pid; error_log stderr warn;",
            f"events {{ worker_connections {CONNECTIONS * 2}; }}",
            "http { access_log off; keepalive_requests 1000000;",
            *(f"{kind}_temp_path {folder}/{kind};" for kind in TEMPORARY),
            f"upstream back {{ server unix:{sock};",
            f"keepalive {KEPT}; keepalive_requests 1000000; }}",
            f"server {{ listen 127.0.0.1:{port} backlog=2048;",
            f"location / {{ {PASS[protocol].format(parameters=PARAMETERS)} }} }} }}",
        )
    )


def main(arguments: list[str]) -> None:
    """Serve until SIGTERM."""
    port, protocol, _, *command = arguments
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None:
        sys.exit("nginx is not installed (Debian's package: nginx-light)")
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    with tempfile.TemporaryDirectory(prefix="behind-") as folder:
        sock = os.path.join(folder, "socket")
        path = Path(folder, "nginx.conf")
        path.write_text(configuration(folder, int(port), protocol, sock), encoding="utf-8")
        words = [word.replace("SOCKET", sock) for word in command]
        children = [
            subprocess.Popen(line, preexec_fn=_unblock)  # noqa: PLW1509 - no thread has begun
            for line in (words, [nginx, "-p", folder, "-c", str(path)])
        ]
        signal.sigwait({signal.SIGTERM, signal.SIGINT})
        for child in children:
            child.terminate()
        for child in children:
            child.wait()


def _unblock() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})


if __name__ == "__main__":
    main(sys.argv[1:])
