"""What the five framework applications have in common: the data they serve and how they answer.

Each framework offers the same paths (see README.md), written in its own idiom, so that one set of
tests drives all of them. Nothing here knows a framework.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

DOWNLOAD = bytes(range(256)) * 1024
"""What `/file` serves: 256 KiB in which a missing, repeated or moved block shows."""

SLOWEST_GATE_SECONDS = 20.0


def digest(data: bytes) -> str:
    """The name by which a test recognises bytes it has sent."""
    return hashlib.sha256(data).hexdigest()


def download_path() -> Path:
    """The file that `/file` serves, written once into the working directory of the server."""
    path = Path("download.bin").absolute()
    if not path.exists():
        partial = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
        partial.write_bytes(DOWNLOAD)
        partial.replace(path)
    return path


def lines(count: int) -> Iterator[bytes]:
    """A streamed body of so many numbered lines."""
    for number in range(count):
        yield b"line %d\n" % number


def gated(gate: str) -> Iterator[bytes]:
    """A streamed body whose second half waits until the file `gate` exists.

    The client makes that file after it has received the first half, so the stream ends well only
    if its parts are sent as they are made.
    """
    yield b"before the gate\n"
    deadline = time.monotonic() + SLOWEST_GATE_SECONDS
    while not Path(gate).exists():
        if time.monotonic() > deadline:
            yield b"the gate stayed shut\n"
            return
        time.sleep(0.01)
    yield b"after the gate\n"
