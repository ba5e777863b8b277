"""What the run was made with: the machine, the programs' versions, the revision measured."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import threading
import time
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
MEMINFO = Path("/proc/meminfo")
SLEEPERS = 16
NAP_SECONDS = 0.010

_ASK_VERSIONS = """
import importlib.metadata, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def _field(path: Path, name: str) -> str:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return "unknown"


def machine() -> dict[str, str]:
    """The machine as far as it matters for the figures; nothing that names it."""
    memory_kib = _field(MEMINFO, "MemTotal").split()[0]
    return {
        "processor": _field(CPUINFO, "model name"),
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory_kib) / (1 << 20):.0f} GiB" if memory_kib.isdigit() else "unknown",
        "kernel": f"{platform.system()} {platform.release().split('-')[0]}",
        "Python": platform.python_version(),
        "16 threads that only sleep 10 ms, of 1,600 a second": f"{naps_per_second():,.0f}",
    }


def naps_per_second(seconds: float = 1.0) -> float:
    """How many waits of 10 ms 16 threads come to in a second where they do nothing else.

    What a server with 16 threads could answer here at the most: waking up late is the kernel's.
    """
    counts = [0] * SLEEPERS
    end = time.monotonic() + seconds

    def nap(number: int) -> None:
        while time.monotonic() < end:
            time.sleep(NAP_SECONDS)
            counts[number] += 1

    began = time.monotonic()
    sleepers = [threading.Thread(target=nap, args=(number,)) for number in range(SLEEPERS)]
    for sleeper in sleepers:
        sleeper.start()
    for sleeper in sleepers:
        sleeper.join()
    return sum(counts) / (time.monotonic() - began)


def installed(python: Path, distributions: list[str]) -> dict[str, str]:
    """The versions of those of the distributions that the environment of `python` has."""
    asked = subprocess.run(
        [str(python), "-c", _ASK_VERSIONS, *distributions],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, str] = json.loads(asked.stdout)
    return found


def revision(repository: Path) -> str:
    """The commit of the tree, and whether the tree differs from it; "unknown" without git."""
    try:
        commit = _git(repository, "rev-parse", "--short", "HEAD")
        changed = _git(repository, "status", "--porcelain", "--", "src", "setup.py")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit} with changes" if changed else commit


def _git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()
