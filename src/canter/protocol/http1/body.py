"""The bodies of requests: a number of bytes (RFC 9112 section 6.2), or chunks (section 7.1)."""

from __future__ import annotations

from canter.protocol.faults import BadChunk, BadTrailer, BodyTooLarge, Fault, quoted
from canter.protocol.fields import judge_trailers
from canter.protocol.http1.incoming import Incoming
from canter.protocol.http1.scan import COUNT_SHIFT, Outcome, Scan
from canter.protocol.http1.states import Event, Phase
from canter.protocol.limits import Limits

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
_FIELDS = int(Phase.FIELDS)
_BODY = int(Phase.BODY)
_CHUNK_SIZE = int(Phase.CHUNK_SIZE)
_CHUNK_DATA = int(Phase.CHUNK_DATA)
_CHUNK_END = int(Phase.CHUNK_END)
_TRAILERS = int(Phase.TRAILERS)
_FAILED = int(Phase.FAILED)
_HEAD_WITHOUT_BODY = int(Event.HEAD_WITHOUT_BODY)
_HEAD_WITH_LENGTH = int(Event.HEAD_WITH_LENGTH)
_HEAD_WITH_CHUNKS = int(Event.HEAD_WITH_CHUNKS)
_BODY_READ = int(Event.BODY_READ)
_CHUNK_OPENED = int(Event.CHUNK_OPENED)
_CHUNK_READ = int(Event.CHUNK_READ)
_CHUNK_CLOSED = int(Event.CHUNK_CLOSED)
_LAST_CHUNK = int(Event.LAST_CHUNK)
_TRAILERS_READ = int(Event.TRAILERS_READ)
_COUNT_SHIFT = COUNT_SHIFT


class BodyReader(Incoming):
    """Reads the body of the request whose head was read last, its transfer coding taken off."""

    __slots__ = ("_extensions", "_remaining")

    def __init__(self, limits: Limits, scan: Scan) -> None:
        super().__init__(limits, scan)
        self._remaining = 0
        self._extensions = 0

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

    @property
    def ahead(self) -> int:
        """How many bytes from here on are nothing but body; 0 while some are here already."""
        return self._remaining if self._phase == _BODY and self._pos == len(self._data) else 0

    def pass_over(self, count: int) -> None:
        """Somebody else has read so many of the bytes that are `ahead`."""
        if not 0 <= count <= self.ahead:
            raise RuntimeError(f"{count} bytes passed over, of {self.ahead}")
        self._remaining -= count
        self.body_received += count
        if count and self._remaining == 0:
            self._move(_BODY_READ)

    def _begin_body(self, length: int) -> None:
        """A head was read whose body has this length, CHUNKED for as long as it lasts."""
        self._environ = None
        self.body_received = 0
        if length == 0:
            self._move(_HEAD_WITHOUT_BODY)
            self._forget_consumed()
        elif length > 0:
            self._remaining = length
            self._move(_HEAD_WITH_LENGTH)
        else:
            # Trailers count towards the limits of the head's fields.
            self._facts = self._facts >> _COUNT_SHIFT << _COUNT_SHIFT
            self._extensions = 0
            self._move(_HEAD_WITH_CHUNKS)

    def _take(self, maximum: int) -> bytes:
        """Bytes of a body or a chunk that are there, at most `maximum`."""
        pos = self._pos
        data = self._data
        count = min(len(data) - pos, self._remaining, maximum)
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
        return phase == _TRAILERS and self._read_trailers()

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
        outcome = self._read_fields(self._data)
        if outcome == _MORE:
            return False
        if outcome != _DONE:
            self._fail(self._fault_of_field(outcome, BadTrailer))
        environ = self._environ
        assert environ is not None
        # Fields with an underscore are nobody's here.
        self._aside = None
        try:
            judge_trailers(environ)
        except Fault as fault:
            self._fail(fault)
        self._environ = None
        self._move(_TRAILERS_READ)
        self._forget_consumed()
        return True
