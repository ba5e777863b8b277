"""The process that atheris drives: `python -m fuzz` starts it, so that even a crash is reported.

What guides it is the coverage of the plain sources, which run in every harness beside the compiled
ones; a compiled module tells atheris nothing.
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

import atheris

from fuzz.inputs import harness

_GUIDING = ("canter.protocol", "canter.wsgi", "canter.worker.files")


def instrument() -> int:
    """Let atheris see every function of the plain core, the twins' too; how many there are."""
    functions = [
        found
        for found in gc.get_objects()
        if isinstance(found, FunctionType) and (found.__module__ or "").startswith(_GUIDING)
    ]
    for function in functions:
        atheris.instrument_func(function)
    return len(functions)


def main() -> None:
    """Arguments: the target, then libFuzzer's own. Ends the process."""
    target = harness(sys.argv[1])
    print(f"{target.name}: {target.invariant} ({instrument()} functions guide)", flush=True)
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
