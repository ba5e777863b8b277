"""A load client that counts every failed or wrong answer while something happens to the server.

It behaves as HTTP clients do. A connection that was already used and ends before any byte of the
next answer has come is tried again on a new one (RFC 9112 section 9.3.1: a server may close an
idle connection at any time); that is counted as `retried`, and the access log tells whether the
server had read the request after all. Everything else that is not the right answer is a failure.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from tests.live.raw_http import Address, Answer, Client, Ended, request_head
from tests.live.waiting import eventually

TAG = re.compile(r"[?&]tag=([\w-]+) ")
LONGEST_LOAD_SECONDS = 60.0
MOST_REQUESTS = 200_000
STOP_PATIENCE_SECONDS = 40.0


@dataclass(frozen=True)
class Failure:
    """One request that was not answered well; `pid` answered last on that connection, if any."""

    tag: str
    reason: str
    pid: int | None


@dataclass
class Report:
    """What the load client saw."""

    answered: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    retried: list[str] = field(default_factory=list)
    pids: Counter[int] = field(default_factory=Counter)

    def assert_flawless(self, access_lines: Callable[[], list[str]]) -> None:
        """Every request was answered, and executed once: also those that were tried again."""
        assert self.answered, "the load never got an answer"
        assert not self.failures, self.summary()
        self.assert_logged_once(access_lines)

    def assert_logged_once(self, access_lines: Callable[[], list[str]]) -> None:
        """Every answered request has one line in the access log, soon."""

        def logged() -> Counter[str]:
            return Counter(found[1] for line in access_lines() if (found := TAG.search(line)))

        with suppress(AssertionError):
            eventually(lambda: set(self.answered) <= set(logged()), "all are logged", 5)
        counted = logged()
        wrong = {tag: counted[tag] for tag in self.answered if counted[tag] != 1}
        assert not wrong, f"{len(wrong)} requests not logged once: {dict(list(wrong.items())[:5])}"

    def summary(self) -> str:
        return (
            f"{len(self.answered)} answered by {dict(self.pids)}, {len(self.retried)} retried, "
            f"{len(self.failures)} failed: {self.failures[:5]}"
        )


class _Connection:
    """One client of the load, in a thread of its own."""

    def __init__(self, load: Load, name: str, *, keep_alive: bool) -> None:
        self._load = load
        self._name = name
        self._keep_alive = keep_alive
        self._client: Client | None = None
        self._pid: int | None = None

    def run(self) -> None:
        try:
            for number in itertools.count():
                if not self._load.may_go_on():
                    return
                self._request(f"{self._name}-{number}")
        finally:
            self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None

    def _request(self, tag: str) -> None:
        reused = self._client is not None
        try:
            answer = self._exchange(tag)
        except Ended as ended:
            self._drop()
            if reused and not ended.received:
                self._load.retried(tag)
                self._request(tag)
            else:
                self._fail(tag, f"{ended}, after {ended.received!r}")
        except OSError as error:
            self._drop()
            if reused and isinstance(error, ConnectionError):
                self._load.retried(tag)
                self._request(tag)
            else:
                self._fail(tag, repr(error))
        else:
            self._judge(tag, answer)

    def _exchange(self, tag: str) -> Answer:
        if self._client is None:
            self._pid = None
            self._client = Client(self._load.address, patience_seconds=20)
        fields = () if self._keep_alive else ("Connection: close",)
        separator = "&" if "?" in self._load.path else "?"
        self._client.send(request_head("GET", f"{self._load.path}{separator}tag={tag}", *fields))
        return self._client.read_answer()

    def _judge(self, tag: str, answer: Answer) -> None:
        try:
            said = answer.json() if answer.whole else None
        except json.JSONDecodeError:
            said = None
        if answer.status != 200 or said is None or said["tag"] != tag:
            self._fail(tag, f"{answer.status}, whole: {answer.whole}, {answer.body[:100]!r}")
            self._drop()
            return
        self._pid = said["pid"]
        self._load.answered(tag, said["pid"])
        if answer.closes or not self._keep_alive:
            self._drop()

    def _fail(self, tag: str, reason: str) -> None:
        self._load.failed(Failure(tag, reason, self._pid))


class Load:
    """Requests from several connections until it is left; half of them are kept alive.

    `path` must answer as `plain.who`: JSON with the request's tag and the process's pid.
    """

    def __init__(
        self, address: Address, *, connections: int = 4, path: str = "/who", name: str = "load"
    ) -> None:
        self.address = address
        self.path = path
        self.report = Report()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._until = time.monotonic() + LONGEST_LOAD_SECONDS
        clients = [
            _Connection(self, f"{name}{n}", keep_alive=n % 2 == 0) for n in range(connections)
        ]
        self._threads = [threading.Thread(target=c.run, daemon=True) for c in clients]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(STOP_PATIENCE_SECONDS)
        assert not any(thread.is_alive() for thread in self._threads), "a client hangs"

    def may_go_on(self) -> bool:
        in_time = time.monotonic() < self._until
        return not self._stopping.is_set() and in_time and self.count() < MOST_REQUESTS

    def count(self) -> int:
        """The requests answered so far."""
        return len(self.report.answered)

    def answered(self, tag: str, pid: int) -> None:
        with self._lock:
            self.report.answered.append(tag)
            self.report.pids[pid] += 1

    def retried(self, tag: str) -> None:
        with self._lock:
            self.report.retried.append(tag)

    def failed(self, failure: Failure) -> None:
        with self._lock:
            self.report.failures.append(failure)
