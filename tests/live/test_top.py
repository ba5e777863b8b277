"""`canter top` in a real pseudo-terminal beside a real server."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.harness import PLAIN, clean_environment
from tests.live.raw_http import request_head
from tests.live.test_control import asked, command, said
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.live.harness import Server, Start

pyte = pytest.importorskip("pyte")
pytest.importorskip("rich")

ALTERNATE, USUAL = b"\x1b[?1049h", b"\x1b[?1049l"
CURSOR = b"\x1b[?25h"


class Terminal:
    """A pseudo-terminal in which `canter top` runs."""

    def __init__(self, directory: Path, *words: str, rows: int = 24, columns: int = 100) -> None:
        self.raw = b""
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._ours, theirs = pty.openpty()
        self._set_size(rows, columns)
        self.modes = termios.tcgetattr(theirs)
        environment = clean_environment(TERM="xterm-256color", PYTHONIOENCODING="utf-8")
        environment.pop("NO_COLOR", None)
        environment.pop("COLUMNS", None)
        environment.pop("LINES", None)
        for word in words:
            name, is_variable, value = word.partition("=")
            environment.update({name: value} if is_variable else {})
        self.pid = os.fork()
        if self.pid == 0:
            with contextlib.suppress(BaseException):
                os.setsid()
                fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
                for descriptor in (0, 1, 2):
                    os.dup2(theirs, descriptor)
                os.chdir(directory)
                words = tuple(word for word in words if "=" not in word)
                os.execve(
                    sys.executable, [sys.executable, "-m", "canter", "top", *words], environment
                )
            os._exit(127)
        self._theirs = theirs
        self.status: int | None = None

    def _set_size(self, rows: int, columns: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, size)

    def resize(self, rows: int, columns: int) -> None:
        self._screen.resize(rows, columns)
        self._set_size(rows, columns)  # the kernel sends WINCH

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def lines(self) -> list[str]:
        while select.select([self._ours], [], [], 0)[0]:
            try:
                data = os.read(self._ours, 65536)
            except OSError:
                break  # nobody has it open any more
            self.raw += data
            self._stream.feed(data)
        return [line.rstrip() for line in self._screen.display]

    def wait(self, pattern: str, within_seconds: float = 30.0) -> re.Match[str]:
        """Wait until the screen matches."""
        found = eventually(
            lambda: re.search(pattern, "\n".join(self.lines()), re.MULTILINE),
            f"{pattern!r} on the screen",
            within_seconds,
        )
        assert found
        return found

    def wait_for_end(self) -> int:
        """The exit status; the terminal has been put back."""

        def ended() -> bool:
            self.lines()
            found, status = os.waitpid(self.pid, os.WNOHANG)
            if found:
                self.status = os.waitstatus_to_exitcode(status)
            return bool(found)

        eventually(ended, "it ends")
        self.lines()
        assert termios.tcgetattr(self._theirs) == self.modes
        assert self.raw.rfind(USUAL) > self.raw.rfind(ALTERNATE), "the usual screen is back"
        assert self.raw.rfind(CURSOR) > self.raw.rfind(b"\x1b[?25l"), "the cursor is back"
        assert self.status is not None
        return self.status

    def close(self) -> None:
        if self.status is None:
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        os.close(self._ours)
        os.close(self._theirs)


@pytest.fixture
def opened() -> Iterator[Callable[..., Terminal]]:
    with contextlib.ExitStack() as terminals:

        def open_one(server: Server, *words: str, rows: int = 24, columns: int = 100) -> Terminal:
            made = Terminal(server.directory, *words, rows=rows, columns=columns)
            terminals.callback(made.close)
            return made

        yield open_one


@contextlib.contextmanager
def busy(server: Server, tmp_path: Path, count: int = 1) -> Iterator[None]:
    """So many requests run until the block is left."""
    gate = tmp_path / "gate"
    with contextlib.ExitStack() as clients:
        opened = [clients.enter_context(server.client()) for _ in range(count)]
        for client in opened:
            client.send(request_head("GET", f"/waits_for_file?secret=1&gate={gate}"))
        eventually(lambda: calls(server) >= 1, "it runs")
        yield
        gate.touch()
        for client in opened:
            client.read_answer()


def calls(server: Server) -> int:
    return sum(len(w["running"]) for g in server.status() for w in g["workers"])


def test_once_and_json_need_no_terminal(start: Start, tmp_path: Path) -> None:
    server = start(PLAIN, "--threads", "2")
    (worker,) = server.wait_for_workers(1)
    with busy(server, tmp_path):
        text = said(server, "top", "--once")
        data: Any = asked(server, "top", "--json")
    assert re.search(r"^  GET /waits_for_file +\d+ +0 +\d", text, re.MULTILINE)
    assert re.search(rf"^ +{worker} +1  serving ", text, re.MULTILINE)
    assert "secret" not in text + json.dumps(data)
    assert "\x1b" not in text
    assert data["load"]["busy"] == 1
    refused = command(server.directory, "top")
    assert refused.returncode != 0
    assert "needs a terminal" in refused.stderr


def test_the_live_view_follows_what_happens_and_shows_the_stack_of_a_thread(
    start: Start, tmp_path: Path, opened: Callable[..., Terminal]
) -> None:
    server = start(PLAIN, "--threads", "2")
    (worker,) = server.wait_for_workers(1)
    terminal = opened(server)
    terminal.wait(rf"^ +{worker} +1  serving ")
    terminal.wait(r"^  nothing$")
    with busy(server, tmp_path):
        terminal.wait(rf"^  GET /waits_for_file +{worker} +0 ")
        terminal.press("j")
        terminal.wait(r"^> GET /waits_for_file ")
        terminal.press("\r")
        terminal.wait(r"in waits_for_file$")
        assert not any("serving" in line for line in terminal.lines())
        terminal.press("\x1b")
        terminal.wait(rf"^ +{worker} +1  serving ")
        terminal.press("\r")
        terminal.wait(r"in waits_for_file$")
    terminal.wait(rf"thread 0 of worker {worker} runs no request")
    terminal.press("\x1b")
    terminal.wait(r"^  nothing$")
    terminal.press("q")
    assert terminal.wait_for_end() == 0


def test_it_sorts_resizes_and_ends_with_control_c(
    start: Start, opened: Callable[..., Terminal]
) -> None:
    server = start(PLAIN, "--workers", "3")
    pids = server.wait_for_workers(3)
    terminal = opened(server)

    def shown() -> list[int]:
        return [int(line.split()[0]) for line in terminal.lines() if " serving " in line]

    eventually(lambda: shown() == pids, "sorted by number")
    terminal.press("p")
    eventually(lambda: shown() == pids[::-1], "the other way round")
    terminal.resize(12, 80)
    terminal.wait(r"^q quit")
    eventually(
        lambda: (
            terminal.lines()[-1].startswith("q quit")
            and not any("queued  " in line and "worker" in line for line in terminal.lines())
        ),
        "it is drawn anew in the smaller window",
    )
    terminal.press("\x03")
    assert terminal.wait_for_end() == 0


def test_it_shows_a_server_whose_threads_are_all_busy_and_one_that_has_gone(
    start: Start, tmp_path: Path, opened: Callable[..., Terminal]
) -> None:
    server = start(PLAIN, "--threads", "2", "--graceful-timeout", "1")
    server.wait_for_workers(1)
    with busy(server, tmp_path, count=6):
        terminal = opened(server)
        terminal.wait(r"threads +██ +2 of 2 +queued [1-4] ")
        terminal.wait(r"^  GET /waits_for_file")
    server.signal(signal.SIGTERM)
    terminal.wait(r"no answer: ")
    terminal.press("q")
    assert terminal.wait_for_end() == 0


def test_colours_are_left_out_where_nobody_wants_them(
    start: Start, opened: Callable[..., Terminal]
) -> None:
    server = start(PLAIN)
    server.wait_for_workers(1)
    coloured, plain = opened(server), opened(server, "NO_COLOR=1")
    for terminal in (coloured, plain):
        terminal.wait(r" serving ")
        terminal.press("q")
        assert terminal.wait_for_end() == 0
    colours = re.compile(rb"\x1b\[(?:\d+;)*3[0-7](?:;\d+)*m")
    assert colours.search(coloured.raw)
    assert not colours.search(plain.raw)


def test_without_rich_it_says_what_to_install_and_the_rest_works(
    start: Start, tmp_path: Path, opened: Callable[..., Terminal]
) -> None:
    server = start(PLAIN)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "rich.py").write_text("raise ModuleNotFoundError('not here', name='rich')\n")
    path = f"PYTHONPATH={hidden}{os.pathsep}{clean_environment()['PYTHONPATH']}"
    terminal = opened(server, path)
    terminal.wait(r"needs rich: pip install 'canter\[top\]'")
    assert ALTERNATE not in terminal.raw
    once = opened(server, path, "--once")
    once.wait(r" serving ")


def test_without_a_server_it_says_so_and_touches_no_terminal(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    try:
        terminal.wait("no server answers")
        assert ALTERNATE not in terminal.raw
    finally:
        terminal.close()
