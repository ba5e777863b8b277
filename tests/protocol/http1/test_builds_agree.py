"""Hypothesis: every build makes the same of anything, however it comes, and raises only faults."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.http1.scan import Outcome
from canter.protocol.limits import Leniency, Limits
from tests.protocol.http1.feeding import SUBJECTS, Setup, read_all
from tests.protocol.http1.strategies import SHARP, VALID, cuts, damaged, requests

SETUPS = {
    "strict": Setup(),
    "tight": Setup(limits=Limits(30, 4, 40, 7, 80)),
    "lenient": Setup(
        leniency=Leniency(
            permit_obsolete_folding=True,
            strip_header_spaces=True,
            permit_unconventional_http_method=True,
            casefold_http_method=True,
            permit_unconventional_http_version=True,
            header_map="dangerous",
        )
    ),
}

# Bytes that mean something, put together at random, beside bytes that are random.
noise = st.one_of(
    st.binary(max_size=60),
    st.lists(
        st.sampled_from([*SHARP, b"GET / HTTP/1.1\r\n", b"X: y\r\n", b"0", b"a"]), max_size=20
    ).map(b"".join),
)
wires = st.one_of(
    noise, requests(), damaged(), st.tuples(st.sampled_from(VALID), noise).map(b"".join)
)


@pytest.mark.parametrize("setup", SETUPS.values(), ids=SETUPS)
@given(data=st.data(), wire=wires)
def test_every_build_makes_the_same_of_anything_however_it_is_cut(setup, data, wire):
    pieces = data.draw(cuts(wire))
    maximum = data.draw(st.sampled_from([1, 2, 65536]))
    expected = read_all([wire], SUBJECTS["reference"], setup)
    assert expected[-1][0] in {"fault", "end"}
    for subject in SUBJECTS.values():
        assert read_all([wire], subject, setup) == expected
        assert read_all(pieces, subject, setup, body_maximum=maximum) == expected


@given(
    wire=st.one_of(wires, requests().map(lambda wire: wire.partition(b"\n")[2])),
    pos=st.integers(0, 8),
    limit=st.sampled_from([3, 10, 200]),
    block=st.sampled_from([4, 30, 2000]),
    count=st.sampled_from([0, 1, 100]),
)
def test_scanners_agree_on_positions_and_facts(wire, pos, limit, block, count):
    scans = [subject.scan for subject in SUBJECTS.values()]
    pos = min(pos, len(wire))

    def played(scan):
        line: dict[str, str] = {}
        environ = {"HTTP_X_A": "before"}
        aside: list[tuple[str, str]] = []
        return [
            scan.request_line(wire, pos, limit, line),
            scan.fields(wire, pos, limit, pos + block, count, 0, environ, aside),
            scan.chunk_size(wire, pos, limit),
            line,
            environ,
            aside,
        ]

    expected = played(scans[0])
    assert all(played(scan) == expected for scan in scans[1:])
    for outcome, behind, number in expected[:3]:
        assert outcome in set(Outcome)
        assert pos <= behind <= len(wire)
        assert number >= 0
