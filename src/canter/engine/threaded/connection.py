"""One client's socket: the session's bytes come from here, a response's bytes go here.

Who may call what follows from the phase (`canter.engine.phases`): in RUNNING the thread that runs
the request, else the leader. What both may touch, the backlog, has its own lock.
"""

from __future__ import annotations

import enum
import errno
import fcntl
import os
import select
import socket
import sys
import termios
from typing import Any, Protocol

from canter.engine.answers import FileRange
from canter.engine.clock import now_ns
from canter.engine.contract import EngineConfig
from canter.engine.deadlines import Wait
from canter.engine.latch import Latch
from canter.engine.phases import Phase
from canter.engine.plain_files import open_plain
from canter.engine.session import Session
from canter.engine.threaded.backlog import Backlog, FilePart
from canter.engine.threaded.member import Member
from canter.engine.wire import close_socket, receive, transmit, transmit_parts
from canter.protocol.faults import RequestTimeout
from canter.protocol.http1.writer import early_hints
from canter.protocol.proxy.reader import Reader as ProxyReader
from canter.protocol.reader import RequestReader
from canter.protocol.response import judge_response
from canter.protocol.writer import ResponseWriter
from canter.wsgi.exchange import ClientGone, ClientStalled, Exchange, Sink

READ_BYTES = 64 * 1024
# A body that is on its way is read in larger pieces.
_BODY_READ_BYTES = 256 * 1024
# So much of a file is sent by who has it to send; a small one is through then.
_FILE_BEGINNING_BYTES = 256 * 1024
_PROGRESS_EVERY_NS = 1_000_000_000
# Held while a descriptor becomes a socket object, and while it is closed: after that the number may
# be another connection's.
_descriptors = Latch()


class After(enum.Enum):
    """What follows when a response is sent whole."""

    NEXT = "next request"
    CLOSE = "close"
    LINGER = "close our side, drain the client's"


_NEXT = After.NEXT


class Hub:
    """What a connection needs of the loop; the loop is one.

    date_line: the Date line of now. draining: connections end with what they are doing. bytes_in:
    bytes read from clients.
    """

    __slots__ = ("bytes_in", "date_line", "draining")

    def __init__(self) -> None:
        self.date_line = b""
        self.draining = False
        self.bytes_in = 0

    def watch(self, fd: int) -> None:
        """Have the poller report the connection's events, those of the past included."""
        raise NotImplementedError

    def watch_room(self, fd: int) -> None:
        """Have the poller report when a watched connection takes more, from now on."""

    def note_fault(self, connection: Connection, kind: str, detail: str) -> None:
        """Tell the log of something a client did that gets no answer."""

    def answered(self, connection: Connection, after: After) -> None:
        """The application is done with the connection's request."""
        raise NotImplementedError

    def shed(self, connection: Connection, why: str) -> None:
        """The connection's request has waited too long for a thread: answer it 503."""

    def abandon(self, connection: Connection, error: BaseException) -> None:
        """Something failed that must not: the connection is to be closed."""
        raise NotImplementedError


class EarlyHints:
    """environ["wsgi.early_hints"]; made for each request, and cheaper than a bound method."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self, fields: list[tuple[str, str]]) -> None:
        """See `Connection.early_hints`."""
        self._connection.early_hints(fields)


class Disconnected:
    """environ["canter.client_disconnected"]; as `EarlyHints`."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __call__(self) -> bool:
        """See `Connection.client_disconnected`."""
        return self._connection.client_disconnected()


class Taken(Protocol):
    """The application's hold on a connection that it has taken over."""

    def give_back(self) -> After:
        """The application's call is over: how the connection goes on."""

    def end(self) -> None:
        """The connection is about to be closed."""


class Shared(Protocol):
    """The streams of one connection (`canter.engine.threaded.streams`)."""

    def take_over(self) -> None:
        """From here on the connection carries streams."""

    def attend(self, bits: int) -> None:
        """The poller has news of the connection."""

    def overdue(self, waiter: Connection, wait: Wait) -> None:
        """A stream, or the connection between streams, has waited too long."""

    def drain(self) -> None:
        """The worker leaves: finish the streams that run, and the connection with them."""

    def lost(self) -> None:
        """The connection is closed."""


class Connection(Session):
    """One accepted connection.

    fd: the socket's descriptor, -1 once it is closed; the connection's own. sock: what stands in
    the socket's place; without it the socket itself, made when it is first asked for: most
    connections never need more than the descriptor. peer_host, peer_port: of the client, empty
    for a unix socket. listener: the number of the socket it came through.
    preface: the PROXY header that came first; origin: the peer that sent it, as the peer_* are then
    those of whom it speaks for.
    events: poller bits that still have to be looked at. input_ended: the client will send nothing
    more. after: what follows when everything is sent. exchange: the application call that goes on;
    member: the thread it runs in. began_ns: when the request's first byte was read; ready_ns: when
    it was complete; first_ns: when the first block of a streaming answer was sent, else 0;
    ended_ns: when the application's call ended, 0 once the answer was sent. raw: all bytes of a
    request that is whole and came in one piece.
    unlogged: the access entry of a response that is still being sent.
    in_kernel_bytes: what the client had not taken when `still_takes` was asked last, -1 before.
    gathers: pieces may be sent together as they are. hub: what the connection needs of the loop.
    adopted_ns: the round it came in. waits, waits_since_ns, earlier, later: its place among the
    deadlines. shared: its streams, where it has some. taken: the application's hold on it, once it
    has taken it over.
    """

    __slots__ = (
        "_heeds_room",
        "_sock",
        "adopted_ns",
        "after",
        "backlog",
        "began_ns",
        "earlier",
        "ended_ns",
        "events",
        "exchange",
        "fd",
        "first_ns",
        "gathers",
        "hub",
        "in_kernel_bytes",
        "input_ended",
        "later",
        "listener",
        "member",
        "origin",
        "peer_host",
        "peer_port",
        "preface",
        "raw",
        "ready_ns",
        "shared",
        "taken",
        "unlogged",
        "waits",
        "waits_since_ns",
        "watched",
    )

    def __init__(
        self,
        fd: int,
        reader: RequestReader,
        base: dict[str, Any],
        config: EngineConfig,
        hub: Hub,
        sock: socket.socket | None = None,
    ) -> None:
        super().__init__(reader, base, config)
        self.fd = fd
        self._sock = sock
        self._heeds_room = False
        self.gathers = True
        self.hub = hub
        self.after = _NEXT
        self.adopted_ns = 0
        self.watched = False
        self.peer_host = ""
        self.peer_port = ""
        self.listener = 0
        self.origin: tuple[str, str] | None = None
        self.preface = b""
        self.raw: bytes | None = None
        self.events = 0
        self.exchange: Exchange | None = None
        self.member: Member | None = None
        self.in_kernel_bytes = -1
        self.input_ended = False
        self.backlog: Backlog | None = None
        self.began_ns = 0
        self.ready_ns = 0
        self.first_ns = 0
        self.ended_ns = 0
        self.unlogged: Any = None
        self.shared: Shared | None = None
        self.taken: Taken | None = None
        self.waits = -1
        self.waits_since_ns = 0
        self.earlier: Any = None
        self.later: Any = None

    def introduce(self, reader: RequestReader) -> None:
        """A proxy has said whom it speaks for, or that it speaks for itself."""
        if not isinstance(reader, ProxyReader) or not reader.header:
            return
        told = reader.introduction
        self.preface = reader.header
        self.origin = (self.peer_host, self.peer_port)
        base = self.base | told.environ
        if told.source is not None:
            self.peer_host, self.peer_port = told.source
        if told.scheme:
            base["wsgi.url_scheme"] = told.scheme
        self.base = base

    # -- the socket ---------------------------------------------------------------------------

    @property
    def sock(self) -> socket.socket:
        """The socket, or what stands in its place; from any thread. Raises OSError once closed."""
        with _descriptors:
            sock = self._sock
            if sock is None:
                if self.fd < 0:
                    raise OSError(errno.EBADF, os.strerror(errno.EBADF))
                sock = socket.socket(fileno=self.fd)
                sock.setblocking(False)  # whatever time-out the application wants of new ones
                self._sock = sock
        return sock

    def close(self) -> None:
        """Close the socket; by the owner."""
        with _descriptors:
            fd, self.fd = self.fd, -1
            sock = self._sock
            if sock is None and fd >= 0:
                close_socket(fd)
        if sock is not None:
            sock.close()

    # -- reading ------------------------------------------------------------------------------

    def read(self) -> bytes | None:
        """What has arrived, b"" at the end, None when there is nothing now. Raises OSError.

        Nothing more is there where it is less than READ_BYTES.
        """
        return receive(self.fd, READ_BYTES if self.request is None else _BODY_READ_BYTES)

    def pull(self) -> bytes:
        """The next piece of a streamed body, waiting for it (`--request-body stream`).

        Raises Fault when the body is malformed, too slow or cut short.
        """
        reader = self.reader
        request = self.request
        if request is not None and request.expect_continue and not reader.body_received:
            request.expect_continue = False
            exchange = self.exchange
            if not reader.buffered and exchange is not None and exchange.may_hint():
                self.send(reader.interim())
        while True:
            data = reader.read_body(READ_BYTES)
            if data or reader.body_complete:
                return data
            if reader.owes:
                self.send(reader.interim())
                continue
            received = self.read()
            if received is None:
                self._wait_readable()
            elif received:
                self.hub.bytes_in += len(received)
                reader.feed(received)
            else:
                self.input_ended = True
                raise reader.truncated() or ClientGone("the client left")

    def _wait_readable(self) -> None:
        waiting = select.poll()
        waiting.register(self.fd, select.POLLIN)
        seconds = self.config.body_timeout_seconds
        member = self.member
        if member is not None:
            member.wait_for_client()
        try:
            if not waiting.poll(seconds * 1000 if seconds > 0 else None):
                raise RequestTimeout("the body came too slowly")
        finally:
            if member is not None:
                member.go_on(now_ns())

    def client_disconnected(self) -> bool:
        """environ["canter.client_disconnected"]: whether the client is known to be gone.

        A client that has only closed its sending side and still waits for its answer counts as
        gone: the two cannot be told apart without sending.
        """
        if self.phase == Phase.CLOSED or self.input_ended:
            return True
        backlog = self.backlog
        if backlog is not None and backlog.broken:
            return True
        try:
            return self.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def early_hints(self, fields: list[tuple[str, str]]) -> None:
        """environ["wsgi.early_hints"]: send a 103 with these (name, value) pairs (RFC 8297).

        Does nothing for an HTTP/1.0 client, nor once the response has begun. Raises
        InvalidResponse for fields that cannot be sent.
        """
        judged = judge_response("200 OK", fields)
        exchange = self.exchange
        if exchange is not None and exchange.may_hint():
            # RFC 9110 8.6: no Content-Length in an interim response.
            self.send(early_hints([f for f in judged.fields if f[0].lower() != "content-length"]))

    # -- for who takes it over: `canter.engine.threaded.takeover` --------------------------------

    def client_socket(self) -> socket.socket:
        """The socket itself."""
        return self.sock

    def has_plain_bytes(self) -> bool:
        """Whether what is sent and received is what the socket carries."""
        return True

    def draw(self) -> bytes | None:
        """As `read`, and nothing else happens. Raises OSError."""
        return receive(self.fd, READ_BYTES)

    def flush_all(self) -> None:
        """Send what waits, an interim response for one. Raises BlockingIOError if that takes time.

        From here on the loop sends nothing.
        """
        backlog = self.backlog
        if backlog is not None:
            with backlog.lock:
                backlog.flush(self.sock)
                if backlog:
                    raise BlockingIOError("what was sent before is still on its way")
            self.backlog = None

    # -- writing: `canter.wsgi.exchange.Sink` -------------------------------------------------

    def date_line(self) -> bytes:
        """The Date line of now."""
        return self.hub.date_line

    def settle(self, writer: ResponseWriter) -> None:
        """Before the head of a response to a streamed request: say if the connection must end.

        It must when more of the body is to come than is at hand: it may never be read, and a server
        that is going to close has to say so (RFC 9112 9.6).
        """
        reader = self.reader
        request = self.request
        if request is None or reader.body_complete:
            return
        left = request.body_length - reader.body_received
        if request.body_length < 0 or left > reader.buffered:
            writer.keep_alive = False

    def send(self, data: bytes) -> None:
        """Send, or keep for the loop to send; never waits. Raises ClientGone."""
        backlog = self.backlog
        if backlog is None:
            try:
                count = transmit(self.fd, data)
            except OSError as error:
                raise ClientGone(str(error), len(data)) from error
            if count == len(data):
                return
            backlog = self._begin_backlog()
            rest = memoryview(data)[count:]
        else:
            rest = memoryview(data)
        with backlog.lock:
            if backlog.broken:
                raise ClientGone("the client left", len(data))
            backlog.append(rest)
            # Until the socket refuses: only then does the poller tell when it takes more again.
            backlog.flush(self.sock)

    def send_block(self, before: bytes, block: bytes, behind: bytes, streams: bool) -> None:
        """As `stream`, or else as `send`: a block with what stands before it and behind it."""
        if not self.gathers or self.backlog is not None:
            Sink.send_block(self, before, block, behind, streams)
            return
        try:
            count = transmit_parts(self.fd, before, block, behind)
        except OSError as error:
            raise ClientGone(str(error), len(block)) from error
        if count < len(before) + len(block) + len(behind):
            self._keep_rest((before, block, behind), count)
        if streams:
            self._keep_pace()

    def _keep_rest(self, parts: tuple[bytes, ...], count: int) -> None:
        """Leave with the loop what is behind the first `count` bytes of these."""
        backlog = self._begin_backlog()
        with backlog.lock:
            for part in parts:
                if count < len(part):
                    backlog.append(memoryview(part)[count:])
                count = max(count - len(part), 0)
            backlog.flush(self.sock)

    def _begin_backlog(self) -> Backlog:
        backlog = self.backlog = Backlog(self.config.high_water_bytes // 2)
        self.watch()
        if not self._heeds_room:
            # From now on the loop has to hear when the socket takes more.
            self._heeds_room = True
            self.hub.watch_room(self.fd)
        return backlog

    def watch(self) -> None:
        """Have the loop hear of this connection's events; once is enough."""
        if not self.watched:
            self.watched = True
            self.hub.watch(self.fd)

    def stream(self, data: bytes) -> None:
        """As `send`, but waits while the client is far behind. Raises ClientGone."""
        self.send(data)
        self._keep_pace()

    def _keep_pace(self) -> None:
        """A part of a response was sent: wait while the client is far behind. Raises ClientGone."""
        member = self.member
        if member is not None:
            moment_ns = now_ns()
            if moment_ns - member.started_ns > _PROGRESS_EVERY_NS:
                member.go_on(moment_ns)  # a response that flows is not stuck, however long it is
            if not self.first_ns:
                self.first_ns = moment_ns
        backlog = self.backlog
        if backlog is None or backlog.size <= self.config.high_water_bytes:
            return
        if member is not None:
            member.wait_for_client()
        try:
            self._wait_for_room(backlog)
        finally:
            if member is not None:
                member.go_on(now_ns())

    def _wait_for_room(self, backlog: Backlog) -> None:
        seconds = self.config.send_timeout_seconds
        self.still_takes()
        with backlog.lock:
            while backlog.size > self.config.high_water_bytes // 2:
                if not backlog.blocked:
                    backlog.flush(self.sock)
                    continue
                before = backlog.sent
                backlog.wait(seconds)
                if backlog.sent == before and not self._may_go_on(backlog):
                    backlog.give_up()
                    raise ClientStalled("the client takes nothing of the response")
            if backlog.broken:
                raise ClientGone("the client left")

    def _may_go_on(self, backlog: Backlog) -> bool:
        return backlog.broken or self.still_takes()

    def still_takes(self) -> bool:
        """Whether the client has taken something since this was asked last, by the kernel's count.

        The poller tells of room only when a good part of a large buffer is free: a client that
        takes little, but steadily, would look as if it took nothing. True the first time.
        """
        before = self.in_kernel_bytes
        try:
            count = fcntl.ioctl(self.fd, termios.TIOCOUTQ, b"\0" * 4)
        except OSError:
            return False
        self.in_kernel_bytes = int.from_bytes(count, sys.byteorder)
        return before < 0 or self.in_kernel_bytes < before

    def open_file(self, filelike: Any) -> tuple[int, int, int] | None:
        """(descriptor, offset, size left) of a plain file the kernel can send, or None."""
        return open_plain(filelike) if self.config.sendfile else None

    def send_file(self, head: bytes, descriptor: int, offset: int, count: int) -> None:
        """Send head, then count bytes of the file, and close the descriptor; never waits."""
        self._send_part(head, FilePart(descriptor, offset, count))

    def _send_part(self, head: bytes, part: FilePart) -> None:
        backlog = self.backlog
        if backlog is None:
            backlog = self._begin_backlog()
        with backlog.lock:
            backlog.append(memoryview(head))
            if part.count:
                backlog.append_file(part)
            else:
                os.close(part.descriptor)
            if backlog.broken:
                backlog.give_up()
                raise ClientGone("the client left")
            # The rest is the loop's: no time of the application is spent on it.
            backlog.flush(self.sock, _FILE_BEGINNING_BYTES)

    def send_stretch(self, head: bytes, file: FileRange, writer: ResponseWriter) -> None:
        """As `send_file`, where `writer` may have to frame what is sent."""
        if not writer.chunked:
            writer.remaining -= file.count
            self.send_file(head, file.descriptor, file.offset, file.count)
            return
        # A format that wraps every block leaves nothing for the kernel to send by itself. They are
        # wrapped when their turn comes, behind all that the writer has counted.
        writer.remaining = -1
        part = FilePart(file.descriptor, file.offset, file.count, writer.data)
        self._send_part(head, part)

    def close_file(self, descriptor: int) -> None:
        """Give a descriptor back that was not sent."""
        os.close(descriptor)

    def shut(self) -> None:
        """Tell the client that nothing more comes."""
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.input_ended = True  # already gone: there is nothing to linger for

    def cut(self) -> None:
        """End both directions at once, from any thread; the owner notices and closes."""
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        backlog = self.backlog
        if backlog is not None:
            with backlog.lock:  # a producer that waits here has nobody else to wake it
                backlog.give_up()
