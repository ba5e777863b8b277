"""What a running server does: the environ, logs, signals, as both sides do it."""

from __future__ import annotations

import os
import re
import signal
import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.parity.sides import APP, Side
from tests.live.raw_http import Client
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.live.harness import Server

ATOMS = (
    "%(h)s|%(l)s|%(u)s|%(t)s|%(r)s|%(m)s|%(U)s|%(q)s|%(H)s|%(s)s|%(B)s|%(b)s|%(f)s|%(a)s|%(T)s|"
    "%(M)s|%(D)s|%(L)s|%(p)s|%({host}i)s|%({x-test}o)s|%({request_method}e)s|%({none}i)s"
)


@pytest.fixture
def server(side: Side, shared: Callable[..., Server]) -> Server:
    """The server that these tests only talk to."""
    return shared(
        side, "--access-logformat", ATOMS, "--env", "TEST_VARIABLE=a=b", "--threads", "2",
        "--forwarded-allow-ips", "127.0.0.2",
    )  # fmt: skip


def environ(server: Server, path: str, *fields: str, trusted: bool = False) -> Any:
    """What the application was given."""
    with Client(server.address, source="127.0.0.2" if trusted else "127.0.0.3") as client:
        answer = client.get(path, "Connection: close", *fields)
    assert answer.status == 200, answer
    return answer.json()


# ---- the environ


def test_the_environ_has_these_keys(server: Server) -> None:
    keys = set(environ(server, "/a%20b?c=d&e", "User-Agent: x"))
    wanted = {
        "REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "RAW_URI", "SERVER_NAME",
        "SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE", "REMOTE_ADDR", "REMOTE_PORT",
        "HTTP_HOST", "HTTP_USER_AGENT", "HTTP_CONNECTION", "wsgi.version", "wsgi.url_scheme",
        "wsgi.input", "wsgi.errors", "wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once",
        "wsgi.file_wrapper", "wsgi.input_terminated", "wsgi.early_hints",
    }  # fmt: skip
    assert wanted <= keys


def test_the_environ_says_this_of_a_request(server: Server, side: Side) -> None:
    seen = environ(server, "/a%20b?c=d&e", "X-Twice: 1", "X-Twice: 2", "Cookie: a=1")
    said = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/a b", "QUERY_STRING": "c=d&e",
        "RAW_URI": "/a%20b?c=d&e", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": server.url.rpartition(":")[2], "REMOTE_ADDR": "127.0.0.3",
        "HTTP_HOST": "localhost", "HTTP_X_TWICE": "1,2", "wsgi.url_scheme": "http",
        "wsgi.version": [1, 0], "wsgi.multithread": True, "wsgi.multiprocess": False,
        "wsgi.run_once": False, "wsgi.input_terminated": True, "test.variable": "a=b",
    }  # fmt: skip
    assert {key: seen[key] for key in said} == said
    software = rf"{side.name}/\d+\.\d+\.\d+"
    assert re.fullmatch(software, seen["SERVER_SOFTWARE"])
    assert seen["test.server_software"] == seen["SERVER_SOFTWARE"]
    assert seen["test.path"][0] in (seen["test.cwd"], "") or seen["test.cwd"] in seen["test.path"]


@pytest.mark.parametrize(
    "field", ["X-Forwarded-Proto: https", "X-Forwarded-Ssl: on", "X-Forwarded-Protocol: ssl"]
)
def test_only_a_trusted_front_says_that_the_scheme_is_https(server: Server, field: str) -> None:
    assert environ(server, "/", field, trusted=True)["wsgi.url_scheme"] == "https"
    assert environ(server, "/", field)["wsgi.url_scheme"] == "http"


def test_a_front_that_contradicts_itself_is_refused(server: Server) -> None:
    with Client(server.address, source="127.0.0.2") as client:
        fields = ("X-Forwarded-Proto: https", "X-Forwarded-Ssl: off")
        assert client.get("/", *fields).status == 400


def test_only_a_trusted_front_says_where_the_application_is_mounted(server: Server) -> None:
    seen = environ(server, "/shop/a", "SCRIPT_NAME: /shop", trusted=True)
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == ("/shop", "/a")
    seen = environ(server, "/shop/a", "SCRIPT_NAME: /shop")
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == ("", "/shop/a")


def test_other_names_with_an_underscore_are_dropped(server: Server) -> None:
    seen = environ(server, "/", "REMOTE_USER: root", "X_Forwarded_For: 1.2.3.4", trusted=True)
    assert "HTTP_REMOTE_USER" not in seen
    assert "HTTP_X_FORWARDED_FOR" not in seen


# ---- the access log


def test_every_atom_of_the_access_log_says_the_same(server: Server, mark: str) -> None:
    fields = ("Authorization: Basic am9lOngK", "Referer: http://before/", f"User-Agent: {mark}")
    with Client(server.address, source="127.0.0.3") as client:
        answer = client.get("/path?query=1", *fields, "Connection: close")
    size = str(len(answer.body))
    line = server.wait_for_access(mark)[0].split("|")
    took = [line.pop(14) for _ in range(4)]
    pid = line.pop(14)
    moment = line.pop(3)
    assert line == [
        "127.0.0.3", "-", "joe", "GET /path?query=1 HTTP/1.1", "GET", "/path", "query=1",
        "HTTP/1.1", "200", size, size, "http://before/", mark, "localhost", "value", "GET", "-",
    ]  # fmt: skip
    assert re.fullmatch(r"\[\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\]", moment)
    assert re.fullmatch(r"\d+ \d+ \d+ \d+\.\d{6}", " ".join(took))
    assert pid == f"<{answer.json()['test.pid']}>"


def test_lines_of_the_error_log_look_the_same(server: Server) -> None:
    line = r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[[A-Z]+\] \S"
    first = server.log().splitlines()[0]
    assert re.match(line, first), first


def test_a_failed_request_is_a_500_with_a_traceback_in_the_error_log(server: Server) -> None:
    with Client(server.address) as client:
        assert client.get("/fail", "Connection: close").status == 500
    server.wait_for_log(r"/fail.*Traceback.*RuntimeError: as asked")


# ---- mounted below a path


def test_script_name_in_raw_env_mounts_the_application(launch: Callable[..., Server]) -> None:
    server = launch("--env", "SCRIPT_NAME=/shop")
    seen = environ(server, "/shop/a")
    assert (seen["SCRIPT_NAME"], seen["PATH_INFO"]) == ("/shop", "/a")


# ---- a socket file, the directory, the process


def test_a_unix_socket_has_the_mode_that_umask_leaves_and_is_removed_at_the_end(
    launch: Callable[..., Server],
) -> None:
    server = launch("--umask", "007", bind="unix:site.sock")
    path = server.directory / "site.sock"
    assert path.stat().st_mode & 0o777 == 0o770
    with Client(server.address) as client:
        seen = client.get("/", "Connection: close").json()
    assert seen["SERVER_NAME"] == "localhost"
    assert seen["REMOTE_ADDR"] == ""
    assert server.stop() == 0
    assert not path.exists()


def test_a_socket_that_was_opened_before_is_served(launch: Callable[..., Server]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        fd = listener.fileno()
        server = launch(bind=f"fd://{fd}", pass_fds=(fd,))
        assert server.address == listener.getsockname()
        assert server.get("/").status == 200


def test_chdir_and_pythonpath_say_where_to_import_from(
    launch: Callable[..., Server], tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "lib").mkdir()
    (tmp_path / "sub" / "site_app.py").write_text("from inner import application\n")
    (tmp_path / "lib" / "inner.py").write_text(f"from {APP} import application\n")
    server = launch(
        "--chdir", str(tmp_path / "sub"), "--pythonpath", str(tmp_path / "lib"), app="site_app"
    )
    assert server.get("/").json()["test.cwd"] == str(tmp_path / "sub")


def test_what_the_application_prints_is_in_the_log(launch: Callable[..., Server]) -> None:
    server = launch("--capture-output", "--env", "PYTHONUNBUFFERED=1")
    server.get("/print")
    server.wait_for_log("printed by the application")


def test_a_worker_is_replaced_after_its_share_of_requests(launch: Callable[..., Server]) -> None:
    server = launch("--max-requests", "3")
    (worker,) = server.workers()
    for _ in range(3):
        assert server.get("/").status == 200
    server.wait_for_replacement(worker, 1)


def test_limits_of_requests_are_answered_with_these_statuses(
    launch: Callable[..., Server],
) -> None:
    server = launch(
        "--limit-request-line", "200", "--limit-request-fields", "4",
        "--limit-request-field_size", "100",
    )  # fmt: skip
    assert server.get("/", "X-A: 1").status == 200
    assert server.get("/" + 300 * "a").status == 414
    assert server.get("/", "X-A: 1", "X-B: 2", "X-C: 3", "X-D: 4").status == 431
    assert server.get("/", "X-A: " + 300 * "a").status == 431


def test_an_idle_connection_is_closed_after_keep_alive(launch: Callable[..., Server]) -> None:
    server = launch("--keep-alive", "1", "--threads", "2")
    with Client(server.address) as client:
        assert not client.get("/").closes
        assert client.read_until_closed() == b""


# ---- signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_signal_to_stop_ends_it_with_0(
    launch: Callable[..., Server], number: signal.Signals
) -> None:
    server = launch("--pid", "site.pid")
    pid_file = server.directory / "site.pid"
    assert pid_file.read_text() == f"{server.pid}\n"
    server.signal(number)
    assert server.wait_for_exit() == 0
    assert not pid_file.exists()


def test_workers_are_added_removed_and_replaced(launch: Callable[..., Server]) -> None:
    server = launch()
    server.signal(signal.SIGTTIN)
    both = server.wait_for_workers(2)
    server.signal(signal.SIGWINCH)
    os.kill(both[0], signal.SIGKILL)
    server.wait_for_replacement(both[0], 2)
    server.signal(signal.SIGTTOU)
    server.wait_for_workers(1)


def test_a_reload_reads_everything_again(launch: Callable[..., Server]) -> None:
    server = launch("--threads", "2")
    old = server.workers()
    (server.directory / "gunicorn.conf.py").write_text("workers = 3\nraw_env = 'TEST_VARIABLE=new'")
    server.signal(signal.SIGHUP)
    server.wait_for_new_workers(old, 3)
    assert environ(server, "/")["test.variable"] == "new"


def test_logs_are_opened_anew_on_usr1(launch: Callable[..., Server]) -> None:
    server = launch()
    environ(server, "/before")
    server.wait_for_access("/before")
    moved = server.access_path.rename(server.directory / "access.1")
    server.signal(signal.SIGUSR1)
    eventually(server.access_path.exists, "a new access log")

    def logged() -> bool:
        environ(server, "/after")
        return bool(server.access_lines("/after"))

    eventually(logged, "lines in the new log")
    assert "/before" in moved.read_text()
