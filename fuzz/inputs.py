"""The inputs that are there before any fuzzing, as files and as bytes.

`corpus/TARGET/` holds what fuzzing has found and the tests' corpus does not reach: one input in
one file, named by its hash. A finding that was repaired belongs there too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent / "corpus"
TARGETS = ("http1", "scan", "response", "http2", "uwsgi", "fastcgi", "scgi", "proxy", "static")


class Harness(NamedTuple):
    """One target: its invariant in a sentence, its check, and the inputs to begin with."""

    name: str
    invariant: str
    check: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]


def harness(name: str) -> Harness:
    """The harness of a target; raises KeyError for a name that is not in TARGETS."""
    if name not in TARGETS:
        raise KeyError(name)
    module = import_module(f"fuzz.{name}")
    invariant = (module.__doc__ or "").partition("\n")[0].removeprefix("Invariant: ")
    return Harness(name, invariant, module.check, module.seeds)


def saved(name: str) -> list[Path]:
    """The saved inputs of a target."""
    return sorted(path for path in (FOLDER / name).glob("*") if path.is_file())


def write_seeds(target: Harness, folder: Path) -> int:
    """Put all there is to begin with into a folder, one file each; how many."""
    folder.mkdir(parents=True, exist_ok=True)
    everything = {*target.seeds(), *(path.read_bytes() for path in saved(target.name))}
    for data in everything:
        (folder / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)
    return len(everything)
