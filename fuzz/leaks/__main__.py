"""The command `python -m fuzz.leaks`: run the traffic, show the samples, judge them.

The status is 0 if everything stayed flat, 1 if not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from canter import extensions
from canter.engine.contract import BodyMode
from fuzz.leaks import core, sockets
from fuzz.leaks.flat import Allowed, complaints, growth, measured, table

_ROUNDS = 20
# What is remembered of invented names is emptied when it is full: some thousand blocks come and go.
# Every scene is played more than ten thousand times, so that one block kept of each is over this.
_ALLOWED_CORE = Allowed(resident_bytes=1024 * 1024, blocks=5000, objects=500)
# Every scene is played some two thousand times over sockets, and nothing here comes and goes.
# Threads take their allocator's arenas when they please; blocks have no such excuse.
_ALLOWED_SOCKETS = Allowed(resident_bytes=2 * 1024 * 1024, blocks=500, objects=100)


def _check(name: str, one_round: Callable[[int], int], allowed: Allowed) -> bool:
    samples = measured(one_round, _ROUNDS)
    found = complaints(samples, allowed)
    grown = growth(samples)
    print(f"{name}\n{table(samples)}")
    print(
        f"growth after the warm-up: {grown.resident_bytes // 1024} KiB resident, {grown.blocks} "
        f"blocks, {grown.objects} objects in {grown.requests} requests\n"
    )
    for line in found:
        print(f"canter: a leak: {name}: {line}")
    sys.stdout.flush()
    return not found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.leaks", description="The leak check.")
    parser.add_argument("--requests", type=int, default=1_000_000, help="without sockets")
    parser.add_argument("--over-sockets", type=int, default=100_000, help="for each body mode")
    told = parser.parse_args(arguments)
    print(f"canter: the core is {extensions.build()}")
    flat = _check("core", core.rounds_of(told.requests // _ROUNDS), _ALLOWED_CORE)
    for mode in BodyMode:
        with sockets.Engine(mode) as engine:
            one_round = sockets.rounds_of(engine, told.over_sockets // _ROUNDS)
            flat &= _check(f"sockets, bodies: {mode.value}", one_round, _ALLOWED_SOCKETS)
    print("canter: flat" if flat else "canter: not flat")
    return 0 if flat else 1


if __name__ == "__main__":
    sys.exit(main())
