"""Some engines in as many processes that share a listener and a scoreboard; run as a program.

Arguments: the number of workers, of threads in each, of descriptors that each may have (0: as many
as it likes). Every path is answered with the worker's process id; /stuck waits until it is let go,
/slow... takes some milliseconds. It prints one line with the port and the process ids, then obeys
the lines it reads: `open I N` lets N requests to /stuck go on in worker I, `board` prints a line
with what each worker's slot says, `drain I` ends worker I gracefully. At the end of its input it
ends them all.
"""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import sys
import threading
from typing import Any

from canter.engine.contract import EngineConfig
from canter.engine.siblings import Siblings
from canter.engine.threaded.engine import ThreadedEngine
from canter.net.addresses import TcpAddress
from canter.net.handoff import LetterBox
from canter.net.listeners import Listener, open_listeners
from canter.observe.scoreboard import Field, Scoreboard


class Workers:
    """The workers, as their parent sees them."""

    def __init__(self, count: int, threads: int, descriptors: int) -> None:
        self._threads = threads
        self._descriptors = descriptors
        self._listeners = open_listeners([TcpAddress("127.0.0.1", 0)], 512)
        self._board = Scoreboard(count, threads)
        self._boxes = [LetterBox() for _ in range(count)]
        self._gates = [os.pipe() for _ in range(count)]
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        self._pids = [self._fork(number) for number in range(count)]

    def _fork(self, number: int) -> int:
        pid = os.fork()
        if not pid:
            try:
                self._serve(number, self._listeners)
            finally:
                os._exit(1)
        return pid

    def _serve(self, number: int, listeners: list[Listener]) -> None:
        if self._descriptors:
            resource.setrlimit(resource.RLIMIT_NOFILE, (self._descriptors, self._descriptors))

        never = threading.Event()

        def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
            if environ["PATH_INFO"] == "/stuck":
                os.read(self._gates[number][0], 1)
            elif environ["PATH_INFO"].startswith("/slow"):
                never.wait(0.005)
            start_response("200 OK", [("X-Path", environ["PATH_INFO"])])
            return [b"%d" % os.getpid()]

        others = [other for other in range(len(self._boxes)) if other != number]
        finished = threading.Event()
        engine = ThreadedEngine(
            application,
            listeners,
            EngineConfig(threads=self._threads),
            self._board.slot(number),
            None,
            logging.getLogger("worker"),
            lambda event: finished.set(),
            Siblings(
                tuple(self._board.slot(other) for other in others),
                tuple(self._boxes[other].slot for other in others),
                self._boxes[number].tray,
            ),
        )
        engine.start()
        signal.sigwait({signal.SIGTERM})
        engine.drain(answer_backlog=False)
        finished.wait(30)
        os._exit(0)

    def obey(self) -> None:
        """Say where we are, then do what we are told."""
        port = self._listeners[0].server_port
        say({"port": int(port), "pids": self._pids})
        for line in sys.stdin:
            command, *words = line.split()
            if command == "open":
                self._open(int(words[0]), int(words[1]))
            elif command == "drain":
                os.kill(self._pids[int(words[0])], signal.SIGTERM)
            elif command == "board":
                say([self._figures(number) for number in range(len(self._pids))])

    def _figures(self, number: int) -> dict[str, int]:
        slot = self._board.slot(number)
        stuck = sum(" /stuck " in running.line for running in slot.running())
        return {field.name: int(slot.words[field]) for field in Field} | {"STUCK": stuck}

    def _open(self, number: int, times: int) -> None:
        os.write(self._gates[number][1], b"x" * times)

    def end(self) -> None:
        """End every worker."""
        for number, pid in enumerate(self._pids):
            self._open(number, 1000)
            os.kill(pid, signal.SIGTERM)
        for pid in self._pids:
            os.waitpid(pid, 0)


def say(what: Any) -> None:
    """One line of JSON."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    workers = Workers(*map(int, sys.argv[1:4]))
    try:
        workers.obey()
    finally:
        workers.end()
