"""When a worker has lived long enough."""

from __future__ import annotations

import mmap

from canter.worker.memory import resident_bytes
from canter.worker.wear import CALM_SECONDS, SAMPLE_SECONDS, SAMPLES, WearGauge

MEGABYTE = 2**20


def verdicts(gauge: WearGauge, begin: float, sizes: list[int]) -> list[str | None]:
    """What the gauge says of samples, each when it is due."""
    moments = (begin + (n + 1) * SAMPLE_SECONDS for n in range(len(sizes)))
    return [
        gauge.judge(moment, size * MEGABYTE) for moment, size in zip(moments, sizes, strict=True)
    ]


def test_age_alone_is_a_reason_and_is_told_once():
    gauge = WearGauge(60.0, 0, 100.0, 0)
    assert gauge.judge(159.9, 0) is None
    assert gauge.judge(160.0, 0) == "it has reached its max_lifetime"
    assert gauge.judge(170.0, 0) is None


def test_memory_is_a_reason_when_it_is_too_much_several_times_in_a_row():
    gauge = WearGauge(0.0, 100 * MEGABYTE, 0.0, MEGABYTE)
    *before, last = verdicts(gauge, 0.0, [101] * SAMPLES)
    assert before == [None] * (SAMPLES - 1)
    assert last == "it holds 101 MiB of memory, over its max_memory"


def test_a_peak_that_passes_is_no_reason():
    gauge = WearGauge(0.0, 100 * MEGABYTE, 0.0, MEGABYTE)
    sizes = [500] * (SAMPLES - 1) + [100] + [500] * (SAMPLES - 1) + [50]
    assert verdicts(gauge, 0.0, sizes) == [None] * len(sizes)


def test_looking_more_often_than_is_due_does_not_count_twice():
    gauge = WearGauge(0.0, 100 * MEGABYTE, 0.0, MEGABYTE)
    assert [gauge.judge(SAMPLE_SECONDS, 500 * MEGABYTE) for _ in range(10)] == [None] * 10


def test_a_worker_that_holds_too_much_from_the_start_is_not_replaced_over_and_over():
    gauge = WearGauge(0.0, 100 * MEGABYTE, 0.0, 100 * MEGABYTE)
    assert gauge.is_hopeless
    assert verdicts(gauge, 0.0, [500] * 10) == [None] * 10


def test_without_limits_there_is_never_a_reason_and_little_to_look_at():
    gauge = WearGauge(0.0, 0, 0.0, 500 * MEGABYTE)
    assert not gauge.is_hopeless
    assert gauge.patience_seconds(0.0) == CALM_SECONDS
    assert verdicts(gauge, 0.0, [5000] * 20) == [None] * 20


def test_it_looks_when_the_time_has_come():
    gauge = WearGauge(1.0, 0, 0.0, 0)
    assert gauge.patience_seconds(0.25) == 0.75
    assert gauge.judge(1.0, 0) is not None
    assert gauge.patience_seconds(1.0) == CALM_SECONDS - 1.0


def test_the_memory_of_this_process_can_be_told():
    before = resident_bytes()
    # From the kernel: what this process has freed before would not be new to it.
    with mmap.mmap(-1, 50 * MEGABYTE) as held:
        held[::4096] = b"x" * len(held[::4096])
        assert resident_bytes() - before > 40 * MEGABYTE
