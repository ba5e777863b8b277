"""canter.run: the same settings for a program, and a server that really serves."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

import pytest

import canter as package
from canter.errors import ApplicationError, ConfigError
from tests.cli.commands import canter, clean_environment


def application(environ, start_response):
    start_response("204 No Content", [])
    return []


@pytest.fixture(autouse=True)
def _in_a_directory_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in list(os.environ):
        if name.startswith(("CANTER_", "GUNICORN_")) and name != "CANTER_EXTENSIONS":
            monkeypatch.delenv(name)


def test_an_unknown_keyword_leads_to_the_nearest():
    with pytest.raises(ConfigError, match=r"^unknown setting thread; did you mean threads\?$"):
        package.run(application, thread=4)


def test_a_wrong_value_is_named():
    with pytest.raises(ConfigError, match=r"^threads: 'x' is not a whole number"):
        package.run(application, threads="x")


def test_the_application_is_not_a_keyword():
    with pytest.raises(ConfigError, match="the application is the first argument"):
        package.run(application, wsgi_app="site:app")


def test_what_is_neither_callable_nor_a_path_is_no_application():
    with pytest.raises(ApplicationError, match="neither callable nor a path: 3"):
        package.run(3)  # type: ignore[arg-type]  # that is the point


def test_arguments_are_stronger_than_file_and_environment(tmp_path, monkeypatch, capsys):
    (tmp_path / "canter.toml").write_text("workers = 2\nthreads = 2\ntimeout = 2")
    monkeypatch.setenv("CANTER_THREADS", "3")
    monkeypatch.setenv("CANTER_TIMEOUT", "3")
    assert package.run("site:app", timeout=4, print_config=True) == 0
    shown = {" ".join(line.split()) for line in capsys.readouterr().out.splitlines()}
    assert {
        'wsgi_app = "site:app" # argument',
        "workers = 2 # canter.toml:1",
        "threads = 3 # env CANTER_THREADS",
        "timeout = 4 # argument",
    } <= shown


def test_a_callable_can_be_checked(capsys):
    assert package.run(application, check_config=True) == 0
    assert "the configuration is right" in capsys.readouterr().out


def test_the_package_is_light_until_it_runs(tmp_path):
    program = "import sys, canter; print([name for name in sys.modules if 'canter.' in name])"
    done = canter(tmp_path, python=("-c", program))
    assert done.stdout == "[]\n"


PROGRAM = """\
import sys
import canter

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]

sys.exit(canter.run(application, bind="unix:socket", threads=2))
"""


def test_a_program_serves_its_own_application_and_ends_with_status_0(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    with subprocess.Popen(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env=clean_environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stderr is not None
            # The socket exists before this line is written, and its queue waits for the worker.
            while "listening at" not in (line := server.stderr.readline()):
                assert line, "it has left"
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(30)
                client.connect(str(tmp_path / "socket"))
                client.sendall(b"GET / HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n")
                answer = b"".join(iter(lambda: client.recv(65536), b""))
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
            assert answer.endswith(b"\r\n\r\nhello")
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=30)
        finally:
            server.kill()
    assert server.returncode == 0
    assert not (tmp_path / "socket").exists()
