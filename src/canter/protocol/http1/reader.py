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

from typing import Any

from canter.protocol.faults import (
    BadField,
    BadFraming,
    BadHost,
    BadRequestLine,
    BodyTooLarge,
    Fault,
    RepeatedField,
    RequestLineTooLong,
)
from canter.protocol.fields import admit_underscored, judge_host
from canter.protocol.forwarded import Told
from canter.protocol.forwarded import apply as apply_told
from canter.protocol.framing import (
    connection_options,
    decide_expectation,
    decide_length,
    decide_persistence,
)
from canter.protocol.http1.body import BodyReader
from canter.protocol.http1.request_line import explain_request_line, judge_method, judge_version
from canter.protocol.http1.scan import UNLIMITED, Fact, LineFact, Outcome, Scan
from canter.protocol.http1.scanners import DEFAULT
from canter.protocol.http1.states import Event, Phase
from canter.protocol.http1.straighten import straighten
from canter.protocol.http1.writer import CONTINUE, Writer, refusal
from canter.protocol.limits import Leniency, Limits
from canter.protocol.octets import plain_number
from canter.protocol.request import Request
from canter.protocol.scheme import apply_scheme
from canter.protocol.target import decode_path, mount, resolve_target
from canter.protocol.trust import TrustPolicy

# RFC 9112 section 2.2: clients that end a body with one CRLF too many are forgiven, a few times.
_EMPTY_LINES_MAXIMUM = 4
# How much of a request line that is too long is kept for the log.
_KEPT_LINE_BYTES = 256

# Plain numbers (C ints where compiled): members of enums are slow to compare and combine.
_DONE = int(Outcome.DONE)
_MORE = int(Outcome.MORE)
_MALFORMED = int(Outcome.MALFORMED)
_EMPTY = int(Outcome.EMPTY)
_LINE = int(Phase.LINE)
_FIELDS = int(Phase.FIELDS)
_LINE_READ = int(Event.LINE_READ)
_HTTP_10 = int(LineFact.HTTP_10)
_ODD_VERSION = int(LineFact.ODD_VERSION)
_ODD_METHOD = int(LineFact.ODD_METHOD)
_ODD_TARGET = int(LineFact.ODD_TARGET)
_PERCENT = int(LineFact.PERCENT)
_HOST = int(Fact.HOST)
_CONTENT_LENGTH = int(Fact.CONTENT_LENGTH)
_CONNECTION = int(Fact.CONNECTION)
_EXPECT = int(Fact.EXPECT)
_UPGRADE = int(Fact.UPGRADE)
_ASIDE = int(Fact.ASIDE)
_HOST_AGAIN = int(Fact.HOST_AGAIN)
_CONTENT_LENGTH_AGAIN = int(Fact.CONTENT_LENGTH_AGAIN)
_FORWARDED = int(Fact.FORWARDED)
_FORWARDED_AGAIN = int(Fact.FORWARDED_AGAIN)
_TRANSFER_ENCODING = int(Fact.TRANSFER_ENCODING)
_FRAMED = int(Fact.CONTENT_LENGTH | Fact.TRANSFER_ENCODING)
_SINGLE_AGAIN = int(Fact.HOST_AGAIN | Fact.CONTENT_LENGTH_AGAIN | Fact.CONTENT_TYPE_AGAIN)
# What there is to judge about apart from Host.
_JUDGED = (
    _FRAMED
    | _SINGLE_AGAIN
    | int(Fact.CONNECTION | Fact.EXPECT | Fact.UPGRADE | Fact.ASIDE | Fact.FORWARDED)
)


class Reader(BodyReader):
    """`RequestReader` for HTTP/1.1 and HTTP/1.0.

    trust: how forwarding fields are treated; without it none is believed. trusted: whether this
    connection's peer is one that `trust` believes.
    """

    __slots__ = (
        "_always_forwarded",
        "_authority",
        "_empty_lines",
        "_host",
        "_http_10",
        "_leniency",
        "_line_limit",
        "_straightens",
        "_tells_client",
        "_told",
        "_trust",
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
        super().__init__(limits, scan)
        self._leniency = leniency
        self._line_limit = limits.request_line or UNLIMITED
        self._straightens = leniency.permit_obsolete_folding or leniency.strip_header_spaces
        # From here on a policy is there only for a peer that it trusts.
        self._trust = trust if trusted else None
        self._tells_client = self._trust is not None and self._trust.client_fields != "off"
        self._always_forwarded = self._tells_client or (
            self._trust is not None and self._trust.has_unusual_names
        )
        self._empty_lines = 0
        # Of the request that is being read.
        self._http_10 = False
        self._authority: str | None = None
        self._told: Told | None = None
        # The last Host that was judged and is one.
        self._host: str | None = None

    def next_request(self, base: dict[str, Any]) -> Request | None:
        """The next request, or None when its head is not complete yet.

        base: what every environ of this connection begins with, and nothing that a request brings;
        it is copied. Raises Fault; RuntimeError if the body of the request before was not read to
        its end.
        """
        phase = self._phase
        if phase != _FIELDS:
            if phase != _LINE:
                self._refuse_to_go_on()
            if self._pos == len(self._data) or not self._read_line(base):
                return None
        outcome = self._read_fields(self._straightened() if self._straightens else self._data)
        if outcome != _DONE:
            if outcome != _MORE:
                self._fail(self._fault_of_field(outcome, BadField))
            return None
        return self._conclude()

    def answer(self, request: Request, keep_alive: bool) -> Writer:
        """The writer of the response to `request`."""
        return Writer(request.http_10, request.method == "HEAD", keep_alive)

    def interim(self) -> bytes:
        """100 (Continue), for which the engine knows when it is due."""
        return CONTINUE

    def refusal(self, fault: Fault, date_line: bytes, *, head_only: bool = False) -> bytes:
        """The whole answer to what was refused."""
        return refusal(fault, date_line, head_only=head_only)

    def _read_line(self, base: dict[str, Any]) -> bool:
        """Read and judge the request line; False when it is not complete."""
        environ = base.copy()
        self.request_line = b""
        while True:
            pos = self._pos
            outcome, behind, facts = self._scan.request_line(
                self._data, pos, self._line_limit, environ
            )
            self._pos = behind
            if outcome == _DONE:
                break
            if outcome == _MORE:
                return False
            if outcome != _EMPTY:
                self._fail(self._fault_of_line(outcome))
            self._empty_lines += 1
            if self._empty_lines > _EMPTY_LINES_MAXIMUM:
                self._fail(BadRequestLine("empty lines before the request line"))
        self.request_line = self._data[pos : behind - 2]
        self._empty_lines = 0
        self._http_10 = False
        self._authority = None
        if facts:
            try:
                self._judge_line(environ, facts)
            except Fault as fault:
                self._fail(fault)
        self._environ = environ
        self._facts = 0
        self._block_left = self._limits.header_block or UNLIMITED
        self._move(_LINE_READ)
        return True

    def _fault_of_line(self, outcome: int) -> Fault:
        """The fault for a request line that the scan stopped at."""
        pos = self._pos
        if outcome == _MALFORMED:
            line = self._line_at(pos)
            self.request_line = line.rstrip(b"\r\n")
            return explain_request_line(line)
        self.request_line = self._data[pos : pos + _KEPT_LINE_BYTES]
        return RequestLineTooLong(f"a request line over {self._limits.request_line} bytes")

    def _judge_line(self, environ: dict[str, Any], facts: int) -> None:
        """Judge a request line that is not quite ordinary. Raises Fault."""
        self._http_10 = bool(facts & _HTTP_10)
        if facts == _HTTP_10:
            return
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

    def judge_head(
        self,
        environ: dict[str, Any],
        line_facts: int,
        facts: int,
        aside: list[tuple[str, str]],
    ) -> Request:
        """The request of a head that came in frames and not in lines; what is fed stays as it is.

        environ, aside: what a scanner would have written, but for the version, which is there.
        line_facts, facts: what it would have noted. Raises Fault; the next head can be judged.
        """
        self._http_10 = False
        self._authority = None
        self._told = None
        if line_facts:
            self._judge_line(environ, line_facts)
        self._aside = aside
        return self._request_of(environ, facts)

    def _conclude(self) -> Request:
        """Make the request of a head whose last line was read."""
        environ = self._environ
        assert environ is not None
        try:
            request = self._request_of(environ, self._facts)
        except Fault as fault:
            self._fail(fault)
        self._begin_body(request.body_length)
        return request

    def _request_of(self, environ: dict[str, Any], facts: int) -> Request:
        """The request of a head, judging what there is to judge. Raises Fault."""
        http_10 = self._http_10
        request = Request.__new__(Request)
        request.environ = environ
        request.method = environ["REQUEST_METHOD"]
        request.target = environ["RAW_URI"]
        request.http_10 = http_10
        request.keep_alive = not http_10
        request.body_length = 0
        request.expect_continue = False
        request.names_client = False
        request.upgrade = False
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
        if self._told is not None:
            request.names_client = apply_told(environ, self._told)
            self._told = None
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
            self._judge_length(request, facts)
        if facts & _CONNECTION:
            self._judge_connection(request, facts)
        if facts & _EXPECT:
            request.expect_continue = decide_expectation(environ["HTTP_EXPECT"], http_10=http_10)
        trust = self._trust
        # Before names with underscores are let in, which could pass for a scheme field's.
        if trust is not None and (facts & _FORWARDED or self._always_forwarded):
            apply_scheme(trust.schemes, environ, (facts & _FORWARDED_AGAIN) != 0)
            if self._tells_client:
                self._told = trust.told(environ)
        if facts & _ASIDE:
            aside, self._aside = self._aside or [], None
            forwarders = frozenset() if trust is None else trust.forwarders
            admit_underscored(environ, aside, self._leniency.header_map, forwarders)

    def _judge_length(self, request: Request, facts: int) -> None:
        """Where the body ends."""
        environ = request.environ
        length = -1
        if not facts & _TRANSFER_ENCODING:
            length = plain_number(environ["CONTENT_LENGTH"])
        if length < 0:
            length = decide_length(
                environ.get("CONTENT_LENGTH"),
                environ.pop("HTTP_TRANSFER_ENCODING", None),
                http_10=request.http_10,
            )
            if facts & _CONTENT_LENGTH:
                # Leading zeros are read as octal by some.
                environ["CONTENT_LENGTH"] = str(length)
        maximum = self._limits.body
        if maximum and length > maximum:
            raise BodyTooLarge(f"a body of {length} bytes, over {maximum}")
        request.body_length = length

    def _judge_connection(self, request: Request, facts: int) -> None:
        """What the peer wants of the connection after this request."""
        connection = request.environ["HTTP_CONNECTION"]
        http_10 = request.http_10
        if connection == "close":
            request.keep_alive = False
        elif connection != "keep-alive" or http_10:
            options = connection_options(connection)
            request.keep_alive = decide_persistence(options, http_10=http_10)
            # RFC 9110 section 7.8: an Upgrade of HTTP/1.0 is ignored.
            request.upgrade = bool(facts & _UPGRADE) and not http_10 and "upgrade" in options

    def _straightened(self) -> bytes:
        """The buffer as the scanner may see it where leniencies are on; positions are the same."""
        self._data, visible = straighten(self._data, self._pos, self._leniency)
        return self._data[:visible]
