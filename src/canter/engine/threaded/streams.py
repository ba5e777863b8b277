"""Many streams on one connection: each is a request like any other (HTTP/2).

A `Multiplexer` owns what the streams of one connection share: the protocol's state, the windows,
the order of frames. A `Stream` is what the crew gets and gives back: a connection of one request,
whose hub is the multiplexer. So scheduling, spooling, the application's call and the books are the
same as for HTTP/1, and several streams of a connection run on several threads at once.

Who does what: the leader reads, through `attend`; whoever has something to send makes frames and
writes them, under `lock`. `lock` is taken before a backlog's and before the loop's, never after.
Only the leader closes the connection: others note it in `fate` and wake the leader.

Imported only where HTTP/2 is on.
"""

from __future__ import annotations

from typing import Any

from canter.engine.clock import now_ns
from canter.engine.deadlines import Wait
from canter.engine.phases import Phase
from canter.engine.poller import FAILED, HANGUP, PEER_ENDED, READABLE
from canter.engine.session import Step
from canter.engine.threaded.connection import READ_BYTES, After, Connection
from canter.engine.threaded.outflow import Fate, Outflow
from canter.engine.threaded.stream import Stream
from canter.protocol.faults import Fault, RequestTimeout
from canter.protocol.http1.reader import Reader
from canter.protocol.http2.connection import News, What
from canter.protocol.http2.errors import ConnectionFailed, Error
from canter.protocol.http2.heads import HeadJudge
from canter.protocol.http2.limits import Http2Limits
from canter.protocol.http2.streams import StreamReader
from canter.wsgi.exchange import ClientGone

_READS_A_TURN = 4
_ENDS = PEER_ENDED | FAILED | HANGUP
_NEWS = READABLE | _ENDS
# Plain numbers and names of a module's own are quicker than an enum's members.
_BODY = int(Phase.BODY)
_READY = int(Phase.READY)
_RUNNING = int(Phase.RUNNING)
_SENDING = int(Phase.SENDING)
_CLOSED = int(Phase.CLOSED)
_READY_STEP = Step.READY
_IDLE_AFTER_NOTICE_NS = 1_000_000_000


class Multiplexer(Outflow):
    """The streams of one connection.

    As a hub it never drains: streams say nothing about the connection, GOAWAY does.
    """

    __slots__ = ("_drains", "_final_notice_ns", "_fresh", "_judge", "_streams")

    def __init__(self, connection: Connection, hub: Any, limits: Http2Limits) -> None:
        super().__init__(connection, hub, limits)
        self._streams: dict[int, Stream] = {}
        # Complete requests, until the lock is let go: a responder that answers one sends.
        self._fresh: list[Stream] = []
        self._drains = False
        self._final_notice_ns = 0
        self._judge: HeadJudge | None = None

    # -- as a hub -----------------------------------------------------------------------------

    def date_line_now(self) -> bytes:
        """The Date line of now."""
        line: bytes = self._hub.date_line
        return line

    def watch(self, fd: int) -> None:
        """The connection itself is watched."""

    def note_fault(self, connection: Connection, kind: str, detail: str) -> None:
        """Tell the log."""
        self._hub.note_fault(connection, kind, detail)

    def answered(self, stream: Connection, after: After) -> None:
        """The application is done with a stream; by the thread that ran it."""
        assert isinstance(stream, Stream)
        with self.lock:
            stream.after = after
            stream.returned = True
            if not stream.gone and not stream.done:
                unsaid = stream.stream_reader.head is None and not stream.headed
                if not stream.whole and (after is After.CLOSE or unsaid):
                    # The response was cut: the client must not take it for whole.
                    self.give_up(stream, Error.INTERNAL_ERROR)
                else:
                    stream.whole = True
                    self.want_to_send(stream)
            self.unanswered -= 1
            if self._gathers and not self.unanswered:
                self._emit()
            if not stream.done and not stream.gone:
                stream.move(_SENDING)
                with self._hub.lock:
                    self._hub.deadlines.begin(stream, Wait.SEND, now_ns())
                return
            self._finish(stream)
        self._tell()

    def shed(self, stream: Connection, why: str) -> None:
        """A stream has waited too long for a thread; by the one that has taken it."""
        self._hub.shed(stream, why)

    def abandon(self, stream: Connection, error: BaseException) -> None:
        """Something failed that must not: the stream is to be ended."""
        assert isinstance(stream, Stream)
        books = self._hub.books()
        books.failed(error)
        with self.lock:
            stream.returned = True
            self.unanswered -= 1
            self.give_up(stream, Error.INTERNAL_ERROR)
            self._finish(stream)
        self._tell()

    # -- reading, by the leader -----------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Take bytes that were read."""
        with self.lock:
            self._take(data)

    def take_over(self) -> None:
        """From here on the connection is ours; by the leader."""
        connection = self.connection
        connection.move(Phase.SHARED)
        connection.watch()
        with self.lock:
            if not self._streams:
                self._begin_wait(Wait.HEADER)
            else:
                self._end_wait()
        if connection.events:
            self._hub.look_again(connection)
        if self._hub.draining:
            self.drain()
        self._settle()

    def attend(self, bits: int) -> None:
        """The poller has news of the connection; by the leader."""
        if self.fate is Fate.GOES_ON:
            with self.lock:
                self._flush()
                if bits & _NEWS:
                    self._read(bool(bits & _ENDS))
                self._pump()
                self._emit()
        self._settle()

    def _read(self, ended: bool) -> None:
        connection = self.connection
        for _ in range(_READS_A_TURN):
            try:
                data = connection.read()
            except OSError:
                self.fate = Fate.LOST
                return
            if data is None:
                return
            if not data:
                connection.input_ended = True
                if not self._streams:
                    self.fate = Fate.ENDING
                return
            self._hub.bytes_in += len(data)
            self._take(data)
            if connection.events & PEER_ENDED:
                ended = True  # TLS has told that the end is behind these bytes
            if self.fate is not Fate.GOES_ON or (len(data) < READ_BYTES and not ended):
                return
        connection.events |= READABLE | (PEER_ENDED if ended else 0)
        self._hub.look_again(connection)

    def _take(self, data: bytes) -> None:
        """What these bytes mean; with the lock held."""
        if self.fate is not Fate.GOES_ON:
            return
        try:
            for news in self.http2.receive(data):
                self._react(news)
        except ConnectionFailed as failure:
            self._hub.note_fault(self.connection, "HTTP/2 failed", failure.detail)
            for stream in list(self._streams.values()):
                self._drop(stream)
            self._emit()  # it ends with the reason
            if self.fate is Fate.GOES_ON:
                self.fate = Fate.ENDING
            return
        self._pump()
        self._emit()

    def _react(self, news: News) -> None:
        if news.what is What.OPENED:
            self._open(news)
            return
        stream = self._streams.get(news.stream)
        if stream is None or stream.gone:
            return
        if news.what is What.RESET:
            self._drop(stream)
            return
        try:
            self._bring(stream, news)
        except Fault as fault:
            stream.fault = fault
            if stream.phase == _BODY:
                self._refuse(stream, fault)
                return
        if stream.phase == _RUNNING:
            self.tell_change()  # the application reads while it comes
        elif stream.phase == _BODY:
            self._go_on(stream, stream.resume())

    def _bring(self, stream: Stream, news: News) -> None:
        """Give a stream what came for it. Raises BadTrailer."""
        reader = stream.stream_reader
        if news.what is What.DATA:
            # What the application reads opens the window when it is read; all else at once.
            streams = stream.phase == _READY or stream.phase == _RUNNING
            self.open_window(stream, news.size - len(news.data) if streams else news.size)
            if streams or stream.phase == _BODY:  # else it was answered, and nobody wants more
                reader.feed(news.data)
        elif news.what is What.TRAILERS:
            reader.take_trailers(news.fields)
        else:
            reader.end()

    def _open(self, news: News) -> None:
        too_many = len(self._streams) >= self.limits.max_concurrent_streams
        if too_many or self._is_late():
            # Not looked at: the client may send it again, elsewhere or later (RFC 9113 8.7).
            self.http2.reset(news.stream, Error.REFUSED_STREAM)
            return
        judge = self._judge
        if judge is None:
            judge = self._make_judge()
        reader = StreamReader(judge, self.config.limits, news.fields)
        reader.ended = news.ended
        stream = Stream(self, news.stream, reader)
        if not self._streams:
            self._end_wait()
        self._streams[news.stream] = stream
        self._go_on(stream, stream.resume())

    def _make_judge(self) -> HeadJudge:
        """Who judges heads; by now it is known who the peer is, also where a proxy has said it."""
        config = self.config
        trusted = config.trust.trusts(self.connection.peer_host or None)
        reader = Reader(config.limits, config.leniency, trust=config.trust, trusted=trusted)
        judge = self._judge = HeadJudge(reader, config.limits)
        return judge

    def _go_on(self, stream: Stream, step: Step) -> None:
        """A stream's session wants something."""
        if step is Step.CONTINUE:
            request = stream.request
            if request is not None and request.expect_continue:
                request.expect_continue = False
                self.send_interim(stream, 100, [])
            step = stream.resume()
        hub = self._hub
        if step is _READY_STEP:
            stream.move(_READY)
            stream.ready_ns = now_ns()
            if stream.waits >= 0:
                with hub.lock:
                    hub.deadlines.end(stream)
            self._fresh.append(stream)
        elif step is Step.REFUSED:
            assert stream.fault is not None
            self._refuse(stream, stream.fault)
        else:
            if stream.phase != _BODY:
                stream.move(_BODY)
            with hub.lock:
                if stream.waits == Wait.BODY:
                    hub.deadlines.restart(stream, now_ns())
                else:
                    hub.deadlines.begin(stream, Wait.BODY, now_ns())

    def _refuse(self, stream: Stream, fault: Fault) -> None:
        """Answer a request that cannot be served; the connection goes on."""
        request = stream.request
        head_only = request is not None and request.method == "HEAD"
        self._hub.books().refused(stream, fault)
        stream.drop_body()
        text = stream.reader.refusal(fault, self.date_line_now(), head_only=head_only)
        if text:
            stream.out.append(memoryview(text))
            stream.out_bytes += len(text)
        stream.whole = stream.returned = True
        stream.move(_SENDING)
        with self._hub.lock:
            self._hub.deadlines.begin(stream, Wait.SEND, now_ns())
        self.want_to_send(stream)

    # -- ending, with the lock held -------------------------------------------------------------

    def _conclude(self, stream: Stream) -> None:
        """All of a response is in frames."""
        self.http2.answered()
        if not stream.stream_reader.ended:
            # The rest of the request is not wanted (RFC 9113 8.1).
            self.http2.reset(stream.number, Error.NO_ERROR)
        if stream.returned and stream.phase == _SENDING:
            self._finish(stream)

    def _drop(self, stream: Stream) -> None:
        """The client has given a stream up, or can be told nothing more."""
        stream.gone = True
        stream.drop_output()
        self._senders.pop(stream.number, None)
        self.tell_change()
        if stream.phase == _READY:
            try:
                self._hub.ready.remove(stream)
            except ValueError:
                return  # a thread has taken it, or will find it fresh, and will give it back
            self.unanswered -= 1
        elif stream.phase == _RUNNING:
            return
        self._finish(stream)

    def _finish(self, stream: Stream, timed_out: bool = False) -> None:
        """Nothing more happens to a stream: its line in the log, and that was it."""
        if self._streams.pop(stream.number, None) is None:
            return
        books = self._hub.books()
        if stream.gone:
            books.lost(stream, timed_out=timed_out)
        else:
            books.sent(stream)
        stream.drop_output()
        if stream.waits >= 0:
            with self._hub.lock:
                self._hub.deadlines.end(stream)
        stream.stream_reader.writer = None  # they know each other
        stream.finish_request()
        stream.move(_CLOSED)
        self.connection.served += 1
        if not self._streams and self.fate is Fate.GOES_ON:
            self._rest()

    def _rest(self) -> None:
        """No stream is left."""
        if self.connection.input_ended or self.config.keep_alive_seconds <= 0:
            self._end()
        else:
            self._begin_wait(Wait.KEEP_ALIVE)

    def _begin_wait(self, wait: Wait) -> None:
        with self._hub.lock:
            self._hub.deadlines.begin(self.connection, wait, now_ns())

    def _end_wait(self) -> None:
        with self._hub.lock:
            self._hub.deadlines.end(self.connection)

    def _end(self, error: Error = Error.NO_ERROR) -> None:
        """Say the last word."""
        if self.fate is Fate.GOES_ON:
            self.http2.go_away(error)
            self._emit()
            if self.fate is Fate.GOES_ON:
                self.fate = Fate.ENDING

    def _is_late(self) -> bool:
        """Whether the client was told long ago that the end is near."""
        return self._drains and now_ns() >= self._final_notice_ns

    # -- without the lock -----------------------------------------------------------------------

    def drain(self) -> None:
        """The worker leaves: streams that run are finished; by the leader."""
        if self.connection.phase != Phase.SHARED:
            return  # it drains when it begins
        with self.lock:
            if self._drains or self.fate is not Fate.GOES_ON:
                return
            self._drains = True
            self._final_notice_ns = now_ns() + _IDLE_AFTER_NOTICE_NS
            self.http2.announce_end()
            self._emit()
        self._settle()

    def overdue(self, waiter: Connection, wait: Wait) -> None:
        """A stream, or the connection between streams, has waited too long; by the leader."""
        with self.lock:
            if isinstance(waiter, Stream):
                if wait is Wait.BODY and waiter.phase == _BODY:
                    self._refuse(waiter, RequestTimeout("the body came too slowly"))
                elif waiter.phase == _SENDING:
                    self._overdue_output(waiter)
            elif self.fate is Fate.GOES_ON:
                self._flush()
                self._read(False)
                if not self._streams:
                    self._end()
        self._settle()

    def _overdue_output(self, stream: Stream) -> None:
        if not self.http2.room(stream.number) or not self.connection.still_takes():
            self._reset(stream, Error.CANCEL)
            self._emit()
            self._finish(stream, True)
        else:
            with self._hub.lock:
                self._hub.deadlines.begin(stream, Wait.SEND, now_ns())

    def lost(self) -> None:
        """The connection is closed; by its owner."""
        with self.lock:
            self.fate = Fate.LOST
            for stream in list(self._streams.values()):
                self._drop(stream)

    def _tell(self) -> None:
        """Have the leader act on the connection's fate; from any thread."""
        if self.fate is not Fate.GOES_ON:
            self._hub.look_again(self.connection)
            self._hub.wake()

    def _offer(self) -> None:
        """Give requests that came to the responders, or else to the application; by the leader."""
        hub = self._hub
        while self._fresh:
            with self.lock:
                fresh: list[Stream] = []
                for stream in self._fresh:
                    if stream.gone:
                        self._finish(stream)
                    else:
                        fresh.append(stream)
                self._fresh = []
                self.unanswered += len(fresh)
            if not self.config.responders:
                hub.ready.extend(fresh)
                continue
            for stream in fresh:
                self.date_line = self.date_line_now()
                try:
                    after = hub.answering.ask(stream)
                except ClientGone:
                    after = After.LINGER
                if after is None:
                    hub.ready.append(stream)
                else:
                    self.answered(stream, after)

    def _settle(self) -> None:
        """Do what the lock was in the way of; by the leader."""
        if self._fresh:
            self._offer()
        connection = self.connection
        if connection.phase != Phase.SHARED:
            return
        if self.fate is Fate.LOST:
            self._hub.lose(connection)
        elif self.fate is Fate.ENDING:
            self._hub.answered(connection, After.LINGER)
