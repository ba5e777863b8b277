"""Whether what a process holds stays flat while it works: samples, and the judgement of them.

Three measures, because each sees what another does not: resident memory (everything, coarse), the
blocks that Python's allocator has given out (every object, exact), and the objects that the garbage
collector follows (cycles and containers).
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
#: Rounds before anything is compared: caches fill, allocators take their arenas.
WARM_UP_ROUNDS = 3
# So many of the first and of the last rounds are compared, by the least of each: a round that ends
# while something is in flight holds more, none holds less than what is kept for ever.
_COMPARED_ROUNDS = 3


class Held(NamedTuple):
    """What the process holds after some requests."""

    requests: int
    resident_bytes: int
    blocks: int
    objects: int


class Allowed(NamedTuple):
    """How much may be held at the end that was not after the warm-up."""

    resident_bytes: int
    blocks: int
    objects: int


def held(requests: int) -> Held:
    """What this process holds now, once all garbage is collected."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        resident_pages = int(file.read().split()[1])
    return Held(
        requests, resident_pages * _PAGE_BYTES, sys.getallocatedblocks(), len(gc.get_objects())
    )


def measured(do: Callable[[int], int], rounds: int) -> list[Held]:
    """Samples taken after each of so many rounds. `do(round)` says how many requests it made."""
    samples: list[Held] = []
    requests = 0
    for number in range(rounds):
        requests += do(number)
        samples.append(held(requests))
    return samples


def growth(samples: Sequence[Held]) -> Held:
    """What is held at the end and was not after the warm-up, and the requests in between."""
    warm = samples[WARM_UP_ROUNDS:]
    if len(warm) < 2 * _COMPARED_ROUNDS:
        raise ValueError(f"{len(samples)} rounds are too few to tell growth from noise")
    first, last = warm[:_COMPARED_ROUNDS], warm[-_COMPARED_ROUNDS:]
    return Held(
        warm[-1].requests - warm[0].requests,
        min(s.resident_bytes for s in last) - min(s.resident_bytes for s in first),
        min(s.blocks for s in last) - min(s.blocks for s in first),
        min(s.objects for s in last) - min(s.objects for s in first),
    )


def complaints(samples: Sequence[Held], allowed: Allowed) -> list[str]:
    """One line for each measure that has grown by more than it may; none is the hope."""
    grown = growth(samples)
    return [
        f"{name.replace('_', ' ')}: {getattr(grown, name)} more after {grown.requests} requests, "
        f"{getattr(allowed, name)} are allowed"
        for name in Allowed._fields
        if getattr(grown, name) > getattr(allowed, name)
    ]


def table(samples: Sequence[Held]) -> str:
    """The samples for people."""
    lines = [f"{'requests':>10} {'resident KiB':>13} {'blocks':>9} {'gc objects':>11}"]
    lines += [
        f"{s.requests:>10} {s.resident_bytes // 1024:>13} {s.blocks:>9} {s.objects:>11}"
        for s in samples
    ]
    return "\n".join(lines)
