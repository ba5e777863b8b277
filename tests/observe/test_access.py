"""The access log as engines use it: lines recorded by many threads, written in batches."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from canter.errors import ConfigError
from canter.observe.access import AccessEntry, AccessLog
from canter.observe.outcomes import Outcome

LOG = logging.getLogger("canter.error")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


@pytest.fixture
def access(path: Path) -> Iterator[AccessLog]:
    log = AccessLog("%(h)s %(s)s %(outcome)s", str(path), LOG)
    yield log
    log.close()


def entry(client: str = "192.0.2.7", status: int = 200) -> AccessEntry:
    return AccessEntry(client=client, status=status)


def test_lines_are_written_by_flush_in_the_order_of_recording(access, path):
    access.record(entry("a"))
    access.record(entry("b", 0))
    assert access.waiting == 2
    assert path.read_text() == ""
    access.flush()
    assert access.waiting == 0
    assert path.read_text() == "a 200 ok\nb - ok\n"


def test_an_entry_can_be_filled_again_after_recording(access, path):
    again = entry("first")
    access.record(again)
    again.client, again.outcome = "second", Outcome.CUT
    access.record(again)
    access.flush()
    assert path.read_text() == "first 200 ok\nsecond 200 cut\n"


def test_closing_writes_what_is_left(access, path):
    access.record(entry("last"))
    access.close()
    assert path.read_text() == "last 200 ok\n"


def test_no_line_is_lost_between_recording_threads_and_a_flushing_one(access, path):
    recording = [
        threading.Thread(target=lambda n=n: [access.record(entry(f"{n}")) for _ in range(2000)])
        for n in range(4)
    ]
    done = threading.Event()

    def flush_all_the_time() -> None:
        while not done.is_set():
            access.flush()

    flushing = [threading.Thread(target=flush_all_the_time) for _ in range(2)]
    for thread in recording + flushing:
        thread.start()
    for thread in recording:
        thread.join()
    done.set()
    for thread in flushing:
        thread.join()
    access.close()
    lines = path.read_text().splitlines()
    assert sorted(lines) == sorted(f"{n} 200 ok" for n in range(4) for _ in range(2000))


def test_reopening_writes_what_was_recorded_before_to_the_old_file(access, path, tmp_path):
    access.record(entry("old"))
    path.rename(tmp_path / "access.log.1")
    access.reopen()
    access.record(entry("new"))
    access.flush()
    assert (tmp_path / "access.log.1").read_text() == "old 200 ok\n"
    assert path.read_text() == "new 200 ok\n"


def test_a_reopening_that_fails_is_an_error_in_the_log_and_nothing_more(tmp_path, caplog):
    folder = tmp_path / "folder"
    folder.mkdir()
    access = AccessLog("%(h)s", str(folder / "log"), logging.getLogger("tests.access"))
    folder.rename(tmp_path / "moved")
    access.reopen()
    access.record(entry())
    access.close()
    assert "cannot be reopened" in caplog.text
    assert (tmp_path / "moved" / "log").read_text() == "192.0.2.7\n"


def test_an_environ_that_cannot_be_formatted_still_gets_its_line(path):
    class Hostile:
        def __str__(self) -> str:
            raise ValueError("not today")

    access = AccessLog("%(h)s %(s)s %({x}e)s %(r)s", str(path), LOG)
    access.record(AccessEntry({"x": Hostile()}, "GET / HTTP/1.1", "192.0.2.7", 200))
    access.close()
    assert path.read_text() == "192.0.2.7 200 - GET / HTTP/1.1\n"


def test_a_broken_request_environ_still_gets_its_line(access, path):
    access.record(AccessEntry({"RAW_URI": "/"}, "", "192.0.2.7", 200))
    access.flush()
    assert path.read_text() == "192.0.2.7 200 ok\n"


def test_unknown_atoms_are_warned_of_when_the_log_is_made(path, caplog):
    AccessLog("%(nonsense)s", str(path), logging.getLogger("tests.access")).close()
    assert "unknown atom %(nonsense)s" in caplog.text


def test_a_file_that_cannot_be_opened_is_a_clear_message(tmp_path):
    with pytest.raises(ConfigError, match=r"accesslog: .*missing/log cannot be opened: No such"):
        AccessLog("%(h)s", str(tmp_path / "missing" / "log"), LOG)


def test_a_dash_is_standard_output(capfd):
    access = AccessLog("%(h)s", "-", LOG)
    access.record(entry())
    access.close()
    assert capfd.readouterr().out == "192.0.2.7\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_lines_lost_to_a_full_disk_are_said_at_the_end(caplog):
    access = AccessLog("%(h)s", "/dev/full", logging.getLogger("tests.access"))
    access.record(entry())
    access.record(entry())
    access.close()
    assert "2 lines were lost, /dev/full could not be written" in caplog.text


def test_lines_lost_on_the_way_are_said_when_it_works_again(caplog):
    reading, writing = os.pipe()
    name = f"/proc/self/fd/{writing}"
    if not os.path.exists(name):
        pytest.skip("this system has no /proc")
    os.set_blocking(reading, False)
    access = AccessLog("%(r)s", name, logging.getLogger("tests.access"))
    long = AccessEntry(request_line="z" * 3000)
    while not access._sink.dropped:
        access.record(long)
        access.flush()
    content = b""
    while "dropped while" not in caplog.text:
        access.flush()
        try:
            content += os.read(reading, 1 << 20)
        except BlockingIOError:
            access.record(long)
    access.close()
    os.close(reading)
    os.close(writing)
    assert "1 line was dropped while" in caplog.text
    assert set(content.split(b"\n")[:-1]) == {b"z" * 3000}


def test_flush_leaves_the_work_to_a_flush_that_is_running(access, path):
    access.record(entry())
    with access._flushing:
        access.flush()
        assert access.waiting == 1
    access.flush()
    assert path.read_text() == "192.0.2.7 200 ok\n"


def test_the_file_can_be_given_away(access, path):
    access.give_to(os.getuid(), os.getgid())
    assert path.stat().st_uid == os.getuid()
