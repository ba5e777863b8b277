"""What a server's processes cost, read from /proc: processor time, memory, peak memory (Linux)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
KIBIBYTES_PER_MEBIBYTE = 1024
PROC = Path("/proc")


def stat_fields(text: str) -> list[str]:
    """The fields of a /proc/PID/stat line from the third (state) on; the name may hold anything."""
    return text.rpartition(")")[2].split()


def parents() -> dict[int, int]:
    """The parent of every process there is now."""
    found = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                found[int(entry.name)] = int(stat_fields((entry / "stat").read_text())[1])
    return found


def tree_of(root: int, parent_of: dict[int, int]) -> list[int]:
    """`root` and its descendants, ancestors first."""
    tree = [root]
    for pid in tree:  # grows while it is walked
        tree += [child for child, parent in parent_of.items() if parent == pid]
    return tree


def tree(root: int) -> list[int]:
    """The living processes of the tree under `root`, itself included."""
    return tree_of(root, parents())


def processor_seconds(root: int) -> float:
    """Processor time of the tree so far, with that of its children that have been waited for."""
    ticks = 0
    for pid in tree(root):
        with contextlib.suppress(OSError):
            # utime, stime, cutime, cstime are fields 14 to 17 of proc(5), counted from 1.
            ticks += sum(map(int, stat_fields((PROC / str(pid) / "stat").read_text())[11:15]))
    return ticks / TICKS_PER_SECOND


def _kibibytes(path: Path, name: str) -> int:
    with contextlib.suppress(OSError):
        for line in path.read_text().splitlines():
            if line.startswith(name):
                return int(line.split()[1])
    return 0


def memory_mib(root: int) -> float:
    """Proportional set size of the tree: pages that processes share are counted once in all."""
    total = sum(_kibibytes(PROC / str(pid) / "smaps_rollup", "Pss:") for pid in tree(root))
    return total / KIBIBYTES_PER_MEBIBYTE


def forget_peak(root: int) -> None:
    """Start the peak of every process of the tree anew from what it holds now."""
    for pid in tree(root):
        with contextlib.suppress(OSError):
            (PROC / str(pid) / "clear_refs").write_text("5")


def peak_mib(root: int) -> float:
    """The sum of the most that each process of the tree has had resident since `forget_peak`."""
    total = sum(_kibibytes(PROC / str(pid) / "status", "VmHWM:") for pid in tree(root))
    return total / KIBIBYTES_PER_MEBIBYTE
