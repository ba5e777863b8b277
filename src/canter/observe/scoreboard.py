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
from canter.observe.records import (
    BEGAN,
    FACTS,
    LINE_BYTES,
    NOTED_WORDS,
    RECORD_WORDS,
    STATUS_SHIFT,
    TEXT,
    TOOK,
    WORD_BYTES,
    NotedRequests,
    PastRequest,
    read_record,
)

_WORD_BYTES = WORD_BYTES
_LINE_WORDS = 8
_SERVICE_WORDS = 16
# A slot's fields are four cache lines; the meter's words follow, the requests worth a second look,
# and the threads' sub-slots. Each begins a cache line, so that two writers never share one.
_FIELD_WORDS = 32
_NOTED_AT = _FIELD_WORDS + -(-METER_WORDS // _LINE_WORDS) * _LINE_WORDS
_FIXED_WORDS = _NOTED_AT + -(-NOTED_WORDS // _LINE_WORDS) * _LINE_WORDS
# A thread's requests, the last of them or the one that goes on, are a ring of records.
_RECORDS = 8
_THREAD_STARTED = 0
_THREAD_LATEST = 1
_FIRST_RECORD = _LINE_WORDS
THREAD_WORDS = _FIRST_RECORD + _RECORDS * RECORD_WORDS

# Plain numbers, which are C integers where this is compiled.
_LINE_BYTES = LINE_BYTES
_RECORD_WORDS = RECORD_WORDS
_THREAD_WORDS = THREAD_WORDS
_BEGAN = BEGAN
_TOOK = TOOK
_FACTS = FACTS
_TEXT = TEXT
_STATUS_SHIFT = STATUS_SHIFT


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
    CHECK = 26
    """What the application's own health check has come to, as `canter.worker.checkup` numbers it;
    written by the worker's main thread."""
    COLLECTED_NS = 27
    """When the engine looked for connections that siblings have moved here: the requests of those
    that had been sent by then run by now, or are counted as waiting."""
    LISTENING = 28
    """1 while new connections wake the engine."""


class RunningRequest(NamedTuple):
    """One application call that is going on, as a reader of the board sees it."""

    thread: int
    started_ns: int
    line: str


class UnfinishedRequest(NamedTuple):
    """A call that has begun and not ended; `waits`: for its client, so that its time stands."""

    thread: int
    began_ns: int
    waits: bool
    line: str


class ThreadSlot:
    """What one application thread runs, since when, and its requests before that.

    words: THREAD_WORDS machine words; text: the same memory as bytes.
    """

    __slots__ = ("_at", "_text", "_words")

    def __init__(self, words: memoryview, text: memoryview) -> None:
        self._words = words
        self._text = text
        self._at = _THREAD_WORDS - _RECORD_WORDS

    def begin(self, now_ns: int, line: bytes) -> None:
        """Note that a request starts; `line` ("GET /path") is cut to LINE_BYTES."""
        length = len(line)
        if length > _LINE_BYTES:
            length = _LINE_BYTES
        at = self._at + _RECORD_WORDS
        if at >= _THREAD_WORDS:
            at = _FIRST_RECORD
        self._at = at
        words = self._words
        copy_into(self._text, (at + _TEXT) * _WORD_BYTES, line, length)
        words[at + _FACTS] = length
        words[at + _TOOK] = 0
        words[at + _BEGAN] = now_ns
        words[_THREAD_LATEST] = at
        # The start time is written last: a reader that sees it sees the line that belongs to it.
        words[_THREAD_STARTED] = now_ns

    def restart(self, now_ns: int) -> None:
        """Note that the request's time begins anew."""
        self._words[_THREAD_STARTED] = now_ns

    def pause(self) -> None:
        """Note that the request's time stands still."""
        self._words[_THREAD_STARTED] = 0

    def end(self, now_ns: int, status: int) -> None:
        """Note that the request is over and the thread free; status 0: nothing was sent."""
        words = self._words
        at = self._at
        took_ns = now_ns - words[at + _BEGAN]
        words[at + _FACTS] |= status << _STATUS_SHIFT
        words[at + _TOOK] = took_ns if took_ns > 0 else 1
        words[_THREAD_STARTED] = 0

    def clear(self) -> None:
        """Forget everything."""
        if self._words[_THREAD_LATEST]:
            copy_into(
                self._text, 0, bytes(_THREAD_WORDS * _WORD_BYTES), _THREAD_WORDS * _WORD_BYTES
            )

    def is_busy(self) -> bool:
        """Whether a request goes on, also while it waits for its client."""
        at = self._words[_THREAD_LATEST]
        return at != 0 and self._words[at + _TOOK] == 0

    @property
    def started_ns(self) -> int:
        """When the running request started; 0 when the thread is free."""
        return int(self._words[_THREAD_STARTED])

    @property
    def line(self) -> str:
        """The request last begun, for people: bytes outside printable ASCII are escaped."""
        latest = self.latest
        return "" if latest is None else latest.line

    @property
    def latest(self) -> PastRequest | None:
        """The request last begun, over or not."""
        at = int(self._words[_THREAD_LATEST])
        return read_record(self._words, self._text, at) if at else None

    def past(self) -> list[PastRequest]:
        """The last requests that are over, in no order."""
        records = (
            read_record(self._words, self._text, at)
            for at in range(_FIRST_RECORD, _THREAD_WORDS, _RECORD_WORDS)
        )
        return [record for record in records if record is not None and record.took_ns]


class WorkerSlot:
    """One worker's part of the board, for `threads` application threads.

    noted: its last requests that failed or were slow.

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
        "noted",
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
        noted_at = first_byte + _NOTED_AT * _WORD_BYTES
        self.noted = NotedRequests(
            _words(board, noted_at, NOTED_WORDS), _bytes(board, noted_at, NOTED_WORDS)
        )
        # Made when first asked for: most slots are room for surges and never used.
        self._sub_slots: dict[int, ThreadSlot] = {}

    def thread(self, index: int) -> ThreadSlot:
        """The sub-slot of application thread `index`, counted from 0."""
        made = self._sub_slots.get(index)
        if made is None:
            if not 0 <= index < self.threads:
                raise IndexError(f"thread {index} of {self.threads}")
            first = self._first_byte + (_FIXED_WORDS + index * _THREAD_WORDS) * _WORD_BYTES
            made = ThreadSlot(
                _words(self._map, first, _THREAD_WORDS), _bytes(self._map, first, _THREAD_WORDS)
            )
            self._sub_slots[index] = made
        return made

    def clear(self) -> None:
        """Forget everything. Only while no process owns the slot."""
        for index in range(self.threads):
            self.thread(index).clear()
        _bytes(self._map, self._first_byte, _FIXED_WORDS)[:] = bytes(_FIXED_WORDS * _WORD_BYTES)

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

    def busy_threads(self) -> int:
        """How many application threads run a request at this moment."""
        return sum(self.thread(index).is_busy() for index in range(self.threads))

    def unfinished(self) -> list[UnfinishedRequest]:
        """The calls that have begun and not ended; of a worker that is gone: what it was doing."""
        found = []
        for index in range(self.threads):
            thread = self.thread(index)
            latest = thread.latest
            if latest is not None and not latest.took_ns:
                waits = not thread.started_ns
                found.append(UnfinishedRequest(index, latest.began_ns, waits, latest.line))
        return found

    def past(self) -> list[PastRequest]:
        """The last requests that are over, in the order in which they ended.

        Of a worker with N threads the last seven are all there, of those before some.
        """
        found = [record for index in range(self.threads) for record in self.thread(index).past()]
        return sorted(found, key=lambda it: it.began_ns + it.took_ns)

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
    return _bytes(board, first_byte, count).cast("Q")


def _bytes(board: mmap.mmap, first_byte: int, words: int) -> memoryview:
    return memoryview(board)[first_byte : first_byte + words * _WORD_BYTES]
