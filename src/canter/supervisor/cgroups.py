"""The control groups that this process is in, of both versions, as far as they can be read."""

from __future__ import annotations

import os
from collections.abc import Iterator

ROOT = "/sys/fs/cgroup"
OURS = "/proc/self/cgroup"


def group_path(proc: str, controller: str) -> str | None:
    """Our group in the hierarchy of `controller` ("" is the unified one)."""
    for line in read(proc).splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            return path
    return None


def group_directories(proc: str, root: str, controller: str) -> Iterator[str]:
    """Where the files of our group may be, the likeliest first.

    Inside a container the group's own path is often not there, and the mount's root is it.
    """
    path = group_path(proc, controller)
    if path is not None:
        for base in (os.path.join(root, controller), os.path.join(root, "unified")):
            for directory in (path.strip("/"), ""):
                yield os.path.join(base, directory)


def read(path: str) -> str:
    """What is in the file; nothing where it cannot be read."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
