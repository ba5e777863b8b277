"""The leak check: growth is reported, noise is not, and its traffic is what it says."""

from __future__ import annotations

import gc

import pytest

from canter.engine.contract import BodyMode
from canter.protocol.http1.reader import Reader
from canter.protocol.limits import Leniency, Limits
from fuzz.leaks import core, sockets
from fuzz.leaks.flat import Allowed, Held, complaints, growth, measured, table

ALLOWED = Allowed(resident_bytes=1000, blocks=100, objects=10)


def samples(*resident, blocks=None, objects=None):
    return [
        Held(
            (number + 1) * 100,
            size,
            blocks[number] if blocks else 5,
            objects[number] if objects else 5,
        )
        for number, size in enumerate(resident)
    ]


FLAT = (9, 5, 4, 7, 7, 7, 7, 7, 7, 7)


def test_what_happens_during_the_warm_up_does_not_count():
    assert complaints(samples(0, 5000, 9000, *[9500] * 7), ALLOWED) == []


def test_growth_after_the_warm_up_is_reported_by_measure():
    rising = [number * 500 for number in range(10)]
    [line] = complaints(samples(*rising), ALLOWED)
    assert line == "resident bytes: 2000 more after 600 requests, 1000 are allowed"
    [line] = complaints(samples(*FLAT, blocks=rising), ALLOWED)
    assert line.startswith("blocks: 2000 more")
    [line] = complaints(samples(*FLAT, objects=rising), ALLOWED)
    assert line.startswith("objects: 2000 more")


def test_a_round_that_ends_with_something_in_flight_is_no_growth():
    assert complaints(samples(0, 0, 0, 10, 10, 10, 10, 10, 10, 99999), ALLOWED) == []


def test_too_few_rounds_are_refused():
    with pytest.raises(ValueError, match="8 rounds are too few"):
        growth(samples(*[1] * 8))


def test_a_request_that_leaves_an_object_behind_is_seen():
    kept: list[list[int]] = []

    def leaking(number):
        kept.extend([[] for _ in range(200)])
        return 200

    found = growth(measured(leaking, 10))
    assert found.objects >= 600
    assert found.blocks >= 600


def test_the_table_has_a_line_for_each_sample():
    assert len(table(samples(*FLAT)).splitlines()) == 11


def test_the_traffic_without_sockets_leaves_nothing_behind():
    """A few hundred requests; the nox session `leaks` makes a million."""
    for number in range(1200):  # as many new names as are remembered
        core._serve(Reader(Limits(), Leniency()), core.GET, 4096, core._invents(number))
    gc.collect()
    found = growth(measured(core.rounds_of(300), 10))
    assert found.requests >= 1800
    # Names that it invents come and go; apart from them nothing.
    assert found.objects < 300
    assert found.blocks < 1500


@pytest.mark.parametrize("mode", BodyMode)
def test_the_traffic_over_sockets_is_answered_and_ends(mode):
    with sockets.Engine(mode) as engine:
        assert sockets.rounds_of(engine, 10)(0) > 10
        assert engine.slot.connections == 0
