"""Programs that tests run; a test that needs one that is not installed is skipped by name."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGES = {
    "apache2": "apache2",
    "caddy": "caddy",
    "chromium": "chromium",
    "curl": "curl",
    "h2load": "nghttp2-client",
    "haproxy": "haproxy",
    "lighttpd": "lighttpd",
    "lighttpd openssl": "lighttpd-mod-openssl",
    "nghttp": "nghttp2-client",
    "nginx": "nginx-light",
    "nginx stream": "libnginx-mod-stream",
    "openssl": "openssl",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "varnishd": "varnish",
    "wrk": "wrk",
}
"""Each program, and the Debian package that brings it."""

SEARCHED = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
"""Where programs are looked for: Debian keeps servers where only root's PATH leads."""

NGINX_STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")

PARTS = {
    "nginx stream": NGINX_STREAM,
    "lighttpd openssl": Path("/usr/lib/lighttpd/mod_openssl.so"),
}
"""What is no program but a part of one, in a file of its own."""

GUNICORN = Path(__file__).resolve().parents[2] / ".parity-venv" / "bin" / "gunicorn"
"""The real Gunicorn, in an environment of its own that `make parity-env` makes."""

LONGEST_RUN_SECONDS = 60.0


def needs(program: str) -> pytest.MarkDecorator:
    """Marks a test that cannot run without `program`."""
    return pytest.mark.skipif(
        program in missing(), reason=f"{program} is not installed ({_bringer(program)} brings it)"
    )


def missing() -> dict[str, str]:
    """The programs that are not here, each with the command that would bring it."""
    absent = [name for name in PACKAGES if not _is_here(name)]
    if not GUNICORN.exists():
        absent.append("gunicorn")
    return {name: _bringer(name) for name in absent}


def _is_here(program: str) -> bool:
    if program in PARTS:
        return PARTS[program].exists()
    return shutil.which(program, path=SEARCHED) is not None


def _bringer(program: str) -> str:
    if program == "gunicorn":
        return "make parity-env"
    return f"apt-get install {PACKAGES[program]}"


@dataclass(frozen=True)
class CurlAnswer:
    """What curl saw: the last response's status and head, and its exit status."""

    exit_status: int
    status: int
    head: str
    body: bytes
    stderr: str


def curl(directory: Path, *arguments: str) -> CurlAnswer:
    """Run curl silently with these arguments; its files go to `directory`."""
    head, body = directory / "curl.head", directory / "curl.body"
    head.unlink(missing_ok=True)
    body.unlink(missing_ok=True)
    # -q comes first, so that nobody's ~/.curlrc changes a test.
    command = ["curl", "-q", "-sS", "--noproxy", "*", "--max-time", str(LONGEST_RUN_SECONDS)]
    files = ["--dump-header", str(head), "--output", str(body), "--write-out", "%{http_code}"]
    done = subprocess.run(
        [*command, *files, *arguments],
        capture_output=True,
        text=True,
        timeout=LONGEST_RUN_SECONDS + 10,
        check=False,
    )
    return CurlAnswer(
        exit_status=done.returncode,
        status=int(done.stdout or 0),
        head=head.read_text("latin-1") if head.exists() else "",
        body=body.read_bytes() if body.exists() else b"",
        stderr=done.stderr,
    )


@dataclass(frozen=True)
class WrkReport:
    """What wrk counted: all its answers, and every way in which one can fail."""

    requests: int
    wrong_status: int
    socket_errors: int
    text: str

    @property
    def failed(self) -> int:
        return self.wrong_status + self.socket_errors


def wrk_command(url: str, *, seconds: int, connections: int) -> list[str]:
    """One thread of wrk: the load is bounded by its time and its connections."""
    duration, clients = f"-d{seconds}s", f"-c{connections}"
    return ["wrk", "-t1", duration, clients, "--timeout", "20s", url]


def parse_wrk(text: str) -> WrkReport:
    """Read wrk's summary."""
    requests = re.search(r"(\d+) requests in ", text)
    assert requests, text
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    errors = re.search(
        r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text
    )
    return WrkReport(
        requests=int(requests[1]),
        wrong_status=int(wrong[1]) if wrong else 0,
        socket_errors=sum(map(int, errors.groups())) if errors else 0,
        text=text,
    )


def wrk(url: str, *, seconds: int = 1, connections: int = 8) -> WrkReport:
    """Run wrk to its end."""
    command = wrk_command(url, seconds=seconds, connections=connections)
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds + 30, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return parse_wrk(done.stdout)


def main() -> int:
    """Name every program that is missing; 1 where one is."""
    for name, bringer in missing().items():
        sys.stderr.write(f"{name} is missing, which live tests run: {bringer}\n")
    return 1 if missing() else 0


if __name__ == "__main__":
    raise SystemExit(main())
