"""How much memory something keeps, for promises that it keeps none."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable


def kept_bytes(do: Callable[[int], object], times: int = 3000) -> int:
    """Bytes that calls of `do(number)` leave behind, after as many to fill what is bounded."""
    for number in range(times):
        do(number)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(times, 2 * times):
            do(number)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return after - before
