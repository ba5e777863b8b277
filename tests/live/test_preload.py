"""Workers forked from a fork server: what they share, and what may happen to whom."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.harness import group_members, starting
from tests.live.load import Load
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.live.harness import Server, Start

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="fork servers are for Linux")

APP = "tests.live.apps.preloaded"
NOBODY = 65534
DJANGO = "tests.live.apps.django_site.wsgi"
MOST_SHARED, MOST_SERVED = 0.4, 0.6
"""Of an unshared worker's proportional memory: when it is ready, and when it has answered."""
USERS = """
import os

IMPORTED_AS = os.getuid()
SOURCE = os.path.basename(__file__)

def application(environ, start_response):
    start_response("200 OK", [])
    return [f"{IMPORTED_AS} {os.getuid()} {os.geteuid()} {SOURCE}".encode()]
"""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may run workers as others")
needs_rollup = pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="the kernel tells no proportional memory"
)


def said(server: Server) -> dict[str, Any]:
    answer: dict[str, Any] = server.get("/").json()
    return answer


def everyone(server: Server, count: int) -> dict[int, dict[str, Any]]:
    """What each of `count` workers says."""
    found: dict[int, dict[str, Any]] = {}

    def ask() -> bool:
        answer = said(server)
        found[answer["pid"]] = answer
        return len(found) >= count

    with Load(server.address, connections=4, path="/"):
        eventually(ask, f"{count} workers answer")
    return found


def kill_fork_server(server: Server) -> None:
    """Kill it, and wait for the next."""
    victim = server.fork_server()
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    eventually(lambda: server.fork_server() not in {victim, None}, "another fork server")


def test_one_process_imports_the_application_and_the_supervisor_is_the_parent_of_all(
    start: Start,
) -> None:
    server = start(APP, "--preload", "--workers", "3")
    answers = everyone(server, 3)
    assert sorted(answers) == server.wait_for_workers(3)
    assert {answer["imported_by"] for answer in answers.values()} == {server.fork_server()}
    assert {answer["parent"] for answer in answers.values()} == {server.pid}
    assert all(answer["multiprocess"] for answer in answers.values())


def test_a_worker_keeps_nothing_open_that_only_its_fork_server_needs(start: Start) -> None:
    shared = said(start(APP, "--preload"))["descriptors"]
    unshared = said(start(APP))["descriptors"]
    places_of_fork_servers = 2 * 2
    assert len(shared) == len(unshared) + places_of_fork_servers


def test_a_worker_that_dies_is_forked_again_without_an_import(start: Start) -> None:
    server = start(APP, "--preload", "--workers", "2")
    fork_server = server.fork_server()
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGQUIT):
        victim = server.wait_for_workers(2)[0]
        os.kill(victim, number)
        server.wait_for_replacement(victim, 2)
    assert {answer["imported_by"] for answer in everyone(server, 2).values()} == {fork_server}
    server.wait_for_log("was killed by SIGKILL")


def test_a_fork_server_that_is_killed_is_replaced_and_no_request_fails(start: Start) -> None:
    server = start(APP, "--preload", "--workers", "2", "--threads", "2")
    workers = server.wait_for_workers(2)
    with Load(server.address, path="/") as load:
        for _ in range(2):
            kill_fork_server(server)
        assert server.workers() == workers
        server.signal(signal.SIGTTIN)
        server.wait_for_workers(3)
        newest = server.fork_server()
        eventually(lambda: said(server)["imported_by"] == newest, "a worker is forked from it")
    load.report.assert_flawless(server.access_lines)
    server.wait_for_log(r"fork server \d+ was killed by SIGKILL")


def test_what_a_fork_server_owed_when_it_was_killed_is_forked_by_the_next(start: Start) -> None:
    server = start(APP, "--preload", "--workers", "2")
    victim, survivor = server.wait_for_workers(2)
    fork_server = server.fork_server()
    assert fork_server is not None
    os.kill(fork_server, signal.SIGSTOP)
    os.kill(victim, signal.SIGKILL)
    server.wait_for_log(f"worker {victim} was killed by SIGKILL")
    assert said(server)["pid"] == survivor
    os.kill(fork_server, signal.SIGKILL)
    server.wait_for_replacement(victim, 2)
    everyone(server, 2)
    assert server.fork_server() != fork_server


def test_what_a_fork_leaves_behind_is_named(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as database:
        name = f"127.0.0.1:{database.getsockname()[1]}"
        server = start(APP, "--preload", environment={"STRANDED": name})
        server.wait_for_log("threads started while .*: the poller\n")
        server.wait_for_log(f"connections made while .*: {name}\n")
        server.signal(signal.SIGTTIN)
        server.wait_for_workers(2)
        assert server.log().count("the poller") == 1


def test_an_ordinary_application_gets_no_warning(start: Start) -> None:
    server = start(APP, "--preload")
    assert said(server)["imported_by"] == server.fork_server()
    assert "WARNING" not in server.log()


@needs_root
def test_the_application_is_imported_as_the_user_of_the_workers() -> None:
    # Directories of pytest's own are closed to other users.
    with tempfile.TemporaryDirectory() as directory, starting(Path(directory)) as start:
        os.chmod(directory, 0o755)
        site = Path(directory) / "server1"
        site.mkdir()
        (site / "users.py").write_text(USERS)
        server = start("users", "--preload", "--user", str(NOBODY), logs=False)
        user = str(NOBODY)
        assert server.get("/").body.decode().split() == [user, user, user, "users.py"]
        assert os.stat(f"/proc/{server.pid}").st_uid == 0
        assert os.stat(f"/proc/{server.fork_server()}").st_uid == NOBODY


def open_paths(pid: int | None) -> list[str]:
    """What the descriptors of a process lead to; some may be closed while we look."""
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found.append(os.readlink(link))
    return found


def test_workers_forked_after_a_rotation_write_to_the_new_logs(start: Start) -> None:
    server = start(APP, "--preload")
    moved = server.access_path.rename(server.directory / "access.old")
    server.error_path.rename(server.directory / "error.old")
    server.signal(signal.SIGUSR1)

    def all_have_reopened() -> bool:
        before = moved.read_text()
        paths = [*open_paths(server.fork_server()), *open_paths(server.pid)]
        return before == moved.read_text() and not any(path.endswith(".old") for path in paths)

    eventually(all_have_reopened, "everybody has the new files")
    victim = server.workers()[0]
    os.kill(victim, signal.SIGKILL)
    server.wait_for_replacement(victim, 1)
    said(server)
    server.wait_for_access_at_least("GET / ", 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGQUIT, signal.SIGKILL])
def test_nobody_is_left_when_the_server_ends(start: Start, number: signal.Signals) -> None:
    server = start(APP, "--preload", "--workers", "2")
    server.signal(number)
    server.process.wait(20)
    eventually(lambda: group_members(server.pid) == [], "everybody has left")


HOOKS = """
import os

def pre_fork(server, worker):
    worker.note = f"{worker.age} by {os.getpid()}"

def post_fork(server, worker):
    server.log.warning("post_fork %s in %s", worker.note, os.getpid())

def child_exit(server, worker):
    server.log.warning("child_exit %s %s by %s", worker.age, worker.pid, os.getpid())
"""


def test_hooks_before_the_fork_run_where_the_application_is(start: Start, tmp_path: Path) -> None:
    config = tmp_path / "gunicorn.conf.py"
    config.write_text(HOOKS)
    server = start(APP, "--preload", "--config", str(config))
    (worker,) = server.workers()
    server.wait_for_log(f"post_fork 1 by {server.fork_server()} in {worker}")
    os.kill(worker, signal.SIGKILL)
    server.wait_for_log(f"child_exit 1 {worker} by {server.pid}")
    server.wait_for_log(f"post_fork 2 by {server.fork_server()}")


def test_an_import_that_fails_at_the_start_ends_it_with_3(start: Start, tmp_path: Path) -> None:
    (tmp_path / "server1").mkdir()
    (tmp_path / "server1" / "broken.py").write_text("raise RuntimeError('no database')\n")
    server = start("broken", "--preload", ready=False)
    assert server.wait_for_exit() == 3
    assert re.search(r"broken\.py.*\n.*RuntimeError: no database", server.log(), re.DOTALL)


def test_check_config_imports_as_ever(start: Start) -> None:
    server = start(APP, "--preload", "--check-config", ready=False)
    assert server.wait_for_exit() == 0
    assert "can be served" in server.output()


# ---- memory


def proportional_bytes(pid: int) -> int:
    """What a process uses, each shared page counted in equal parts for those that share it."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = re.search(r"^Pss: +(\d+) kB", text, re.MULTILINE)
    assert found
    return int(found[1]) * 1024


@needs_rollup
def test_a_django_worker_shares_most_of_its_memory(
    start: Start, make_django_site: Callable[[], Path]
) -> None:
    def measure(*options: str) -> tuple[float, float]:
        """When it is ready, and when it has answered."""
        environment = {"DJANGO_SITE_DIRECTORY": str(make_django_site())}
        server = start(DJANGO, "--threads", "2", *options, environment=environment)
        workers = server.workers()
        ready = [proportional_bytes(pid) for pid in workers]
        for _ in range(20):
            assert server.get("/admin/login/").status == 200
        served = [proportional_bytes(pid) for pid in workers]
        assert server.stop() == 0
        return sum(ready) / len(workers), max(served)

    alone, alone_served = measure()
    shared, shared_served = measure("--preload", "--workers", "4")
    assert shared < MOST_SHARED * alone, f"{shared / alone:.0%} of {alone / 2**20:.1f} MiB"
    # What a worker touches becomes its own: Python counts references inside the objects.
    ratio = shared_served / alone_served
    assert ratio < MOST_SERVED, f"{ratio:.0%} of {alone_served / 2**20:.1f} MiB"
