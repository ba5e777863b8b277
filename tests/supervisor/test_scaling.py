"""More workers under load, fewer when there is none, and no flapping."""

from __future__ import annotations

from collections.abc import Callable

from canter.supervisor.scaling import (
    GROW_AFTER_SECONDS,
    SHRINK_AFTER_SECONDS,
    Load,
    Scaler,
    Span,
)

TICK = 0.5
THREADS = 4


class Site:
    """A service of workers under a load that tests choose, on a clock of its own.

    demand: how many threads the requests that come would keep busy.
    """

    def __init__(self, fewest: int, most: int) -> None:
        self.scaler = Scaler(Span(fewest, most), THREADS)
        self.now = 0.0
        self.wanted = fewest
        self.busy: dict[int, float] = dict.fromkeys(range(fewest), 0.0)
        self.changes: list[tuple[float, int]] = []

    def run(self, seconds: float, demand: float | Callable[[float], float]) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += TICK
            wanted = demand(self.now) if callable(demand) else demand
            capacity = len(self.busy) * THREADS
            share = min(wanted, capacity) / len(self.busy)
            queued = int(max(0.0, wanted - capacity))
            for pid in self.busy:
                self.busy[pid] += share * TICK
            loads = {pid: Load(busy, queued if not pid else 0) for pid, busy in self.busy.items()}
            change = self.scaler.judge(self.now, self.wanted, loads)
            if change:
                self.changes.append((self.now, change))
                self.wanted += change
            while len(self.busy) < self.wanted:
                self.busy[max(self.busy) + 1] = 0.0
            while len(self.busy) > self.wanted:
                del self.busy[max(self.busy)]


def test_requests_that_wait_bring_workers_up_to_the_most():
    site = Site(1, 4)
    site.run(30, demand=100)
    assert site.wanted == 4
    assert [change for _, change in site.changes] == [1, 1, 1]


def test_a_short_burst_changes_nothing():
    site = Site(1, 4)
    site.run(5, demand=0)
    site.run(GROW_AFTER_SECONDS - TICK, demand=100)
    site.run(60, demand=1)
    assert site.changes == []


def test_it_grows_to_what_is_enough_and_no_further():
    site = Site(1, 8)
    site.run(60, demand=9)
    assert site.wanted == 3


def test_without_load_workers_leave_one_by_one_down_to_the_fewest():
    site = Site(2, 6)
    site.run(30, demand=100)
    assert site.wanted == 6
    begin = site.now
    site.run(SHRINK_AFTER_SECONDS * 6, demand=0)
    assert site.wanted == 2
    moments = [moment - begin for moment, change in site.changes if change < 0]
    gaps = [second - first for first, second in zip([0.0, *moments], moments, strict=False)]
    assert all(gap >= SHRINK_AFTER_SECONDS for gap in gaps), moments


def test_a_load_that_is_the_same_all_the_time_never_makes_it_flap():
    for tenths in range(240):
        site = Site(1, 6)
        site.run(120, demand=tenths / 10)
        settled = len(site.changes)
        site.run(300, demand=tenths / 10)
        assert len(site.changes) == settled, f"demand {tenths / 10}: {site.changes}"


def test_a_load_that_comes_and_goes_quickly_does_not_make_it_flap():
    site = Site(1, 6)
    site.run(300, demand=lambda now: 12.0 if int(now / 4) % 2 else 0.0)
    assert [change for _, change in site.changes if change < 0] == []


def test_while_a_worker_boots_or_leaves_nothing_is_decided():
    scaler = Scaler(Span(1, 4), THREADS)
    for tick in range(20):
        assert scaler.judge(tick * TICK, 2, {1: Load(tick * TICK * THREADS, 50)}) == 0


def test_a_worker_that_is_new_counts_as_one_that_did_nothing_yet():
    scaler = Scaler(Span(1, 4), THREADS)
    scaler.judge(0.0, 1, {1: Load(1000.0, 0)})
    for tick in range(1, 60):
        # A replacement, whose counter begins again, is no burst of load.
        assert scaler.judge(tick * TICK, 1, {100 + tick: Load(500.0, 0)}) == 0
