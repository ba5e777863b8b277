"""Sinks on real files, pipes, sockets and terminals: whole lines, no waiting, nothing raised."""

from __future__ import annotations

import os
import pty
import select
import socket
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from canter.observe import sinks
from canter.observe.sinks import LineSink, SinkState, open_sink
from tests.forking import exit_status, fork_and_run

LINE = b"x" * 99 + b"\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    os.close(reading)
    os.close(writing)


def drained(descriptor: int) -> bytes:
    """All that can be read now."""
    content = b""
    try:
        while block := os.read(descriptor, 1 << 16):
            content += block
    except BlockingIOError:
        pass
    return content


def fill(sink: LineSink, lines: int) -> None:
    for _ in range(lines):
        sink.write(LINE, 1)


def test_a_file_is_appended_to(tmp_path: Path):
    path = tmp_path / "log"
    path.write_bytes(b"before\n")
    with closing(LineSink.for_file(str(path))) as sink:
        sink.write(b"one\ntwo\n", 2)
        assert path.read_bytes() == b"before\none\ntwo\n"


def test_a_file_that_cannot_be_opened_is_said_at_once(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        LineSink.for_file(str(tmp_path / "missing" / "log"))


def test_a_relative_path_is_kept_when_the_directory_changes(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with closing(open_sink("log", 1)) as sink:
        monkeypatch.chdir("/")
        sink.reopen()
        sink.write(LINE, 1)
    assert (tmp_path / "log").read_bytes() == LINE


def test_reopening_follows_a_rotation(tmp_path: Path):
    path = tmp_path / "log"
    with closing(LineSink.for_file(str(path))) as sink:
        sink.write(b"old\n", 1)
        path.rename(tmp_path / "log.1")
        sink.write(b"still old\n", 1)
        sink.reopen()
        sink.write(b"new\n", 1)
    assert (tmp_path / "log.1").read_bytes() == b"old\nstill old\n"
    assert path.read_bytes() == b"new\n"


def test_a_reopening_that_fails_leaves_the_old_file_in_use(tmp_path: Path):
    path = tmp_path / "folder" / "log"
    path.parent.mkdir()
    with closing(LineSink.for_file(str(path))) as sink:
        path.parent.rename(tmp_path / "moved")
        with pytest.raises(FileNotFoundError):
            sink.reopen()
        sink.write(LINE, 1)
    assert (tmp_path / "moved" / "log").read_bytes() == LINE


def test_a_given_descriptor_is_not_reopened(pipe):
    reading, writing = pipe
    with closing(LineSink.for_descriptor(writing, "pipe")) as sink:
        sink.reopen()
        sink.write(LINE, 1)
        assert not sink.follows_path
    assert drained(reading) == LINE


def test_a_full_pipe_neither_blocks_nor_loses_lines_up_to_the_bound(pipe):
    reading, writing = pipe
    with closing(LineSink.for_descriptor(writing, "pipe", limit_bytes=50_000)) as sink:
        while sink.state is SinkState.TAKING:
            sink.write(LINE, 1)
        fill(sink, 400)
        assert sink.dropped == 0
        first = drained(reading)
        sink.push()
        content = first + drained(reading)
        assert sink.backlog_bytes == 0
    assert content == LINE * (len(content) // len(LINE))
    assert len(content) >= 400 * len(LINE)


def test_lines_over_the_bound_are_dropped_counted_and_reported_once(pipe):
    reading, writing = pipe
    with closing(LineSink.for_descriptor(writing, "the pipe", limit_bytes=1000)) as sink:
        while not sink.dropped:
            sink.write(LINE, 1)
        fill(sink, 6)
        assert sink.take_report() is None
        assert sink.backlog_bytes <= 1000
        drained(reading)
        sink.write(LINE, 1)
        report = sink.take_report()
        assert report is not None
        assert report.startswith("7 lines were dropped while the pipe could not be written")
        assert sink.take_report() is None
    assert drained(reading).endswith(LINE)


def test_the_flags_of_a_shared_descriptor_are_left_alone(pipe):
    _, writing = pipe
    with closing(LineSink.for_descriptor(writing, "pipe")) as sink:
        fill(sink, 3)
        assert os.get_blocking(writing)


def test_lines_of_several_writers_are_not_torn(pipe):
    reading, writing = pipe
    writers = [LineSink.for_descriptor(writing, "pipe") for _ in range(3)]
    content = b""
    for _ in range(200):
        for number, sink in enumerate(writers):
            sink.write((b"%d" % number * 998 + b"\n") * 7, 7)
        content += drained(reading)
    for sink in writers:
        while sink.backlog_bytes:
            sink.push()
            content += drained(reading)
        sink.close()
    content += drained(reading)
    lines = content.splitlines()
    assert len(lines) == 200 * 3 * 7
    assert {(len(line), len(set(line))) for line in lines} == {(998, 1)}


def test_a_line_longer_than_a_pipe_takes_at_once_arrives_whole(pipe):
    reading, writing = pipe
    long = b"y" * (3 * select.PIPE_BUF) + b"\n"
    with closing(LineSink.for_descriptor(writing, "pipe")) as sink:
        sink.write(LINE + long + LINE, 3)
    assert drained(reading) == LINE + long + LINE


def test_a_socket_is_sent_to_without_waiting():
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    with ours, theirs, closing(LineSink.for_descriptor(ours.fileno(), "socket")) as sink:
        while sink.state is SinkState.TAKING:
            sink.write(LINE, 1)
        assert os.get_blocking(ours.fileno())
        sent = drained(theirs.fileno())
        sink.push()
        sent += drained(theirs.fileno())
        assert sent == LINE * (len(sent) // len(LINE))


def test_a_terminal_can_be_written_to():
    controlling, terminal = pty.openpty()
    with closing(LineSink.for_descriptor(terminal, "terminal")) as sink:
        sink.write(b"hello\n", 1)
        assert os.read(controlling, 100) == b"hello\r\n"
    os.close(terminal)
    os.close(controlling)


def test_where_a_pipe_cannot_be_opened_again_it_is_asked_for_room(pipe, monkeypatch):
    monkeypatch.setattr(sinks, "_open_again_nonblocking", lambda descriptor: None)
    reading, writing = pipe
    with closing(LineSink.for_descriptor(writing, "pipe")) as sink:
        while sink.state is SinkState.TAKING:
            sink.write(LINE, 1)
        content = drained(reading)
        sink.push()
        content += drained(reading)
    assert content == LINE * (len(content) // len(LINE))


def test_a_named_pipe_without_a_reader_does_not_hold_up_the_start(tmp_path: Path):
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    with closing(LineSink.for_file(path)) as sink:
        sink.write(LINE, 1)
        reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        assert drained(reading) == LINE
        os.close(reading)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_survived_and_named():
    with closing(LineSink.for_file("/dev/full", limit_bytes=1000)) as sink:
        fill(sink, 20)
        assert sink.state is SinkState.FAILING
        assert sink.dropped == 10
        assert sink.take_report() is None


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_after_a_full_disk_the_kept_lines_are_written_and_the_loss_is_said(tmp_path: Path):
    path = tmp_path / "log"
    path.symlink_to("/dev/full")
    with closing(LineSink.for_file(str(path), limit_bytes=1000)) as sink:
        fill(sink, 12)
        path.unlink()
        sink.reopen()
        sink.write(b"again\n", 1)
        report = sink.take_report()
        assert report is not None
        assert report.startswith("2 lines were dropped")
        assert report.endswith("No space left on device")
    assert path.read_bytes() == LINE * 10 + b"again\n"


def test_a_reader_that_has_gone_is_survived():
    reading, writing = os.pipe()
    os.close(reading)
    with closing(LineSink.for_descriptor(writing, "pipe")) as sink:
        fill(sink, 3)
        assert sink.state is SinkState.FAILING
    os.close(writing)


def test_a_closed_descriptor_makes_a_sink_that_drops(tmp_path: Path):
    descriptor = os.open(tmp_path, os.O_RDONLY)
    os.close(descriptor)
    sink = LineSink.for_descriptor(descriptor, "stdout", limit_bytes=100)
    fill(sink, 3)
    assert sink.state is SinkState.FAILING
    sink.close()
    assert sink.dropped == 3


def test_a_number_that_is_closed_and_used_again_gets_no_log_lines(pipe, tmp_path: Path):
    reading, writing = pipe
    number = os.dup(writing)
    with closing(LineSink.for_descriptor(number, "stdout")) as sink:
        stranger = os.open(tmp_path / "stranger", os.O_CREAT | os.O_RDWR)
        os.dup2(stranger, number)
        sink.write(LINE, 1)
        assert os.fstat(number).st_size == 0
        os.close(stranger)
        os.close(number)
    assert drained(reading) == LINE


def test_closing_waits_a_little_for_a_slow_reader(pipe):
    reading, writing = pipe
    sink = LineSink.for_descriptor(writing, "pipe", limit_bytes=1 << 18)
    while sink.state is SinkState.TAKING:
        sink.write(LINE, 1)
    fill(sink, 100)

    def read_all() -> None:
        sink._detach()
        os.close(writing)
        os.set_blocking(reading, True)
        total = 0
        while block := os.read(reading, 1 << 16):
            total += len(block)
        assert total > 100 * len(LINE)

    child = fork_and_run(read_all)
    sink.close(patience_seconds=60)
    assert sink.dropped == 0
    # The last writing end has to go for the child to see the end; the fixture closes the number.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, writing)
    os.close(nowhere)
    assert exit_status(child) == 0


def test_closing_gives_up_on_a_reader_that_does_not_read(pipe):
    _, writing = pipe
    sink = LineSink.for_descriptor(writing, "pipe")
    while sink.state is SinkState.TAKING:
        sink.write(LINE, 1)
    fill(sink, 5)
    sink.close(patience_seconds=0.01)
    assert sink.dropped >= 5


def test_a_forked_child_does_not_write_its_parents_lines_again(pipe):
    reading, writing = pipe
    with closing(LineSink.for_descriptor(writing, "pipe")) as sink:
        while sink.state is SinkState.TAKING:
            sink.write(b"parent" + LINE, 1)
        before = drained(reading)
        child = fork_and_run(lambda: sink.write(b"child" + LINE, 1))
        assert exit_status(child) == 0
        assert drained(reading) == b"child" + LINE
        sink.push()
        after = drained(reading)
    assert set((before + after).splitlines()) == {b"parent" + LINE[:-1]}


def test_a_file_can_be_given_to_the_user_that_workers_run_as(tmp_path: Path):
    path = tmp_path / "log"
    with closing(LineSink.for_file(str(path))) as sink:
        sink.give_to(os.getuid(), os.getgid())
    assert stat.S_IMODE(path.stat().st_mode) & 0o600 == 0o600
    assert path.stat().st_uid == os.getuid()


def test_the_standard_streams_go_by_their_names():
    with closing(open_sink("-", 1)) as out, closing(open_sink("-", 2)) as err:
        assert (out.name, err.name) == ("stdout", "stderr")
