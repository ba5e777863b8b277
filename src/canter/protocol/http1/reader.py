"""The reading side of one HTTP/1 connection (RFC 9112): bytes in, requests and bodies out.

A reader joins what the other modules know: a scanner takes lines apart, `states` says what comes
next, and the judges (`request_line`, and `framing`, `fields`, `target`, `trust` one level up) are
asked only when the scanner's facts say that something is not ordinary. What is judged, and in which
order, is here and depends on the bytes alone, never on how they were cut into reads:

1. each line's grammar and length as soon as it is complete, in order;
2. the request line's method, version and target when that line is complete;
3. what the fields mean when all of them are there.

Not here: time (who is too slow is the engine's to say) and anything written to the peer.
Compiled where a compiler is at hand (`reader.pxd`); the same source either way.
"""

from __future__ import annotations

from typing import Any, NoReturn

from canter.protocol.faults import (
    BadChunk,
    BadField,
    BadFraming,
    BadHost,
    BadRequestLine,
    BadTrailer,
    BodyTooLarge,
    Fault,
    FieldsTooLarge,
    RepeatedField,
    RequestLineTooLong,
    TooManyFields,
    Truncated,
    quoted,
)
from canter.protocol.fields import (
    admit_underscored,
    explain_field,
    judge_host,
    judge_trailers,
)
from canter.protocol.framing import (
    connection_options,
    decide_expectation,
    decide_length,
    decide_persistence,
)
from canter.protocol.http1.request_line import explain_request_line, judge_method, judge_version
from canter.protocol.http1.scan import (
    COUNT_SHIFT,
    UNLIMITED,
    Fact,
    LineFact,
    Outcome,
    Scan,
)
from canter.protocol.http1.scanners import DEFAULT
from canter.protocol.http1.states import ILLEGAL, MOVES, WIDTH, Event, Phase
from canter.protocol.http1.straighten import straighten
from canter.protocol.limits import Leniency, Limits
from canter.protocol.request import Request
from canter.protocol.target import decode_path, mount, resolve_target
from canter.protocol.trust import TrustPolicy, apply_scheme

# RFC 9112 section 2.2: clients that end a body with one CRLF too many are forgiven, a few times.
_EMPTY_LINES_MAXIMUM = 4
# A chunk's first line: 16 digits and some extensions.
_CHUNK_LINE_BYTES = 1024
# Extensions are read and dropped; all those of one body may have this many bytes. A line without
# any is not counted, however long its size is written.
_EXTENSIONS_BYTES = 16384
_CHUNK_LINE_PLAIN_BYTES = 18

# Plain numbers (C ints where compiled): members of enums are slow to compare and combine.
_DONE = int(Outcome.DONE)
_MORE = int(Outcome.MORE)
_MALFORMED = int(Outcome.MALFORMED)
_TOO_MANY = int(Outcome.TOO_MANY)
_EMPTY = int(Outcome.EMPTY)
_LINE = int(Phase.LINE)
_FIELDS = int(Phase.FIELDS)
_BODY = int(Phase.BODY)
_CHUNK_SIZE = int(Phase.CHUNK_SIZE)
_CHUNK_DATA = int(Phase.CHUNK_DATA)
_CHUNK_END = int(Phase.CHUNK_END)
_TRAILERS = int(Phase.TRAILERS)
_FAILED = int(Phase.FAILED)
_HANDED_OVER = int(Phase.HANDED_OVER)
_LINE_READ = int(Event.LINE_READ)
_HEAD_WITHOUT_BODY = int(Event.HEAD_WITHOUT_BODY)
_HEAD_WITH_LENGTH = int(Event.HEAD_WITH_LENGTH)
_HEAD_WITH_CHUNKS = int(Event.HEAD_WITH_CHUNKS)
_BODY_READ = int(Event.BODY_READ)
_CHUNK_OPENED = int(Event.CHUNK_OPENED)
_CHUNK_READ = int(Event.CHUNK_READ)
_CHUNK_CLOSED = int(Event.CHUNK_CLOSED)
_LAST_CHUNK = int(Event.LAST_CHUNK)
_TRAILERS_READ = int(Event.TRAILERS_READ)
_FAULT = int(Event.FAULT)
_HAND_OVER = int(Event.HAND_OVER)
_HTTP_10 = int(LineFact.HTTP_10)
_ODD_VERSION = int(LineFact.ODD_VERSION)
_ODD_METHOD = int(LineFact.ODD_METHOD)
_ODD_TARGET = int(LineFact.ODD_TARGET)
_PERCENT = int(LineFact.PERCENT)
_HOST = int(Fact.HOST)
_CONTENT_LENGTH = int(Fact.CONTENT_LENGTH)
_TRANSFER_ENCODING = int(Fact.TRANSFER_ENCODING)
_CONNECTION = int(Fact.CONNECTION)
_EXPECT = int(Fact.EXPECT)
_UPGRADE = int(Fact.UPGRADE)
_ASIDE = int(Fact.ASIDE)
_FORWARDED = int(Fact.FORWARDED)
_FORWARDED_AGAIN = int(Fact.FORWARDED_AGAIN)
_HOST_AGAIN = int(Fact.HOST_AGAIN)
_CONTENT_LENGTH_AGAIN = int(Fact.CONTENT_LENGTH_AGAIN)
_CONTENT_TYPE_AGAIN = int(Fact.CONTENT_TYPE_AGAIN)
_FRAMED = _CONTENT_LENGTH | _TRANSFER_ENCODING
_SINGLE_AGAIN = _HOST_AGAIN | _CONTENT_LENGTH_AGAIN | _CONTENT_TYPE_AGAIN
# What there is to judge about apart from Host.
_JUDGED = _FRAMED | _CONNECTION | _EXPECT | _UPGRADE | _ASIDE | _FORWARDED | _SINGLE_AGAIN
_COUNT_SHIFT = COUNT_SHIFT
_MOVES = MOVES
_WIDTH = WIDTH
_ILLEGAL = ILLEGAL
_UNLIMITED = UNLIMITED


class Reader:
    """Reads requests from the bytes of one connection, one after the other.

    Feed what was received; ask `next_request` until it gives a request; read its body with
    `read_body` until `body_complete`; then ask for the next. A reader raises nothing but `Fault`
    for whatever a peer sends, and after a fault raises the same one again.

    trust: how forwarding fields are treated; without it none is believed. trusted: whether this
    connection's peer is one that `trust` believes.

    Invariant: the buffer begins with the first byte that is not consumed; complete lines are
    consumed at once, so that none is looked at twice.
    """

    __slots__ = (
        "_always_forwarded",
        "_aside",
        "_authority",
        "_block_left",
        "_count_limit",
        "_data",
        "_empty_lines",
        "_environ",
        "_extensions",
        "_facts",
        "_fault",
        "_field_size",
        "_host",
        "_http_10",
        "_leniency",
        "_limits",
        "_line_limit",
        "_phase",
        "_pos",
        "_remaining",
        "_scan",
        "_straightens",
        "_trust",
        "body_received",
        "request_line",
    )

    def __init__(
        self,
        limits: Limits,
        leniency: Leniency,
        scan: Scan = DEFAULT,
        *,
        trust: TrustPolicy | None = None,
        trusted: bool = False,
    ) -> None:
        self._limits = limits
        self._leniency = leniency
        self._line_limit = limits.request_line or _UNLIMITED
        self._field_size = limits.field_size or _UNLIMITED
        self._count_limit = limits.fields or _UNLIMITED
        self._straightens = leniency.permit_obsolete_folding or leniency.strip_header_spaces
        self._scan = scan
        # From here on a policy is there only for a peer that it trusts.
        self._trust = trust if trusted else None
        self._always_forwarded = self._trust is not None and self._trust.has_unusual_names
        self._data = b""
        self._pos = 0
        self._phase = _LINE
        self._environ: dict[str, Any] | None = None
        self._aside: list[tuple[str, str]] = []
        self._facts = 0
        self._block_left = 0
        self._empty_lines = 0
        self._http_10 = False
        self._authority: str | None = None
        self._host: str | None = None
        self._remaining = 0
        self._extensions = 0
        self._fault: Fault | None = None
        self.body_received = 0
        #: The request line read last, as sent and without its end; for logs, also of a refused one.
        self.request_line = b""

    # What the engine asks about

    @property
    def buffered(self) -> int:
        """Bytes that were fed and not consumed."""
        return len(self._data) - self._pos

    @property
    def head_started(self) -> bool:
        """Whether part of a next request's head has come, as against an idle connection."""
        return self._phase == _FIELDS or (self._phase == _LINE and self._pos < len(self._data))

    @property
    def body_complete(self) -> bool:
        """Whether the last request has no more body to read; so also right after a bodyless one."""
        return self._phase <= _FIELDS

    @property
    def phase(self) -> Phase:
        """What the next unread byte belongs to."""
        return Phase(self._phase)

    def truncated(self) -> Fault | None:
        """What it means when the peer's side ends now: None between requests, else the fault."""
        phase = self._phase
        if phase == _FAILED:
            return self._fault
        if phase == _HANDED_OVER or (phase == _LINE and self._pos == len(self._data)):
            return None
        if phase <= _FIELDS:
            return Truncated("the connection ended within a request's head")
        return Truncated("the connection ended within a request's body")

    # Bytes in

    def feed(self, data: bytes) -> None:
        """Take what was received; copies only if bytes of an earlier feed are still unread."""
        if self._pos >= len(self._data):
            self._data = data
        else:
            self._data = self._data[self._pos :] + data
        self._pos = 0

    def take_rest(self) -> bytes:
        """Hand over the bytes that nobody has read; this reader reads no more of the connection."""
        rest = self._data[self._pos :]
        self._data = b""
        self._pos = 0
        self._environ = None
        self._move(_HAND_OVER)
        return rest

    # Requests out

    def next_request(self, base: dict[str, Any]) -> Request | None:
        """The next request, or None when its head is not complete yet.

        base: what every environ of this connection begins with, and nothing that a request brings;
        it is copied. Raises Fault; RuntimeError if the body of the request
        before was not read to its end.
        """
        phase = self._phase
        if phase != _FIELDS:
            if phase != _LINE:
                self._refuse_to_go_on()
            if self._pos == len(self._data) or not self._read_line(base):
                return None
        environ = self._environ
        assert environ is not None
        data = self._data
        if self._straightens:
            data = self._straightened()
        pos = self._pos
        outcome, behind, facts = self._scan.fields(
            data,
            pos,
            self._field_size,
            pos + self._block_left,
            self._count_limit,
            self._facts,
            environ,
            self._aside,
        )
        self._pos = behind
        self._block_left -= behind - pos
        self._facts = facts
        if outcome != _DONE:
            if outcome != _MORE:
                self._fail(self._fault_of_field(outcome, BadField))
            return None
        return self._conclude(environ, facts)

    def _read_line(self, base: dict[str, Any]) -> bool:
        """Read and judge the request line; False when it is not complete."""
        environ = base.copy()
        while True:
            pos = self._pos
            outcome, behind, facts = self._scan.request_line(
                self._data, pos, self._line_limit, environ
            )
            self._pos = behind
            if outcome == _DONE:
                self.request_line = self._data[pos : behind - 2]
                break
            if outcome == _MORE:
                return False
            if outcome != _EMPTY:
                if outcome == _MALFORMED:
                    line = self._line_at(pos)
                    self.request_line = line.rstrip(b"\r\n")
                    self._fail(explain_request_line(line))
                self._fail(
                    RequestLineTooLong(f"a request line over {self._limits.request_line} bytes")
                )
            self._empty_lines += 1
            if self._empty_lines > _EMPTY_LINES_MAXIMUM:
                self._fail(BadRequestLine("empty lines before the request line"))
        self._empty_lines = 0
        self._http_10 = False
        self._authority = None
        if facts:
            self._judge_line(environ, facts)
        self._environ = environ
        self._facts = 0
        self._block_left = self._limits.header_block or _UNLIMITED
        self._move(_LINE_READ)
        return True

    def _judge_line(self, environ: dict[str, Any], facts: int) -> None:
        """Judge a request line that is not quite ordinary."""
        self._http_10 = bool(facts & _HTTP_10)
        if facts == _HTTP_10:
            return
        try:
            if facts & _ODD_METHOD:
                method = judge_method(environ["REQUEST_METHOD"], self._leniency)
                environ["REQUEST_METHOD"] = method
            if facts & _ODD_VERSION:
                version = judge_version(environ["SERVER_PROTOCOL"], self._leniency)
                environ["SERVER_PROTOCOL"] = version
                self._http_10 = version == "HTTP/1.0"
            if facts & _ODD_TARGET or environ["REQUEST_METHOD"] == "CONNECT":
                target = resolve_target(environ["REQUEST_METHOD"], environ["RAW_URI"])
                environ["PATH_INFO"] = decode_path(target.path)
                environ["QUERY_STRING"] = target.query
                self._authority = target.authority
            elif facts & _PERCENT:
                environ["PATH_INFO"] = decode_path(environ["PATH_INFO"])
        except Fault as fault:
            self._fail(fault)

    def _conclude(self, environ: dict[str, Any], facts: int) -> Request:
        """Make the request of a head whose last line was read, judging what there is to judge."""
        http_10 = self._http_10
        request = Request.__new__(Request)
        request.environ = environ
        request.method = environ["REQUEST_METHOD"]
        request.target = environ["RAW_URI"]
        request.http_10 = http_10
        request.keep_alive = not http_10
        request.body_length = 0
        request.expect_continue = False
        request.upgrade = False
        try:
            if facts & _JUDGED or self._always_forwarded:
                self._judge(request, facts)
            if facts & _HOST:
                host: str = environ["HTTP_HOST"]
                # The same peer names the same host again and again.
                if host != self._host:
                    judge_host(host)
                    self._host = host
            elif not http_10:
                raise BadHost("no Host")
            if self._authority is not None:
                # RFC 9112 section 3.2.2: the absolute form's authority stands, Host is ignored.
                environ["HTTP_HOST"] = self._authority
            if environ.setdefault("SCRIPT_NAME", ""):
                mount(environ)
        except Fault as fault:
            self._fail(fault)
        self._environ = None
        self.body_received = 0
        length = request.body_length
        if length == 0:
            self._move(_HEAD_WITHOUT_BODY)
            self._forget_consumed()
        elif length > 0:
            self._remaining = length
            self._move(_HEAD_WITH_LENGTH)
        else:
            # Trailers count towards the limits of the head's fields.
            self._facts = facts >> _COUNT_SHIFT << _COUNT_SHIFT
            self._extensions = 0
            self._move(_HEAD_WITH_CHUNKS)
        return request

    def _judge(self, request: Request, facts: int) -> None:
        """Judge the fields that say where the body ends and how the connection goes on."""
        environ = request.environ
        http_10 = request.http_10
        if facts & _SINGLE_AGAIN:
            if facts & _HOST_AGAIN:
                raise BadHost("two Host fields")
            if facts & _CONTENT_LENGTH_AGAIN:
                raise BadFraming("two Content-Length fields")
            raise RepeatedField("two Content-Type fields")
        if facts & _FRAMED:
            length = decide_length(
                environ.get("CONTENT_LENGTH"),
                environ.pop("HTTP_TRANSFER_ENCODING", None),
                http_10=http_10,
            )
            if facts & _CONTENT_LENGTH:
                # Leading zeros are read as octal by some.
                environ["CONTENT_LENGTH"] = str(length)
            maximum = self._limits.body
            if maximum and length > maximum:
                raise BodyTooLarge(f"a body of {length} bytes, over {maximum}")
            request.body_length = length
        if facts & _CONNECTION:
            connection = environ["HTTP_CONNECTION"]
            if connection != "keep-alive" or http_10:
                options = connection_options(connection)
                request.keep_alive = decide_persistence(options, http_10=http_10)
                # RFC 9110 section 7.8: an Upgrade of HTTP/1.0 is ignored.
                request.upgrade = bool(facts & _UPGRADE) and not http_10 and "upgrade" in options
        if facts & _EXPECT:
            request.expect_continue = decide_expectation(environ["HTTP_EXPECT"], http_10=http_10)
        trust = self._trust
        # Before names with underscores are let in, which could pass for a scheme field's.
        if trust is not None:
            apply_scheme(trust, environ, repeated=bool(facts & _FORWARDED_AGAIN))
        if facts & _ASIDE:
            aside, self._aside = self._aside, []
            forwarders = frozenset() if trust is None else trust.forwarders
            admit_underscored(environ, aside, self._leniency.header_map, forwarders)

    # Bodies out

    def read_body(self, maximum: int) -> bytes:
        """At most `maximum` bytes of the body; b"" when it is complete or more must be fed.

        Raises Fault: what was decoded before the place of the fault is handed out first.
        """
        phase = self._phase
        if phase == _BODY:
            return self._take(maximum)
        if phase <= _FIELDS:
            return b""
        if phase >= _FAILED:
            self._refuse_to_go_on()
        pieces: list[bytes] = []
        try:
            while self._phase >= _CHUNK_SIZE:
                if self._phase == _CHUNK_DATA:
                    piece = self._take(maximum)
                    if not piece:
                        break
                    pieces.append(piece)
                    maximum -= len(piece)
                elif not self._read_between():
                    break
        except Fault:
            if not pieces:
                raise
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _take(self, maximum: int) -> bytes:
        """Bytes of a body or a chunk that are there, at most `maximum`."""
        pos = self._pos
        data = self._data
        count = len(data) - pos
        if count > self._remaining:
            count = self._remaining
        if count > maximum:
            count = maximum
        if count <= 0:
            return b""
        self._pos = pos + count
        self._remaining -= count
        self.body_received += count
        if self._remaining == 0:
            self._move(_BODY_READ if self._phase == _BODY else _CHUNK_READ)
        # A slice of all of it is the same object: a body that came by itself is not copied.
        piece = data[pos : pos + count]
        self._forget_consumed()
        return piece

    def _read_between(self) -> bool:
        """Read what is not data of a chunked body; False when that is not complete."""
        phase = self._phase
        if phase == _CHUNK_SIZE:
            return self._open_chunk()
        if phase == _CHUNK_END:
            end = self._data[self._pos : self._pos + 2]
            if not b"\r\n".startswith(end):
                self._fail(BadChunk("no CRLF behind a chunk"))
            if len(end) < 2:
                return False
            self._pos += 2
            self._move(_CHUNK_CLOSED)
            return True
        if phase == _TRAILERS:
            return self._read_trailers()
        return False

    def _open_chunk(self) -> bool:
        """Read the first line of a chunk; False when it is not complete."""
        pos = self._pos
        outcome, behind, size = self._scan.chunk_size(self._data, pos, _CHUNK_LINE_BYTES)
        if outcome == _MORE:
            return False
        if outcome == _MALFORMED:
            self._fail(BadChunk(f"a malformed chunk size: {quoted(self._line_at(pos))}"))
        if outcome != _DONE:
            self._fail(BadChunk(f"a chunk's first line is over {_CHUNK_LINE_BYTES} bytes"))
        self._pos = behind
        if behind - pos > _CHUNK_LINE_PLAIN_BYTES:
            self._extensions += behind - pos
            if self._extensions > _EXTENSIONS_BYTES:
                self._fail(BadChunk(f"chunk extensions over {_EXTENSIONS_BYTES} bytes"))
        if size == 0:
            self._environ = {}
            self._move(_LAST_CHUNK)
            return True
        limit = self._limits.body
        if limit and self.body_received + size > limit:
            self._fail(BodyTooLarge(f"a body over {limit} bytes"))
        self._remaining = size
        self._move(_CHUNK_OPENED)
        return True

    def _read_trailers(self) -> bool:
        """Read, judge and drop the trailer fields; False when they are not complete."""
        environ = self._environ
        assert environ is not None
        pos = self._pos
        outcome, behind, self._facts = self._scan.fields(
            self._data,
            pos,
            self._field_size,
            pos + self._block_left,
            self._count_limit,
            self._facts,
            environ,
            self._aside,
        )
        self._pos = behind
        self._block_left -= behind - pos
        if outcome == _MORE:
            return False
        if outcome != _DONE:
            self._fail(self._fault_of_field(outcome, BadTrailer))
        if self._aside:
            self._aside = []
        try:
            judge_trailers(environ)
        except Fault as fault:
            self._fail(fault)
        self._environ = None
        self._move(_TRAILERS_READ)
        self._forget_consumed()
        return True

    # The rest

    def _straightened(self) -> bytes:
        """The buffer as the scanner may see it where leniencies are on; positions are the same."""
        self._data, visible = straighten(self._data, self._pos, self._leniency)
        return self._data[:visible]

    def _line_at(self, pos: int) -> bytes:
        """The complete line at `pos`, with its LF."""
        return self._data[pos : self._data.index(b"\n", pos) + 1]

    def _fault_of_field(self, outcome: int, malformed: type[Fault]) -> Fault:
        """The fault for a field line that the scanner stopped at."""
        limits = self._limits
        if outcome == _MALFORMED:
            return malformed(explain_field(self._line_at(self._pos)))
        if outcome == _TOO_MANY:
            return TooManyFields(f"more than {limits.fields} fields")
        return FieldsTooLarge(
            f"a field over {limits.field_size} bytes, or all of them over {limits.header_block}"
        )

    def _forget_consumed(self) -> None:
        """Let go of the buffer once it is read, so that an idle connection holds none."""
        if self._pos == len(self._data):
            self._data = b""
            self._pos = 0

    def _move(self, event: int) -> None:
        phase = _MOVES[self._phase * _WIDTH + event]
        if phase == _ILLEGAL:
            raise RuntimeError(f"{Event(event).name} while in {Phase(self._phase).name}")
        self._phase = phase

    def _fail(self, fault: Fault) -> NoReturn:
        self._fault = fault
        self._environ = None
        self._move(_FAULT)
        raise fault

    def _refuse_to_go_on(self) -> NoReturn:
        if self._fault is not None and self._phase == _FAILED:
            raise self._fault
        raise RuntimeError(f"asked to read on while in {Phase(self._phase).name}")
