"""The account of work for nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.http2 import strain
from canter.protocol.http2.strain import Strain


def test_frames_that_bring_nothing_are_too_much_at_some_point():
    account = Strain()
    times = 0
    while not account.add(strain.CONTROL):
        times += 1
    assert times == strain.LIMIT // strain.CONTROL


def test_a_busy_connection_is_never_told_to_calm_down():
    account = Strain()
    for _ in range(100_000):  # a request with a ping, two window updates and 4 KB each
        assert not account.add(strain.CONTROL + 2 * strain.SMALL)
        account.moved(4096)
        account.relieve(strain.ANSWERED)


@given(st.lists(st.tuples(st.sampled_from("amr"), st.integers(0, 20_000)), max_size=50))
def test_no_credit_is_saved_up(steps):
    account = Strain()
    for kind, count in steps:
        if kind == "a":
            account.add(count)
        elif kind == "m":
            account.moved(count)
        else:
            account.relieve(count)
    account.relieve(10**9)
    assert account.add(strain.LIMIT + 1)
