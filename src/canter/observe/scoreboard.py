"""The scoreboard: what every worker and thread does now, in one shared memory map.

The supervisor makes one anonymous map before it forks; workers inherit it. Each field has a single
writer, is one aligned machine word and is written without a lock or a system call, so that keeping
the board costs nanoseconds. Readers (time-outs, health, metrics, live views) may see two fields of
different moments, but never half a word.

Who writes what: PID, GENERATION, STATE, STARTED_NS, READY and RSS_BYTES belong to the worker's main
thread, the other fixed fields to the engine, a thread's sub-slot to that thread. The supervisor
clears a slot only while no process owns it, and writes the word before the slots: that the service
leaves. All times are `time.monotonic_ns()`, which parent and child share.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from canter.observe.copying import copy_into
from canter.observe.meter import METER_WORDS

_WORD_BYTES = 8
_LINE_WORDS = 8
_SERVICE_WORDS = 16
# A slot's fields are four cache lines, the meter's follow them, and a thread's sub-slot has two, so
# that two writers never share a line.
_FIELD_WORDS = 32
_FIXED_WORDS = _FIELD_WORDS + -(-METER_WORDS // _LINE_WORDS) * _LINE_WORDS
_THREAD_WORDS = 16
_THREAD_STARTED = 0
_THREAD_LENGTH = 1
_THREAD_TEXT = 2

LINE_BYTES = (_THREAD_WORDS - _THREAD_TEXT) * _WORD_BYTES
_LINE_BYTES = LINE_BYTES


class Field(IntEnum):
    """Where each fixed field of a worker's slot lies, as an index of `WorkerSlot.words`."""

    PID = 0
    GENERATION = 1
    STATE = 2
    STARTED_NS = 3
    HEARTBEAT_NS = 4
    CONNECTIONS = 5
    RUNNING = 6
    QUEUED = 7
    ACCEPTED = 8
    REQUESTS = 9
    STATUS_1XX = 10
    STATUS_2XX = 11
    STATUS_3XX = 12
    STATUS_4XX = 13
    STATUS_5XX = 14
    BYTES_IN = 15
    BYTES_OUT = 16
    ABORTED = 17
    RSS_BYTES = 18
    OPEN = 19
    """1 while the worker takes new connections, in principle: it serves and does not drain."""
    READY = 20
    """1 while health checks may say that this worker's addresses are served: not at the end of the
    service, but also while the worker drains because another one serves in its place."""
    IDLE = 21
    """Connections that wait for their next request; READING and SENDING likewise."""
    READING = 22
    SENDING = 23
    LOG_DROPPED = 24
    """Lines of the access log that could not be written."""
    BUSY_NS = 25
    """What calls that are over have taken together."""


class RunningRequest(NamedTuple):
    """One application call that is going on, as a reader of the board sees it."""

    thread: int
    started_ns: int
    line: str


class ThreadSlot:
    """What one application thread runs: since when, and the start of the request line."""

    __slots__ = ("_text", "_words")

    def __init__(self, words: memoryview, text: memoryview) -> None:
        self._words = words
        self._text = text

    def begin(self, now_ns: int, line: bytes) -> None:
        """Note that a request starts; `line` ("GET /path") is cut to LINE_BYTES."""
        length = len(line)
        if length > _LINE_BYTES:
            length = _LINE_BYTES
        copy_into(self._text, line, length)
        self._words[_THREAD_LENGTH] = length
        # The start time is written last: a reader that sees it sees the line that belongs to it.
        self._words[_THREAD_STARTED] = now_ns

    def restart(self, now_ns: int) -> None:
        """Note that the request's time begins anew."""
        self._words[_THREAD_STARTED] = now_ns

    def end(self) -> None:
        """Note that the thread runs no request."""
        self._words[_THREAD_STARTED] = 0

    @property
    def started_ns(self) -> int:
        """When the running request started; 0 when the thread is free."""
        return int(self._words[_THREAD_STARTED])

    @property
    def line(self) -> str:
        """The request last begun, for people: bytes outside printable ASCII are escaped."""
        length = min(int(self._words[_THREAD_LENGTH]), LINE_BYTES)
        text = bytes(self._text[:length]).decode("latin-1")
        return "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in text)


class WorkerSlot:
    """One worker's part of the board, for `threads` application threads.

    The writer uses `words[Field.X]` directly (with plain int constants on hot paths); readers use
    the properties. `meter_words` are those of `canter.observe.meter`.
    """

    __slots__ = (
        "_first_byte",
        "_map",
        "_service",
        "_sub_slots",
        "index",
        "meter_words",
        "threads",
        "words",
    )

    def __init__(
        self,
        index: int,
        board: mmap.mmap,
        first_byte: int,
        threads: int,
        service: memoryview,
    ) -> None:
        self.index = index
        self.threads = threads
        self._map = board
        self._first_byte = first_byte
        self._service = service
        self.words = _words(board, first_byte, _FIELD_WORDS)
        self.meter_words = _words(board, first_byte + _FIELD_WORDS * _WORD_BYTES, METER_WORDS)
        # Made when first asked for: most slots are room for surges and never used.
        self._sub_slots: dict[int, ThreadSlot] = {}

    def thread(self, index: int) -> ThreadSlot:
        """The sub-slot of application thread `index`, counted from 0."""
        made = self._sub_slots.get(index)
        if made is None:
            if not 0 <= index < self.threads:
                raise IndexError(f"thread {index} of {self.threads}")
            first = self._first_byte + (_FIXED_WORDS + index * _THREAD_WORDS) * _WORD_BYTES
            words = _words(self._map, first, _THREAD_TEXT)
            text_at = first + _THREAD_TEXT * _WORD_BYTES
            made = ThreadSlot(words, memoryview(self._map)[text_at : text_at + LINE_BYTES])
            self._sub_slots[index] = made
        return made

    def clear(self) -> None:
        """Forget everything. Only while no process owns the slot."""
        for index in range(self.threads):
            self.thread(index).end()
        for words in (self.words, self.meter_words):
            for index in range(len(words)):
                words[index] = 0

    def running(self) -> list[RunningRequest]:
        """The application calls going on now. A call that ends meanwhile is left out."""
        found = []
        for index in range(self.threads):
            thread = self.thread(index)
            started_ns = thread.started_ns
            if not started_ns:
                continue
            line = thread.line
            # Read again: if the thread has gone on to another request, the line may be its.
            if thread.started_ns == started_ns:
                found.append(RunningRequest(index, started_ns, line))
        return found

    @property
    def pid(self) -> int:
        """The process that owns the slot; 0 when it is free."""
        return int(self.words[Field.PID])

    @property
    def generation(self) -> int:
        """Number of the generation (deploy) the worker belongs to."""
        return int(self.words[Field.GENERATION])

    @property
    def state(self) -> int:
        """The value of the worker's state (`canter.worker.states.WorkerState`)."""
        return int(self.words[Field.STATE])

    @property
    def started_ns(self) -> int:
        """When the worker was started."""
        return int(self.words[Field.STARTED_NS])

    @property
    def heartbeat_ns(self) -> int:
        """When the worker's loop last came round; 0 before it runs."""
        return int(self.words[Field.HEARTBEAT_NS])

    @property
    def connections(self) -> int:
        """Open client connections."""
        return int(self.words[Field.CONNECTIONS])

    @property
    def queued(self) -> int:
        """Complete requests that wait for an application thread."""
        return int(self.words[Field.QUEUED])

    @property
    def requests(self) -> int:
        """Requests answered since the worker started."""
        return int(self.words[Field.REQUESTS])

    def busy_ns(self, now_ns: int) -> int:
        """The time that its threads have spent in calls so far, those that go on included."""
        going_on = sum(max(now_ns - request.started_ns, 0) for request in self.running())
        return int(self.words[Field.BUSY_NS]) + going_on

    @property
    def is_ready(self) -> bool:
        """Whether load balancers should send requests here: the service stays, and serves."""
        return bool(self.words[Field.READY]) and not self._service[0]


class Scoreboard:
    """The map itself: `workers` slots (the caller adds room for surges) of `threads` threads each.

    Raises OSError when the memory cannot be had.
    """

    def __init__(self, workers: int, threads: int) -> None:
        slot_bytes = (_FIXED_WORDS + threads * _THREAD_WORDS) * _WORD_BYTES
        # Anonymous and shared: children inherit it, and pages that nobody touches cost nothing.
        service_bytes = _SERVICE_WORDS * _WORD_BYTES
        self._map = mmap.mmap(-1, service_bytes + workers * slot_bytes)
        self._service = _words(self._map, 0, _SERVICE_WORDS)
        self._slots = tuple(
            WorkerSlot(index, self._map, service_bytes + index * slot_bytes, threads, self._service)
            for index in range(workers)
        )

    def note_leaving(self) -> None:
        """The service is going to end: from now on no worker is ready, new ones included."""
        self._service[0] = 1

    def slot(self, index: int) -> WorkerSlot:
        """The slot numbered `index`, counted from 0."""
        return self._slots[index]

    def slots(self) -> Iterator[WorkerSlot]:
        """All slots, used or free."""
        return iter(self._slots)

    def __len__(self) -> int:
        return len(self._slots)


def _words(board: mmap.mmap, first_byte: int, count: int) -> memoryview:
    return memoryview(board)[first_byte : first_byte + count * _WORD_BYTES].cast("Q")
