"""What happens to requests while processes die, are replaced, or are asked to stop."""

from __future__ import annotations

import itertools
import os
import re
import signal
import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.harness import PLAIN, group_members
from tests.live.load import Load
from tests.live.raw_http import Ended, request_head
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.live.harness import Start
    from tests.live.raw_http import Answer


def more_of(load: Load, count: int = 50) -> Callable[[], bool]:
    """Whether so many more requests were answered than now."""
    seen = load.count()
    return lambda: load.count() >= seen + count


# ---- dying


def test_killing_a_worker_hurts_only_what_it_was_doing_and_it_is_replaced(start: Start) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "2")
    old = server.wait_for_workers(2)
    victims: set[int] = set()
    with Load(server.address, connections=6) as load:
        for _ in range(3):
            eventually(more_of(load), "the load goes on")
            victim = server.workers()[0]
            victims.add(victim)
            os.kill(victim, signal.SIGKILL)
            server.wait_for_replacement(victim, 2)
            eventually(more_of(load), "the load goes on beside the replacement")
    assert victims & set(old)
    # A connection that has had no answer yet may have been accepted by a victim, too.
    innocent = [f for f in load.report.failures if f.pid is not None and f.pid not in victims]
    assert innocent == [], load.report.summary()
    assert len(load.report.failures) <= 3 * 6, load.report.summary()
    assert set(load.report.pids) - victims, "survivors and replacements served"
    for victim in victims:
        server.wait_for_log(str(victim))
    server.wait_for_log("(?i)SIGKILL|signal 9")


def test_the_log_says_what_a_killed_worker_was_doing(
    start: Start, tmp_path: Path, mark: str
) -> None:
    server = start(PLAIN, "--threads", "2")
    started, gate = tmp_path / "started", tmp_path / "never"
    with server.client() as client:
        client.send(request_head("GET", f"/waits_for_file?{mark}&started={started}&gate={gate}"))
        eventually(started.exists, "the application runs")
        os.kill(server.workers()[0], signal.SIGKILL)
        with pytest.raises(Ended):
            client.read_answer()
    server.wait_for_log(rf"SIGKILL[^\n]*\n[^\n]*\n  it was running GET /waits_for_file[^\n]*{mark}")
    assert server.get("/hello").status == 200


def test_a_worker_that_ends_itself_is_replaced_and_others_go_on(start: Start) -> None:
    server = start("tests.live.apps.misbehaving", "--workers", "2", "--threads", "2")
    for _ in range(3):
        old = server.wait_for_workers(2)
        with server.client() as client, pytest.raises(Ended):
            client.get("/ends_the_process")
        for _ in range(5):
            assert server.get("/hello").body == b"hello"
        server.wait_for_different_workers(old)
    server.wait_for_log("status 3")


def test_a_worker_that_is_told_to_stop_by_hand_drains_and_is_replaced(start: Start) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "2")
    with Load(server.address, connections=4) as load:
        for _ in range(3):
            victim = server.wait_for_workers(2)[0]
            os.kill(victim, signal.SIGTERM)
            server.wait_for_replacement(victim, 2)
    load.report.assert_flawless(server.access_lines)


def test_a_worker_that_segfaults_is_named_with_its_signal_and_replaced(start: Start) -> None:
    server = start(PLAIN, "--workers", "2")
    old = server.wait_for_workers(2)
    os.kill(old[0], signal.SIGSEGV)
    server.wait_for_log("(?i)SIGSEGV|signal 11")
    server.wait_for_replacement(old[0], 2)
    assert server.get("/hello").status == 200


def test_when_the_supervisor_is_killed_the_workers_leave_and_the_port_is_free(
    start: Start,
) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "2")
    address = server.address
    server.process.kill()
    server.process.wait(10)
    eventually(lambda: group_members(server.pid) == [], "the workers leave")
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen()


def test_when_the_supervisor_is_killed_a_running_request_is_still_answered(
    start: Start, tmp_path: Path
) -> None:
    server = start(PLAIN, "--threads", "2")
    started, gate = tmp_path / "started", tmp_path / "gate"
    with server.client() as client:
        client.send(request_head("GET", f"/waits_for_file?started={started}&gate={gate}"))
        eventually(started.exists, "the application runs")
        server.process.kill()
        server.process.wait(10)
        gate.touch()
        assert client.read_answer().body == b"opened"
    eventually(lambda: group_members(server.pid) == [], "the worker leaves")


# ---- recycling


def test_recycling_by_requests_fails_no_request(start: Start) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "2", "--max-requests", "100")
    with Load(server.address, connections=4) as load:
        eventually(lambda: len(load.report.pids) >= 6, "six workers have served", within_seconds=30)
    load.report.assert_flawless(server.access_lines)
    server.wait_for_workers(2)


def test_a_recycled_worker_has_done_its_share(start: Start) -> None:
    server = start(PLAIN, "--max-requests", "20", "--max-requests-jitter", "5")
    served: Counter[int] = Counter()

    def third_worker_serves() -> bool:
        served[server.get("/who").json()["pid"]] += 1
        return len(served) >= 3

    eventually(third_worker_serves, "workers are replaced one after the other")
    # A worker goes on until its replacement serves, but not before it has done its share.
    first, second, _third = served
    assert served[first] >= 20
    assert served[second] >= 20


def test_a_leak_of_a_megabyte_per_request_fails_no_request(start: Start) -> None:
    options = ["--workers", "2", "--threads", "2", "--max-memory", "80M"]
    server = start(PLAIN, *options)
    with Load(server.address, connections=4, path="/leaks?seconds=0.05") as load:
        eventually(lambda: len(load.report.pids) >= 5, "five workers have served", 40)
        most = 0
        for pid in server.workers():
            with suppress(OSError):
                status = Path(f"/proc/{pid}/statm").read_text().split()
                most = max(most, int(status[1]) * os.sysconf("SC_PAGE_SIZE"))
    load.report.assert_flawless(server.access_lines)
    assert most < 1000 * 2**20, "it goes on growing for a moment only"
    server.wait_for_log(r"drains: it holds \d+ MiB of memory, over its max_memory")
    assert_one_at_a_time(server.log())


def test_recycling_by_age_fails_no_request(start: Start) -> None:
    options = ["--max-lifetime", "300ms", "--max-lifetime-jitter", "100ms"]
    server = start(PLAIN, "--workers", "2", "--threads", "2", *options)
    with Load(server.address, connections=4, path="/who?seconds=0.01") as load:
        eventually(lambda: len(load.report.pids) >= 6, "six workers have served", 40)
    load.report.assert_flawless(server.access_lines)
    server.wait_for_log("drains: it has reached its max_lifetime")
    assert_one_at_a_time(server.log())


def assert_one_at_a_time(log: str) -> None:
    """A recycled worker drains only when a replacement serves, and one after the other."""
    events = re.findall(r"worker \d+ (serves|drains: it)", log)
    assert events, log
    assert events[0] == "serves"
    assert all(first != second for first, second in itertools.pairwise(events)), events


# ---- stopping


def test_term_answers_what_runs_and_what_waits_and_ends_with_0(
    start: Start, tmp_path: Path
) -> None:
    server = start(
        PLAIN, "--workers", "2", "--threads", "2", "--worker-connections", "4", logs=True
    )
    gate = tmp_path / "gate"
    begun = [tmp_path / f"begun{number}" for number in range(30)]

    def ask(number: int) -> Answer:
        with server.client() as client:
            path = f"/waits_for_file?started={begun[number]}&gate={gate}&n{number}n"
            client.send(request_head("GET", path))
            connected.release()
            return client.read_answer()

    # Four run, four more are with the workers, the rest is in the listen queue.
    connected = threading.Semaphore(0)
    with ThreadPoolExecutor(len(begun)) as pool:
        asked = [pool.submit(ask, number) for number in range(len(begun))]
        for _ in begun:
            assert connected.acquire(timeout=15)
        eventually(lambda: sum(path.exists() for path in begun) == 4, "four requests run")
        server.signal(signal.SIGTERM)
        server.wait_for_log(r"(?i)\bterm|shut|stop|drain")
        gate.touch()
        answers = [future.result(30) for future in asked]
    assert [(a.status, a.body, a.whole) for a in answers] == [(200, b"opened", True)] * 30
    assert server.wait_for_exit() == 0
    for number in range(30):
        assert len(server.access_lines(f"n{number}n")) == 1


def test_answers_during_the_drain_say_that_the_connection_closes(
    start: Start, tmp_path: Path
) -> None:
    server = start(PLAIN, "--threads", "2")
    started, gate = tmp_path / "started", tmp_path / "gate"
    with server.client() as client, server.client() as idle:
        assert idle.get("/hello").body == b"hello"
        client.send(request_head("GET", f"/waits_for_file?started={started}&gate={gate}"))
        eventually(started.exists, "the application runs")
        server.signal(signal.SIGTERM)
        assert idle.read_until_closed() == b"", "idle connections are closed at once"
        gate.touch()
        answer = client.read_answer()
        assert (answer.body, answer.closes) == (b"opened", True)
        assert client.read_until_closed() == b""
    assert server.wait_for_exit() == 0


def test_term_lets_a_slow_download_finish(start: Start) -> None:
    server = start(PLAIN)
    with server.client(receive_buffer_bytes=4096) as client:
        client.send(request_head("GET", "/big_file?megabytes=8"))
        first = client.read_some()
        server.signal(signal.SIGTERM)
        answer = client.read_answer(already=first)
        assert (answer.whole, len(answer.body)) == (True, 8 * 1024 * 1024)
    assert server.wait_for_exit() == 0


def test_term_waits_for_a_body_that_is_still_coming(start: Start) -> None:
    server = start(PLAIN)
    with server.client() as client:
        client.send(request_head("POST", "/echo", "Content-Length: 10") + b"12345")
        assert server.get("/hello").status == 200
        server.signal(signal.SIGTERM)
        client.send(b"67890")
        answer = client.read_answer()
        assert (answer.status, answer.json()["size"]) == (200, 10)
    assert server.wait_for_exit() == 0


def test_the_drain_does_not_last_longer_than_the_graceful_timeout(
    start: Start, tmp_path: Path, mark: str
) -> None:
    server = start(PLAIN, "--graceful-timeout", "1", "--threads", "2")
    started, gate = tmp_path / "started", tmp_path / "never"
    with server.client() as client:
        client.send(request_head("GET", f"/waits_for_file?started={started}&gate={gate}&{mark}"))
        eventually(started.exists, "the application runs")
        server.signal(signal.SIGTERM)
        assert server.wait_for_exit(within_seconds=15) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_int_and_quit_stop_at_once(start: Start, tmp_path: Path, number: signal.Signals) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "2")
    started, gate = tmp_path / "started", tmp_path / "never"
    with server.client() as client:
        client.send(request_head("GET", f"/waits_for_file?started={started}&gate={gate}"))
        eventually(started.exists, "the application runs")
        server.signal(number)
        assert server.wait_for_exit(within_seconds=15) == 0


def test_a_second_term_ends_a_drain_that_waits(start: Start, tmp_path: Path) -> None:
    server = start(PLAIN, "--threads", "2")
    started, gate = tmp_path / "started", tmp_path / "never"
    with server.client() as client:
        client.send(request_head("GET", f"/waits_for_file?started={started}&gate={gate}"))
        eventually(started.exists, "the application runs")
        with server.client() as idle:
            assert idle.get("/hello").status == 200
            server.signal(signal.SIGTERM)
            assert idle.read_until_closed() == b""
        server.signal(signal.SIGQUIT)
        assert server.wait_for_exit(within_seconds=15) == 0


def test_a_thread_that_the_application_left_behind_does_not_hold_the_stop_up(
    start: Start,
) -> None:
    server = start(PLAIN, "--graceful-timeout", "2")
    assert server.get("/starts_a_thread").body == b"started"
    server.signal(signal.SIGTERM)
    assert server.wait_for_exit(within_seconds=15) == 0


def test_being_told_to_stop_over_and_over_ends_with_0_all_the_same(start: Start) -> None:
    server = start(PLAIN, "--workers", "2")

    def has_ended() -> bool:
        server.signal(signal.SIGTERM)
        return server.process.poll() is not None

    eventually(has_ended, "it ends")
    assert server.wait_for_exit() == 0


def test_stopping_under_load_answers_all_that_was_accepted(start: Start) -> None:
    server = start(PLAIN, "--workers", "2", "--threads", "2")
    with Load(server.address, connections=6) as load:
        eventually(more_of(load, 200), "the load runs")
        server.signal(signal.SIGTERM)
        assert server.wait_for_exit() == 0
    # Once the listeners are closed new connections are refused; nothing else may go wrong.
    wrong = [f for f in load.report.failures if "ConnectionRefused" not in f.reason]
    assert wrong == [], load.report.summary()
    load.report.assert_logged_once(server.access_lines)


# ---- scaling and logs


def test_ttin_and_ttou_change_the_number_of_workers_and_fail_no_request(start: Start) -> None:
    server = start(PLAIN, "--workers", "1", "--threads", "2")
    with Load(server.address, connections=4) as load:
        server.wait_for_workers(1)
        server.signal(signal.SIGTTIN)
        server.wait_for_workers(2)
        server.signal(signal.SIGTTIN)
        server.wait_for_workers(3)
        eventually(lambda: len(load.report.pids) == 3, "all three serve")
        server.signal(signal.SIGTTOU)
        server.wait_for_workers(2)
        server.signal(signal.SIGTTOU)
        server.wait_for_workers(1)
        eventually(more_of(load), "the load goes on")
    load.report.assert_flawless(server.access_lines)


def test_workers_come_with_the_load_and_leave_without_it(start: Start) -> None:
    server = start(PLAIN, "--workers", "1-3", "--threads", "1")
    server.wait_for_workers(1)
    # Six clients for three threads: requests wait as long as there are fewer.
    with Load(server.address, connections=6, path="/who?seconds=0.05") as load:
        server.wait_for_workers(3, 40)
        eventually(lambda: len(load.report.pids) == 3, "all three serve")
        assert len(server.workers()) == 3
    # Idle for long enough, one leaves; that is enough to see here.
    eventually(lambda: len(server.workers()) == 2, "one leaves", 60)
    load.report.assert_flawless(server.access_lines)
    server.wait_for_log("requests have to wait: 3 workers wanted")
    server.wait_for_log("there is little to do: 2 workers wanted")


def test_a_number_of_workers_that_is_set_by_hand_holds(start: Start) -> None:
    server = start(PLAIN, "--workers", "1-3", "--threads", "1")
    server.signal(signal.SIGTTIN)
    server.wait_for_workers(2)
    server.signal(signal.SIGTTOU)
    server.wait_for_workers(1)
    with Load(server.address, connections=4, path="/who?seconds=0.05") as load:
        eventually(more_of(load, 60), "the load runs for a while")
        assert len(server.workers()) == 1
    load.report.assert_flawless(server.access_lines)


def test_ttou_never_takes_the_last_worker(start: Start) -> None:
    server = start(PLAIN)
    only = server.wait_for_workers(1)
    server.signal(signal.SIGTTOU)
    server.signal(signal.SIGTTIN)
    server.wait_for_workers(2)
    assert set(only) < set(server.workers())


def test_usr1_reopens_the_logs_after_they_were_moved(start: Start) -> None:
    server = start(PLAIN, "--workers", "2")
    server.get("/hello?before")
    server.wait_for_access("before")
    moved = server.access_path.rename(server.directory / "access.old")
    server.error_path.rename(server.directory / "error.old")
    server.signal(signal.SIGUSR1)
    eventually(server.error_path.exists, "a new error log")
    rounds = itertools.count()

    def a_round_of_requests_goes_to_the_new_file() -> bool:
        old, name = moved.read_text(), f"round{next(rounds)}-"
        for _ in range(10):
            assert server.get(f"/hello?{name}").status == 200
        eventually(
            lambda: len(server.access_lines(name)) + moved.read_text().count(name) >= 10,
            "ten lines, in whichever file",
        )
        return moved.read_text() == old

    eventually(a_round_of_requests_goes_to_the_new_file, "every worker has reopened its log")


def test_winch_does_nothing_in_the_foreground(start: Start) -> None:
    server = start(PLAIN)
    workers = server.wait_for_workers(1)
    server.signal(signal.SIGWINCH)
    # TTIN is handled after it, so its effect shows that WINCH has been handled.
    server.signal(signal.SIGTTIN)
    server.wait_for_workers(2)
    assert set(workers) < set(server.workers())


def test_a_broken_client_does_not_disturb_others_while_a_worker_drains(start: Start) -> None:
    server = start(PLAIN, "--threads", "2", "--header-timeout", "1")
    with server.client() as client:
        client.send(b"GET /hel")
        server.signal(signal.SIGTERM)
        try:
            answer = client.read_answer()
        except Ended:
            pass
        else:
            assert answer.status in {408, 503}
    assert server.wait_for_exit(within_seconds=15) == 0
