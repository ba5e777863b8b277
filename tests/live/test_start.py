"""Starting: every form of address, what is said at the start, and mistakes told in one message."""

from __future__ import annotations

import os
import pwd
import re
import signal
import socket
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.live.harness import PLAIN, Server, starting
from tests.live.programs import curl, needs
from tests.live.raw_http import Client
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.live.harness import Start

INSTALLED = Path(sys.executable).with_name("canter")


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock.getsockname()[1]


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


# ---- addresses


def test_port_0_is_chosen_and_said_as_a_clickable_url(start: Start) -> None:
    server = start(bind="127.0.0.1:0")
    assert httpx.get(f"{server.url}/hello").text == "hello"
    assert not server.url.endswith(":0")


def test_listens_on_a_host_and_port(start: Start) -> None:
    port = free_port()
    server = start(bind=f"127.0.0.1:{port}")
    assert server.url == f"http://127.0.0.1:{port}"
    assert httpx.get(f"http://127.0.0.1:{port}/hello").text == "hello"


def test_listens_on_a_port_of_every_interface(start: Start) -> None:
    port = free_port()
    start(bind=f":{port}")
    assert httpx.get(f"http://127.0.0.1:{port}/hello").text == "hello"


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")
def test_listens_on_ipv6(start: Start) -> None:
    server = start(bind="[::1]:0")
    assert server.url.startswith("http://[::1]:")
    seen = httpx.get(f"{server.url}/show_environ").json()
    assert seen["REMOTE_ADDR"] == "::1"


def test_listens_on_a_unix_socket_and_takes_it_away_at_the_end(start: Start) -> None:
    server = start(bind="unix:app.sock")
    with httpx.Client(transport=httpx.HTTPTransport(uds=server.address)) as client:  # type: ignore[arg-type]
        assert client.get("http://localhost/hello").text == "hello"
    server.wait_for_access("/hello")
    assert server.stop() == 0
    assert not (server.directory / "app.sock").exists()


@needs("curl")
def test_curl_talks_to_a_unix_socket(start: Start, tmp_path: Path) -> None:
    server = start(bind="unix:app.sock")
    answer = curl(tmp_path, "--unix-socket", str(server.address), "http://localhost/hello")
    assert (answer.status, answer.body) == (200, b"hello")


def test_a_stale_unix_socket_is_taken_over(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "stale.sock"
    with closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(str(path))
    server = start(bind=f"unix:{path}")
    assert server.get("/hello").body == b"hello"


def test_a_live_unix_socket_is_not_taken_away(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "live.sock"
    first = start(bind=f"unix:{path}")
    fails(start(bind=f"unix:{path}", ready=False), 1, "live.sock")
    assert first.get("/hello").body == b"hello"


def test_a_file_that_is_no_socket_is_not_taken_away(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "precious"
    path.write_text("data")
    fails(start(bind=f"unix:{path}", ready=False), 1, "precious")
    assert path.read_text() == "data"


def test_the_mode_of_a_unix_socket_can_be_set(start: Start) -> None:
    server = start(PLAIN, "--unix-socket-mode", "660", bind="unix:app.sock")
    assert (server.directory / "app.sock").stat().st_mode & 0o777 == 0o660


def test_listens_on_an_abstract_socket(start: Start, mark: str) -> None:
    server = start(bind=f"unix:@canter-{mark}")
    assert server.get("/hello").body == b"hello"


def test_listens_on_a_descriptor_that_it_was_given(start: Start) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        address = sock.getsockname()
        server = start(bind=f"fd://{sock.fileno()}", pass_fds=(sock.fileno(),))
        with Client(address) as client:
            assert client.get("/hello").body == b"hello"
        assert server.stop() == 0


def test_listens_on_several_addresses(start: Start) -> None:
    port = free_port()
    server = start(PLAIN, "--bind", f"127.0.0.1:{port}", bind="unix:app.sock")
    assert server.get("/hello").body == b"hello"
    assert httpx.get(f"http://127.0.0.1:{port}/hello").text == "hello"
    assert server.wait_for_access("GET /hello", 2)


def test_two_servers_share_a_port_if_both_want_to(start: Start) -> None:
    port = free_port()
    servers = [start(PLAIN, "--reuse-port", bind=f"127.0.0.1:{port}") for _ in range(2)]
    pids: set[int] = set()

    def both_answer() -> bool:
        pids.add(servers[0].get("/who").json()["pid"])
        return len(pids) == 2

    eventually(both_answer, "the kernel gives connections to both")
    fails(start(bind=f"127.0.0.1:{port}", ready=False), 1, "already in use")


# ---- how it is started


def test_the_installed_command_and_the_module_are_the_same(start: Start) -> None:
    assert INSTALLED.exists(), "canter is not installed beside the interpreter that runs the tests"
    assert start(command=[str(INSTALLED)]).get("/hello").body == b"hello"
    said = [
        finished(start(None, "--version", bind=None, logs=False, ready=False, command=command))
        for command in ([str(INSTALLED)], [sys.executable, "-m", "canter"])
    ]
    assert said[0] == said[1]
    assert re.search(r"canter \d+\.\d+", said[0])
    assert re.search(r"compiled|plain", said[0])


def finished(server: Server, status: int = 0) -> str:
    """What a command said that ended by itself, with the status it must have."""
    assert server.wait_for_exit() == status, server.show()
    return server.output()


def fails(server: Server, status: int, *parts: str) -> None:
    """The command ends with `status` and says one clear thing, which has these parts."""
    said = finished(server, status)
    assert re.fullmatch(r"canter: error: [^\n]+\n", said), said
    for part in parts:
        assert part in said, said


def test_the_working_directory_is_importable(start: Start, tmp_path: Path) -> None:
    (tmp_path / "server1").mkdir()
    (tmp_path / "server1" / "beside.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [b'found beside']\n"
    )
    assert start("beside").get("/").body == b"found beside"


def test_chdir_changes_where_the_application_is_found(start: Start, tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "elsewhere.py").write_text(
        "import os\n"
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [os.getcwd().encode()]\n"
    )
    server = start("elsewhere", "--chdir", str(code))
    assert server.get("/").body == str(code.resolve()).encode()


def test_env_reaches_the_application(start: Start, tmp_path: Path) -> None:
    (tmp_path / "server1").mkdir()
    (tmp_path / "server1" / "reads_env.py").write_text(
        "import os\n"
        "FOUND = os.environ['LIVE_TEST'].encode()\n"
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [FOUND]\n"
    )
    assert start("reads_env", "--env", "LIVE_TEST=a value").get("/").body == b"a value"


def test_the_log_says_what_was_started(start: Start) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "3")
    said = server.log() + server.output()
    for part in (server.url, PLAIN, "access.log"):
        assert part in said
    assert re.search(r"compiled|plain", said)
    assert re.search(r"2 workers\b.*\b3 threads", said)
    assert "\x1b[" not in said


def test_without_options_the_access_log_is_off_and_errors_go_to_stderr(start: Start) -> None:
    server = start(logs=False)
    assert httpx.get(f"{server.url}/hello").text == "hello"
    assert "GET /hello" not in server.output()


def test_the_access_log_can_go_to_stdout(start: Start) -> None:
    server = start(PLAIN, "--access-logfile", "-", logs=False)
    assert httpx.get(f"{server.url}/hello?here").text == "hello"
    eventually(lambda: "GET /hello?here" in server.output(), "the line on stdout")


def test_the_access_log_can_have_gunicorns_format(start: Start) -> None:
    server = start(PLAIN, "--access-logformat", "%(m)s|%(U)s|%(q)s|%(s)s|%(B)s|%({x-id}i)s")
    server.get("/hello?a=b", "X-Id: seven")
    assert server.wait_for_access("/hello") == ["GET|/hello|a=b|200|5|seven"]


def test_auto_workers_follow_the_processors_that_may_be_used(start: Start) -> None:
    one = min(os.sched_getaffinity(0))
    narrow = (
        "import os, sys; os.sched_setaffinity(0, {int(sys.argv.pop(1))}); "
        "os.execv(sys.executable, [sys.executable, '-m', 'canter', *sys.argv[1:]])"
    )
    server = start(PLAIN, "--workers", "auto", command=[sys.executable, "-c", narrow, str(one)])
    assert len(server.wait_for_workers(1)) == 1


def test_auto_workers_are_as_many_as_there_are_processors_at_most(start: Start) -> None:
    server = start(PLAIN, "--workers", "auto")
    server.get("/hello")
    said = re.search(r"(\d+) workers?", server.log() + server.output())
    assert said
    server.wait_for_workers(int(said[1]))
    assert 1 <= int(said[1]) <= len(os.sched_getaffinity(0))


def test_the_pid_file_names_the_supervisor_and_goes_away(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "canter.pid"
    server = start(PLAIN, "--pid", str(path))
    assert path.read_text().strip() == str(server.pid)
    assert server.stop() == 0
    assert not path.exists()


def test_a_stale_pid_file_does_not_hinder_the_start(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "canter.pid"
    path.write_text("4194305\n")
    server = start(PLAIN, "--pid", str(path))
    assert path.read_text().strip() == str(server.pid)


@pytest.mark.parametrize("wanted", ["off", "auto"])
def test_the_log_says_which_core_runs(start: Start, wanted: str) -> None:
    server = start(environment={"CANTER_EXTENSIONS": wanted})
    core = re.search(r"\b(plain|compiled)\b", server.log() + server.output())
    assert core
    assert wanted == "auto" or core[0] == "plain"
    assert server.get("/hello").body == b"hello"


def test_nothing_is_left_open_or_deprecated(start: Start) -> None:
    """Python's development mode complains of forgotten files, sockets and threads."""
    server = start(command=[sys.executable, "-X", "dev", "-m", "canter"])
    for path in ("/hello", "/streams?blocks=3", "/file_wrapped", "/big_file?megabytes=1"):
        with server.client() as client:
            assert client.get(path).status == 200
            assert client.post("/echo", b"x" * 300_000).status == 200
    assert server.stop() == 0
    said = server.output() + server.log()
    assert "Warning" not in said, said


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user may enter, unlike those of the tests."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_workers_run_as_the_user_that_is_asked_for(open_directory: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    # It imports nothing: who runs the tests may have a Python that nobody else can read.
    (open_directory / "server1").mkdir()
    (open_directory / "server1").chmod(0o777)
    (open_directory / "server1" / "small.py").write_text(
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [])\n"
        "    return [b'hello']\n"
    )
    with starting(open_directory) as start:
        server = start("small", "--user", "nobody", "--group", str(nobody.pw_gid))
        status = Path(f"/proc/{server.workers()[0]}/status").read_text()
        assert re.search(r"^Uid:\s+(\d+)\s+(\d+)", status, re.MULTILINE).groups() == (  # type: ignore[union-attr]
            (str(nobody.pw_uid),) * 2
        )
        assert re.search(r"^Groups:.*\b0\b", status, re.MULTILINE) is None
        server.access_path.rename(server.directory / "moved.log")
        server.signal(signal.SIGUSR1)
        eventually(server.access_path.exists, "the log is opened again")
        assert server.get("/hello?as-nobody").body == b"hello"
        server.wait_for_access("as-nobody")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_the_owner_of_a_unix_socket_can_be_set(start: Start) -> None:
    server = start(PLAIN, "--unix-socket-owner", "nobody", bind="unix:app.sock")
    owner = (server.directory / "app.sock").stat().st_uid
    assert owner == pwd.getpwnam("nobody").pw_uid


# ---- settings from elsewhere


def test_settings_come_from_the_environment_and_options_win(start: Start) -> None:
    server = start(PLAIN, environment={"CANTER_WORKERS": "2", "CANTER_THREADS": "2"})
    server.wait_for_workers(2)
    assert server.get("/show_environ").json()["wsgi.multithread"] is True
    server = start(PLAIN, "--workers", "1", environment={"CANTER_WORKERS": "2"})
    assert server.get("/show_environ").json()["wsgi.multiprocess"] is False


def test_a_gunicorn_configuration_file_is_read(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "gunicorn.conf.py"
    path.write_text("workers = 2\nthreads = 3\nhelper = object()\n")
    server = start(PLAIN, "--config", str(path))
    server.wait_for_workers(2)
    assert server.get("/show_environ").json()["wsgi.multithread"] is True


def test_check_config_says_whether_it_would_start(start: Start) -> None:
    finished(start(PLAIN, "--check-config", ready=False))
    finished(start("no_such_module", "--check-config", ready=False), status=1)


def test_print_config_says_where_each_value_came_from(start: Start) -> None:
    said = finished(
        start(
            PLAIN,
            "--print-config",
            "--workers",
            "3",
            environment={"CANTER_THREADS": "5"},
            ready=False,
        )
    )
    workers = next(line for line in said.splitlines() if re.match(r"\s*workers\b", line))
    threads = next(line for line in said.splitlines() if re.match(r"\s*threads\b", line))
    assert "3" in workers
    assert "--workers" in workers
    assert "5" in threads
    assert "CANTER_THREADS" in threads


def test_help_names_the_options(start: Start) -> None:
    said = finished(start(None, "--help", bind=None, logs=False, ready=False))
    for option in ("--bind", "--workers", "--threads", "--timeout", "--reload"):
        assert option in said


# ---- mistakes


def test_a_module_that_does_not_exist(start: Start) -> None:
    fails(start("no_such_module:app", ready=False), 3, "no_such_module")


def test_an_attribute_that_does_not_exist(start: Start) -> None:
    fails(start(f"{PLAIN}:applicatoin", ready=False), 4, "applicatoin")


def test_something_that_cannot_be_called(start: Start) -> None:
    fails(start(f"{PLAIN}:BLOCK_BYTES", ready=False), 4, "BLOCK_BYTES")


def test_a_module_that_raises_is_told_with_its_traceback(start: Start, tmp_path: Path) -> None:
    (tmp_path / "server1").mkdir()
    (tmp_path / "server1" / "broken.py").write_text("raise RuntimeError('at import')\n")
    server = start("broken", "--workers", "2", ready=False)
    fails(server, 3, "'broken'", "error.log")
    # Both workers have failed in the same way, which needs no saying twice.
    assert server.log().count("Traceback") == 1
    assert "RuntimeError: at import" in server.log()
    assert 'broken.py", line 1' in server.log()


def test_a_port_that_is_in_use(start: Start, taken: int) -> None:
    fails(start(bind=f"127.0.0.1:{taken}", ready=False), 1, f"127.0.0.1:{taken}")


def test_one_port_of_several_that_is_in_use(start: Start, taken: int) -> None:
    server = start(PLAIN, "--bind", f"127.0.0.1:{taken}", bind="unix:app.sock", ready=False)
    fails(server, 1, f"127.0.0.1:{taken}")
    assert not (server.directory / "app.sock").exists()


@pytest.mark.parametrize(
    ("options", "status", "part"),
    [
        (["--wrokers", "2"], 2, "--wrokers"),
        (["--workers", "many"], 2, "--workers"),
        (["--workers", "0"], 2, "--workers"),
        (["--threads", "0"], 2, "--threads"),
        (["--timeout", "soon"], 2, "--timeout"),
        (["--bind", "127.0.0.1:http"], 1, "127.0.0.1:http"),
        (["--bind", "127.0.0.1:70000"], 1, "127.0.0.1:70000"),
        (["--chdir", "/no/such/directory"], 1, "/no/such/directory"),
        (["--config", "/no/such/file.py"], 1, "/no/such/file.py"),
        (["--log-level", "chatty"], 2, "chatty"),
        (["--error-logfile", "/no/such/directory/e.log"], 1, "/no/such/directory/e.log"),
        (["--access-logfile", "/no/such/directory/a.log"], 1, "/no/such/directory/a.log"),
        (["--pid", "/no/such/directory/pid"], 1, "/no/such/directory/pid"),
        (["--user", "nobody-of-this-name"], 1, "nobody-of-this-name"),
        (["--worker-class", "gevent-but-not-really"], 2, "gevent-but-not-really"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_bad_option(start: Start, options: list[str], status: int, part: str) -> None:
    fails(start(PLAIN, *options, logs=False, ready=False), status, part)


def test_no_application_at_all(start: Start) -> None:
    fails(start(None, logs=False, ready=False), 1, "application")


# ---- embedding


def test_a_program_can_serve_its_application_itself(start: Start, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import sys\n"
        "import canter\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "    return [b'embedded']\n"
        "if __name__ == '__main__':\n"
        "    sys.exit(canter.run(app, bind=['127.0.0.1:0'], workers=2, threads=2,\n"
        "                        errorlog='error.log', accesslog='access.log'))\n"
    )
    server = start(None, bind=None, logs=False, command=[sys.executable, str(program)])
    assert httpx.get(server.url).text == "embedded"
    server.wait_for_workers(2)
    server.wait_for_access("GET / ")
    assert server.stop() == 0


def test_a_program_is_told_of_a_bad_setting(start: Start, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import canter\n"
        "from canter.errors import ConfigError\n"
        "def app(environ, start_response):\n"
        "    raise AssertionError('never served')\n"
        "for wrong in ({'wrokers': 2}, {'workers': 'many'}):\n"
        "    try:\n"
        "        canter.run(app, **wrong)\n"
        "    except ConfigError as error:\n"
        "        print('told:', error)\n"
    )
    server = start(None, bind=None, logs=False, ready=False, command=[sys.executable, str(program)])
    said = finished(server)
    assert said.count("told:") == 2
    assert "wrokers" in said
    assert "workers" in said
