"""The live view of `canter top`, drawn by rich.

One thread asks the server, once a second or when something else is wanted; the main thread draws
and reads keys, so that a server that is slow to answer never holds a key up. The terminal is put
back as it was, however the view ends.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import select
import signal
import sys
import termios
import threading
import tty
from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.text import Text

from canter.cli.talking import SOON_SECONDS, NoAnswerError, ask_at
from canter.cli.top_view import SORTS, Line, View, calls_of, key_of, picture
from canter.errors import CanterError

EVERY_SECONDS: Final = 1.0
# How long after an Esc the rest of a key's sequence may come.
_ESCAPE_SECONDS = 0.05
_UP, _DOWN = ("k", "\x1b[A", "\x1bOA"), ("j", "\x1b[B", "\x1bOB")
_BACK = ("\x1b", "\x7f", "\x1b[D")
_ENTER = ("\r", "\n")


class Asker:
    """Asks in a thread of its own; what it has heard last is in its attributes.

    heard: called after each answer, from that thread.
    """

    def __init__(self, paths: Sequence[str], heard: Any) -> None:
        self._paths = paths
        self._heard = heard
        self._hurry = threading.Event()
        self.snapshot: Any = None
        self.before: Any = None
        self.trouble = ""
        self.wanted: tuple[int, int] | None = None
        """Whose stack is looked at."""
        self.stack = ""

    def start(self) -> None:
        """Begin to ask. The first answer is waited for; raises CanterError where there is none."""
        self.snapshot = self._ask({"command": "snapshot"})
        threading.Thread(target=self._go_on, daemon=True).start()

    def want(self, chosen: tuple[int, int] | None) -> None:
        """Look at the stack of this thread from now on, or (None) at none."""
        self.wanted = chosen
        self.stack = "asking ..."
        self._hurry.set()

    def _go_on(self) -> None:
        while True:
            if not self._hurry.wait(EVERY_SECONDS):
                self._look()
            self._hurry.clear()
            if self.wanted is not None:
                self._look_at_stack(self.wanted)
            self._heard()

    def _look(self) -> None:
        try:
            found = self._ask({"command": "snapshot"})
        except CanterError as error:
            self.trouble = f"no answer: {error}"
            return
        self.trouble = ""
        self.before, self.snapshot = self.snapshot, found

    def _look_at_stack(self, wanted: tuple[int, int]) -> None:
        pid, thread = wanted
        try:
            data = self._ask({"command": "stacks", "pid": pid, "thread": thread})
        except CanterError as error:
            self.stack = str(error)
            return
        stacks = "".join(worker["stacks"] for worker in data["workers"])
        silent = f"worker {pid} did not answer in time: something in it holds the interpreter"
        nothing = silent if data["silent"] else f"thread {thread} of worker {pid} runs no request"
        self.stack = f"worker {pid}, {stacks}" if stacks else nothing

    def _ask(self, order: dict[str, object]) -> Any:
        reply = ask_at(self._paths, order, SOON_SECONDS)
        if reply.get("ok") is not True:
            raise NoAnswerError(str(reply.get("error")))
        return reply["data"]


class Screen:
    """The view: what is looked at, and the keys that change it."""

    def __init__(self, paths: Sequence[str], bars: tuple[str, str]) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._asker = Asker(paths, self._wake)
        self._view = View(bars=bars, is_live=True)
        self._is_over = False

    def run(self) -> int:
        """Show it until the user has seen enough; the exit status. Raises CanterError."""
        self._asker.start()
        console = Console()
        with (
            _signals(self._wake, self._end),
            _keys(),
            Live(console=console, screen=True, auto_refresh=False, transient=True) as live,
        ):
            while not self._is_over:
                live.update(self._draw(console), refresh=True)
                self._wait()
        return 0

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            os.write(self._writer, b"w")

    def _end(self) -> None:
        self._is_over = True
        self._wake()

    def _wait(self) -> None:
        """Until there is something new or a key."""
        ready, _, _ = select.select([sys.stdin, self._reader], [], [])
        if self._reader in ready:
            os.read(self._reader, 4096)
        if sys.stdin in ready:
            for key in _pressed():
                self._press(key)

    def _press(self, key: str) -> None:
        view = self._view
        if key in {"q", "Q", "\x03", ""}:
            self._is_over = True
        elif key in SORTS:
            reverse = not view.reverse if key == view.order else False
            self._view = dataclasses.replace(view, order=key, reverse=reverse)
        elif key in _UP:
            self._choose(-1)
        elif key in _DOWN:
            self._choose(1)
        elif key in _ENTER and view.stack is None:
            chosen = view.chosen or self._first()
            if chosen is not None:
                self._asker.want(chosen)
                self._view = dataclasses.replace(view, chosen=chosen, stack="")
        elif key in (*_BACK, *_ENTER):
            self._asker.want(None)
            self._view = dataclasses.replace(view, stack=None)

    def _first(self) -> tuple[int, int] | None:
        return next((key_of(call) for call in calls_of(self._asker.snapshot)), None)

    def _choose(self, step: int) -> None:
        if self._view.stack is not None:
            return
        keys = [key_of(call) for call in calls_of(self._asker.snapshot)]
        if not keys:
            return
        at = keys.index(self._view.chosen) + step if self._view.chosen in keys else 0
        chosen = keys[max(0, min(at, len(keys) - 1))]
        self._view = dataclasses.replace(self._view, chosen=chosen)

    def _draw(self, console: Console) -> Text:
        asker = self._asker
        stack = None if self._view.stack is None else asker.stack
        view = dataclasses.replace(
            self._view,
            width=console.width,
            height=console.height,
            trouble=asker.trouble,
            stack=stack,
        )
        lines = picture(asker.snapshot, asker.before, view)
        return Text("\n", no_wrap=True, overflow="crop", end="").join(map(_as_text, lines))


def _as_text(line: Line) -> Text:
    text = Text(no_wrap=True, overflow="crop", end="")
    for words, style in line:
        text.append(words, style)
    return text


def _pressed() -> Iterator[str]:
    """The keys that were pressed; "" at the end of the input."""
    data = os.read(sys.stdin.fileno(), 1024)
    if not data:
        yield ""
    while data:
        if data == b"\x1b" and select.select([sys.stdin], [], [], _ESCAPE_SECONDS)[0]:
            data += os.read(sys.stdin.fileno(), 1024)
        length = 3 if data[:2] in {b"\x1b[", b"\x1bO"} else 1
        yield data[:length].decode("latin-1")
        data = data[length:]


@contextlib.contextmanager
def _keys() -> Iterator[None]:
    """Keys come as they are pressed and are not shown."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _signals(resized: Any, ended: Any) -> Iterator[None]:
    """A new size is drawn at once, and what ends the view leaves a clean terminal.

    INT too: an exception of it would be lost where it fell into a callback of the interpreter's.
    """
    actions = {signal.SIGWINCH: resized}
    actions |= dict.fromkeys((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), ended)
    before = {number: signal.getsignal(number) for number in actions}
    try:
        for number, action in actions.items():
            signal.signal(number, lambda *_, action=action: action())
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
