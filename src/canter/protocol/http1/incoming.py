"""What has come in on one HTTP/1 connection and is not read yet, and what it belongs to.

The part of a reader that heads and bodies share: the buffer, the phase, the fault that ended it,
and field lines, of which a head has a block and a chunked body another one at its end.

Invariant: the buffer begins with the first byte that is not consumed; complete lines are consumed
at once, so that none is looked at twice.
"""

from __future__ import annotations

from typing import Any, NoReturn

from canter.protocol.faults import Fault, FieldsTooLarge, TooManyFields, Truncated
from canter.protocol.fields import explain_field
from canter.protocol.http1.scan import UNLIMITED, Outcome, Scan
from canter.protocol.http1.states import ILLEGAL, MOVES, WIDTH, Event, Phase
from canter.protocol.limits import Limits
from canter.protocol.reader import RequestReader

# Plain numbers (C ints where compiled): members of enums are slow to compare and combine.
_MALFORMED = int(Outcome.MALFORMED)
_TOO_MANY = int(Outcome.TOO_MANY)
_LINE = int(Phase.LINE)
_FIELDS = int(Phase.FIELDS)
_FAILED = int(Phase.FAILED)
_HANDED_OVER = int(Phase.HANDED_OVER)
_FAULT = int(Event.FAULT)
_HAND_OVER = int(Event.HAND_OVER)
_MOVES = MOVES
_WIDTH = WIDTH
_ILLEGAL = ILLEGAL


class Incoming(RequestReader):
    """The buffer and the phase of one connection's reading side."""

    __slots__ = (
        "_aside",
        "_block_left",
        "_count_limit",
        "_data",
        "_environ",
        "_facts",
        "_fault",
        "_field_size",
        "_limits",
        "_phase",
        "_pos",
        "_scan",
    )

    def __init__(self, limits: Limits, scan: Scan) -> None:
        super().__init__()
        self._limits = limits
        self._scan = scan
        self._field_size = limits.field_size or UNLIMITED
        self._count_limit = limits.fields or UNLIMITED
        self._data = b""
        self._pos = 0
        self._phase = _LINE
        self._fault: Fault | None = None
        # Of the block of fields that is being read: where they go, those with an underscore in
        # their name (None: no such field yet), what was noted, and how many bytes of the block's
        # limit are left.
        self._environ: dict[str, Any] | None = None
        self._aside: list[tuple[str, str]] | None = None
        self._facts = 0
        self._block_left = 0

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

    def _read_fields(self, data: bytes) -> int:
        """Scan field lines from the current position of `data` on; the scan's outcome."""
        pos = self._pos
        aside = self._aside
        if aside is None:
            aside = []
        outcome, behind, facts = self._scan.fields(
            data,
            pos,
            self._field_size,
            pos + self._block_left,
            self._count_limit,
            self._facts,
            self._environ,  # type: ignore[arg-type]  # there while fields are being read
            aside,
        )
        if aside:
            self._aside = aside
        self._pos = behind
        self._block_left -= behind - pos
        self._facts = facts
        return outcome

    def _fault_of_field(self, outcome: int, malformed: type[Fault]) -> Fault:
        """The fault for the field line that a scan stopped at."""
        limits = self._limits
        if outcome == _MALFORMED:
            return malformed(explain_field(self._line_at(self._pos)))
        if outcome == _TOO_MANY:
            return TooManyFields(f"more than {limits.fields} fields")
        return FieldsTooLarge(
            f"a field over {limits.field_size} bytes, or all of them over {limits.header_block}"
        )

    def _line_at(self, pos: int) -> bytes:
        """The complete line at `pos`, with its LF."""
        return self._data[pos : self._data.index(b"\n", pos) + 1]

    def _forget_consumed(self) -> None:
        """Let go of the buffer once it is read, so that an idle connection holds none."""
        if self._pos == len(self._data):
            self._data = b""
            self._pos = 0

    def _move(self, event: int) -> None:
        """Change the phase; RuntimeError where the table has no such move."""
        phase = _MOVES[self._phase * _WIDTH + event]
        if phase == _ILLEGAL:
            raise RuntimeError(f"{Event(event).name} while in {Phase(self._phase).name}")
        self._phase = phase

    def _fail(self, fault: Fault) -> NoReturn:
        """End the reading with a fault, which is raised now and whenever more is asked for."""
        self._fault = fault
        self._environ = None
        self._move(_FAULT)
        raise fault

    def _refuse_to_go_on(self) -> NoReturn:
        """Raise what there is to raise in a phase in which nothing can be read."""
        if self._fault is not None and self._phase == _FAILED:
            raise self._fault
        raise RuntimeError(f"asked to read on while in {Phase(self._phase).name}")
