"""What the tests of the harnesses share: a build that breaks its promise, and inputs of theirs."""

from __future__ import annotations

from hypothesis import strategies as st

from canter.protocol.http1.scan_ref import ReferenceScan
from fuzz.inputs import TARGETS, harness, saved

HARNESSES = {name: harness(name) for name in TARGETS}
INPUTS = {
    name: [*target.seeds(), *(path.read_bytes() for path in saved(name))]
    for name, target in HARNESSES.items()
}
# Between the parts of an input of `response`, and where lines and fields end.
_SHARP = [b"\x1e", b"\x1f", b"\r\n", b"\n", b" ", b":", b"0", b"\0", b"\xff", b"", b"chunked"]


class Deaf(ReferenceScan):
    """A scanner that does not hear of a second Host."""

    __slots__ = ()

    def fields(self, data, pos, line_limit, block_end, count_limit, facts, environ, aside):
        outcome, behind, facts = super().fields(
            data, pos, line_limit, block_end, count_limit, facts, environ, aside
        )
        return outcome, behind, facts & ~(1 << 12)


class Hasty(ReferenceScan):
    """A scanner that refuses some lines when they have not come whole."""

    __slots__ = ()

    def request_line(self, data, pos, limit, environ):
        outcome, behind, facts = super().request_line(data, pos, limit, environ)
        return 3 if outcome == 1 and data[pos:].endswith(b"H") else outcome, behind, facts


@st.composite
def mutations(draw: st.DrawFn, name: str) -> bytes:
    """One of a harness's inputs, a little damaged."""
    data = draw(st.sampled_from(INPUTS[name]))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        put = draw(st.one_of(st.sampled_from(_SHARP), st.binary(max_size=3)))
        data = data[:at] + put + data[at + draw(st.integers(0, 3)) :]
    return data
