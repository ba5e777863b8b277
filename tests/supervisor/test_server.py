"""The whole supervisor with real workers, real signals and real sockets, in bad company."""

from __future__ import annotations

import grp
import importlib.util
import os
import pwd
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from tests.live.harness import PLAIN, Server, Start, clean_environment, starting
from tests.live.raw_http import request_head
from tests.live.waiting import eventually

GOOD = """
import os

def application(environ, start_response):
    body = f"{os.getpid()} {os.getuid()}".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""
BROKEN = "raise RuntimeError('no database')"

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may run workers as others")
NOBODY = 65534


def deploy(site: Path, source: str) -> None:
    """Put code in place whole."""
    (site / "shop.new").write_text(source)
    (site / "shop.new").replace(site / "shop.py")


def serving_pid(server: Server) -> int:
    return int(server.get("/").body.split()[0])


# ---- what dies, and what goes on


def test_a_killed_worker_is_named_with_the_request_it_ran(start: Start, tmp_path: Path):
    server = start(PLAIN)
    begun = tmp_path / "begun"
    with server.client() as client:
        path = f"/waits_for_file?started={begun}&gate={tmp_path / 'never'}"
        client.send(request_head("GET", path))
        eventually(begun.exists, "the request runs")
        (worker,) = server.workers()
        os.kill(worker, signal.SIGKILL)
        server.wait_for_log(
            rf"worker {worker} was killed by SIGKILL .*out of memory.* running GET /waits_for_file"
        )
    server.wait_for_replacement(worker, 1)
    assert server.get("/hello").status == 200


def test_where_starting_fails_what_works_goes_on_and_recovery_needs_no_hand(
    start: Start, site: Path
):
    deploy(site, GOOD)
    server = start("shop", "--workers", "2")
    survivor, victim = server.workers()
    deploy(site, BROKEN)
    os.kill(victim, signal.SIGKILL)
    server.wait_for_log(r"keep failing \(3 times in a row\): .*RuntimeError: no database; the next")
    assert serving_pid(server) == survivor
    assert server.log().count("Traceback") == 1
    deploy(site, GOOD)
    server.wait_for_workers(2)
    server.wait_for_log(r"worker \d+ serves .*")
    assert survivor in server.workers()


def test_a_worker_told_to_stop_by_hand_finishes_and_is_replaced(start: Start, tmp_path: Path):
    server = start(PLAIN)
    begun, gate = tmp_path / "begun", tmp_path / "gate"
    with server.client() as client:
        client.send(request_head("GET", f"/waits_for_file?started={begun}&gate={gate}"))
        eventually(begun.exists, "the request runs")
        (worker,) = server.workers()
        os.kill(worker, signal.SIGTERM)
        server.wait_for_log(r"worker \d+ serves")
        assert server.get("/who").json()["pid"] != worker
        gate.touch()
        assert client.read_answer().body == b"opened"
    server.wait_for_replacement(worker, 1)


def test_a_worker_told_to_stop_at_once_is_replaced(start: Start):
    server = start(PLAIN)
    (worker,) = server.workers()
    os.kill(worker, signal.SIGQUIT)
    server.wait_for_replacement(worker, 1)
    assert server.get("/hello").status == 200


@pytest.mark.parametrize("name", ["HUP", "WINCH", "TTIN", "TTOU", "USR2"])
def test_a_signal_for_the_supervisor_does_nothing_to_a_worker(start: Start, name: str):
    server = start(PLAIN)
    (worker,) = server.workers()
    os.kill(worker, signal.Signals[f"SIG{name}"])
    assert server.get("/who").json()["pid"] == worker
    assert server.workers() == [worker]


def test_a_worker_whose_only_thread_is_stuck_is_replaced(start: Start):
    server = start(PLAIN, "--timeout", "0.5", "--threads", "1")
    (worker,) = server.workers()
    with server.client() as client:
        client.send(request_head("GET", "/sleeps_in_one_call?seconds=60"))
        assert client.read_answer().status == 504
    server.wait_for_log(r"over its time of 0.5 s: GET /sleeps_in_one_call\?seconds=60 from")
    server.wait_for_log(r"worker \d+ serves")
    assert server.get("/who").json()["pid"] != worker
    server.wait_for_replacement(worker, 1)


@pytest.mark.slow
def test_a_worker_that_holds_the_interpreter_is_aborted_with_its_stacks(start: Start, site: Path):
    deploy(
        site,
        "import re\n"
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Length', '0')])\n"
        "    if environ['PATH_INFO'] == '/holds':\n"
        "        re.match('(a+)+$', 'a' * 100 + 'b')\n"
        "    return []\n",
    )
    server = start("shop", "--timeout", "0.5", "--threads", "2")
    (worker,) = server.workers()
    with server.client() as client:
        client.send(request_head("GET", "/holds"))
        server.wait_for_log(
            rf"worker {worker}: it does not react; sending SIGABRT; it was running GET /holds",
            within_seconds=30,
        )
        server.wait_for_replacement(worker, 1)
    server.wait_for_log(r'shop.py", line 5 in application')
    assert server.get("/").status == 200


@pytest.mark.slow
def test_a_worker_that_is_stopped_is_killed_and_replaced(start: Start):
    server = start(PLAIN, "--timeout", "0.5", "--workers", "2")
    victim = server.workers()[0]
    os.kill(victim, signal.SIGSTOP)
    server.wait_for_log(f"worker {victim}: it does not react", within_seconds=30)
    server.wait_for_replacement(victim, 2)


GARBLING = """
import os, socket, stat, struct

def channel():
    for name in os.listdir("/proc/self/fd"):
        try:
            if not stat.S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            sock = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue
        with sock:
            if sock.family == socket.AF_UNIX and sock.type == socket.SOCK_STREAM:
                return int(name)

def application(environ, start_response):
    if environ["PATH_INFO"] == "/garbles":
        os.write(channel(), struct.pack(">I", 7) + b'["bad"]')
    if environ["PATH_INFO"] == "/lies":
        os.write(channel(), struct.pack(">I", 9) + b'["Ready"]')
    if environ["PATH_INFO"] == "/breaks":
        os.write(channel(), b"\\xff" * 100)
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""


@pytest.mark.parametrize(
    ("path", "log"),
    [
        ("/lies", "makes no sense: PROVEN while SERVING"),
        ("/breaks", "not to be understood: a frame of"),
    ],
)
def test_a_worker_that_talks_nonsense_is_let_go_and_replaced(
    start: Start, site: Path, path: str, log: str
):
    deploy(site, GARBLING)
    server = start("shop")
    (worker,) = server.workers()
    assert server.get(path).status == 200
    server.wait_for_log(f"worker {worker} .*{log}")
    server.wait_for_replacement(worker, 1)
    assert serving_pid(server) != worker


def test_a_message_that_makes_no_sense_is_survived(start: Start, site: Path):
    deploy(site, GARBLING)
    server = start("shop")
    (worker,) = server.workers()
    assert server.get("/garbles").status == 200
    server.wait_for_log(f"worker {worker} is not to be understood: KeyError: 'bad'")
    assert server.workers() == [worker]
    assert serving_pid(server) == worker


FAULTY = """
import canter
from canter.supervisor import policy

faults = {faults!r}
decide = policy.decide

def faulty(roster, now, readings):
    if roster.phase.value in faults and roster.handles:
        faults.remove(roster.phase.value)
        raise ZeroDivisionError("a fault of the supervisor")
    return decide(roster, now, readings)

policy.decide = faulty
raise SystemExit(canter.run("tests.live.apps.plain", bind="unix:a.sock", errorlog="error.log"))
"""


@pytest.mark.slow
def test_a_fault_of_the_supervisor_itself_is_survived(start: Start, site: Path):
    (site / "faulty.py").write_text(FAULTY.format(faults=["running", "running"]))
    server = start(None, command=(sys.executable, "faulty.py"), bind=None, logs=False, ready=False)
    server.wait_for_log("the supervisor failed at something and goes on.*ZeroDivisionError")
    server._bind = "unix:a.sock"
    assert server.get("/hello").status == 200
    (worker,) = server.wait_for_workers(1)
    os.kill(worker, signal.SIGKILL)
    server.wait_for_replacement(worker, 1)


@pytest.mark.slow
def test_a_supervisor_that_cannot_even_stop_lets_its_workers_go(start: Start, site: Path):
    (site / "faulty.py").write_text(FAULTY.format(faults=["stopping"] * 1000))
    server = start(None, command=(sys.executable, "faulty.py"), bind=None, logs=False, ready=False)
    server.wait_for_log("generation 1 serves")
    server.signal(signal.SIGTERM)
    assert server.wait_for_exit() == 1
    assert "the supervisor is gone: draining" in server.log()


# ---- scarcity


def test_a_lack_of_descriptors_is_waited_out(start: Start):
    server = start(PLAIN, "--workers", "2")
    used = max(int(name) for name in os.listdir(f"/proc/{server.pid}/fd"))
    before = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (used, before[1]))
    victim = server.workers()[0]
    os.kill(victim, signal.SIGKILL)
    server.wait_for_log("could not be started: Too many open files")
    assert server.get("/hello").status == 200
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, before)
    server.wait_for_replacement(victim, 2)


def test_closed_standard_streams_do_not_matter(start: Start):
    closing = ("sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-m", "canter")
    server = start(PLAIN, "--workers", "2", command=closing)
    assert server.get("/hello").body == b"hello"
    victim = server.workers()[0]
    os.kill(victim, signal.SIGKILL)
    server.wait_for_replacement(victim, 2)
    assert server.stop() == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_logs_on_a_full_disk_do_not_matter(start: Start):
    server = start(
        PLAIN,
        "--error-logfile",
        "/dev/full",
        "--access-logfile",
        "/dev/full",
        bind="unix:a.sock",
        logs=False,
        ready=False,
    )
    eventually(server.is_listening, "it listens")
    assert server.get("/hello").body == b"hello"
    victim = server.wait_for_workers(1)[0]
    os.kill(victim, signal.SIGKILL)
    server.wait_for_replacement(victim, 1)
    assert server.get("/hello").body == b"hello"
    assert server.stop() == 0


# ---- reloads that change more than code


def config(site: Path, *lines: str) -> None:
    (site / "canter.toml").write_text("\n".join(lines) + "\n")


def test_a_reload_moves_to_another_address(start: Start, site: Path):
    config(site, 'bind = ["unix:old.sock"]')
    server = start(PLAIN, bind=None, ready=False)
    eventually((site / "old.sock").exists, "it listens at the old address")
    server.wait_for_log("generation 1 serves")
    config(site, 'bind = ["unix:new.sock"]')
    server.signal(signal.SIGHUP)
    server.wait_for_log("generation 2 serves")
    eventually(lambda: not (site / "old.sock").exists(), "the old address is given up")
    server._bind = "unix:new.sock"
    assert server.get("/hello").status == 200
    server.stop()
    assert not (site / "new.sock").exists()


def test_a_reload_that_cannot_listen_changes_nothing(start: Start, site: Path):
    config(site, 'bind = ["unix:old.sock"]')
    server = start(PLAIN, bind=None, ready=False)
    server.wait_for_log("generation 1 serves")
    config(site, 'bind = ["unix:new.sock", "unix:/no/such/directory/a.sock"]')
    server.signal(signal.SIGHUP)
    server.wait_for_log("the reload failed, generation 1 goes on: cannot listen on unix:/no/such")
    assert not (site / "new.sock").exists()
    server._bind = "unix:old.sock"
    assert server.get("/hello").status == 200


def test_a_reload_with_a_broken_configuration_changes_nothing(start: Start, site: Path):
    config(site, "threads = 2")
    server = start(PLAIN)
    (worker,) = server.workers()
    config(site, "threads = 'many'")
    server.signal(signal.SIGHUP)
    server.wait_for_log("the reload failed, generation 1 goes on: .*threads")
    assert server.get("/who").json()["pid"] == worker
    config(site, "threads = 3")
    server.signal(signal.SIGHUP)
    server.wait_for_log("generation 2 serves")
    # The old worker may take a connection until it has heard that it is to drain.
    eventually(lambda: server.get("/who").json()["pid"] != worker, "an answer of the new worker")


def test_a_reload_can_move_the_log_and_change_its_level(start: Start, site: Path):
    config(site, 'errorlog = "first.log"')
    server = start(PLAIN, logs=False, bind="unix:a.sock", ready=False)
    first, second = site / "first.log", site / "second.log"
    eventually(lambda: first.exists() and "serves" in first.read_text(), "it serves")
    config(site, 'errorlog = "second.log"', 'loglevel = "debug"')
    server.signal(signal.SIGHUP)
    eventually(lambda: second.exists() and "generation 2 serves" in second.read_text(), "again")
    eventually(lambda: "[DEBUG]" in second.read_text(), "at the new level")
    assert server.stop() == 0
    assert "stopped" in second.read_text()
    assert "stopped" not in first.read_text()


def test_a_new_generation_that_boots_too_slowly_is_discarded(start: Start, site: Path):
    deploy(site, GOOD)
    server = start("shop", "--boot-timeout", "1")
    (worker,) = server.workers()
    deploy(site, "import threading\nthreading.Event().wait()")
    server.signal(signal.SIGHUP)
    server.wait_for_log("not ready within 1 s")
    server.wait_for_log("generation 2 is discarded; generation 1 goes on serving")
    eventually(lambda: server.workers() == [worker], "only the old worker is there")
    assert serving_pid(server) == worker


def test_a_stop_during_a_reload_ends_both_generations(start: Start, site: Path):
    deploy(site, GOOD)
    server = start("shop")
    deploy(site, "import pathlib, threading\npathlib.Path('b').touch()\nthreading.Event().wait()")
    server.signal(signal.SIGHUP)
    eventually((site / "b").exists, "the new generation boots")
    assert server.stop() == 0


# ---- users


@needs_root
def test_workers_run_as_the_user_and_can_still_reopen_their_log():
    # Directories of pytest's own are closed to other users.
    with tempfile.TemporaryDirectory() as directory, starting(Path(directory)) as start:
        os.chmod(directory, 0o755)
        site = Path(directory) / "server1"
        site.mkdir()
        os.chown(site, NOBODY, -1)
        deploy(site, GOOD)
        server = start("shop", "--user", str(NOBODY), bind="unix:a.sock")
        assert server.get("/first").body.split()[1] == str(NOBODY).encode()
        socket_file = (site / "a.sock").stat()
        assert socket_file.st_uid == NOBODY
        assert stat.S_ISSOCK(socket_file.st_mode)
        assert server.access_path.stat().st_uid == NOBODY
        assert server.error_path.stat().st_uid == NOBODY
        server.wait_for_access("/first")
        server.access_path.rename(site / "rotated.log")
        server.signal(signal.SIGUSR1)
        eventually(server.access_path.exists, "the log is reopened")
        server.get("/second")
        server.wait_for_access("/second")
        assert os.stat(f"/proc/{server.pid}").st_uid == 0


@needs_root
@pytest.mark.parametrize("options", [(), ("--initgroups",)])
def test_workers_have_the_groups_they_are_given_and_none_of_roots(options: tuple[str, ...]):
    entry = next(
        (it for it in grp.getgrall() if it.gr_mem and it.gr_mem[0] != "root"),
        None,
    )
    user = entry.gr_mem[0] if entry is not None else "nobody"
    wanted = pwd.getpwnam(user).pw_gid
    with tempfile.TemporaryDirectory() as directory, starting(Path(directory)) as start:
        os.chmod(directory, 0o755)
        (Path(directory) / "server1").mkdir()
        deploy(Path(directory) / "server1", GOOD)
        server = start("shop", "--user", user, *options, bind="unix:a.sock")
        (worker,) = server.workers()
        status = Path(f"/proc/{worker}/status").read_text()
        found = re.search(r"^Groups:\t([\d ]*)$", status, re.MULTILINE)
        assert found
        groups = {int(it) for it in found[1].split()}
        assert groups == (set(os.getgrouplist(user, wanted)) if options else {wanted})


def test_the_supervisor_is_found_by_its_bare_name_and_workers_by_their_generation(start: Start):
    server = start(PLAIN, "--name", "shop")
    (worker,) = server.workers()
    if importlib.util.find_spec("setproctitle") is None:
        assert Path(f"/proc/{server.pid}/comm").read_text() == "shop\n"
        assert Path(f"/proc/{worker}/comm").read_text() == "shop:1\n"
    else:
        title = Path(f"/proc/{worker}/cmdline").read_bytes()
        assert title.startswith(b"shop: worker, generation 1")


# ---- the end


def test_exit_functions_and_threads_of_the_application_run_to_their_end(start: Start, site: Path):
    deploy(
        site,
        "import atexit, pathlib, threading, time\n"
        "atexit.register(pathlib.Path('atexit').touch)\n"
        "def work():\n"
        "    time.sleep(0.2)\n"
        "    pathlib.Path('worked').touch()\n"
        "def application(environ, start_response):\n"
        "    threading.Thread(target=work, daemon=False).start()\n"
        "    start_response('200 OK', [('Content-Length', '0')])\n"
        "    return []\n",
    )
    server = start("shop")
    assert server.get("/").status == 200
    assert server.stop() == 0
    assert (site / "atexit").exists()
    assert (site / "worked").exists()


def test_a_request_that_outlives_the_drain_is_named(start: Start, tmp_path: Path):
    server = start(PLAIN, "--graceful-timeout", "0.5")
    begun = tmp_path / "begun"
    with server.client() as client:
        path = f"/waits_for_file?started={begun}&gate={tmp_path / 'never'}"
        client.send(request_head("GET", path))
        eventually(begun.exists, "the request runs")
        server.signal(signal.SIGTERM)
        server.wait_for_log(r"cut off after \d+\.\d s: GET /waits_for_file")
    assert server.wait_for_exit() == 0


PROGRAM = """
import subprocess, sys, threading
import canter

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]

mine = subprocess.Popen([sys.executable, "-c", "raise SystemExit(7)"])
status = canter.run(app, bind="unix:a.sock", errorlog="error.log", workers=2)
print("status", status, "mine", mine.wait())
try:
    threading.Thread(target=lambda: print("elsewhere", refused())).start()
except Exception:
    raise
"""

REFUSED = """
def refused():
    try:
        canter.run(app, bind="unix:b.sock")
    except canter.errors.CanterError as error:
        return str(error)
"""


def test_a_program_that_embeds_the_server_keeps_its_own_children(tmp_path: Path):
    (tmp_path / "program.py").write_text(PROGRAM.replace("mine = ", REFUSED + "\nmine = ", 1))
    process = subprocess.Popen(
        [sys.executable, "program.py"],
        cwd=tmp_path,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    path = str(tmp_path / "a.sock")

    def answers() -> bytes:
        try:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10)
                client.connect(path)
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return client.makefile("rb").read()
        except OSError:
            return b""

    try:
        assert eventually(answers, "it serves").endswith(b"ok")
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    assert output.splitlines()[0] == "status 0 mine 7"
    assert "main thread" in output.splitlines()[1]
    assert threading.current_thread() is threading.main_thread()
