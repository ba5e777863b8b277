"""Opening a file below a directory, and never one that lies elsewhere: ADR 0027.

Every name is opened from the descriptor of the directory before it, and no symbolic link is
followed. Where there is one, the kernel is asked where it leads, and that path is walked in its
turn: what the kernel says is a proposal, and the walk is what decides, so that nobody who changes
links meanwhile gets anything out.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from typing import NamedTuple

from canter.protocol.files.codings import SUFFIXES
from canter.protocol.files.paths import names_below

# A descriptor that only leads on: it needs no right to read, and Linux has a flag for it.
_TO_WALK = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
# O_NONBLOCK: what became a FIFO in this moment must not hold anybody up.
_TO_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NOT_THERE = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ}
)


class OpenFile(NamedTuple):
    """A regular file, open for reading; whoever has it closes the descriptor."""

    descriptor: int
    size: int
    modified_ns: int
    coding: str = ""


class _Link(Exception):
    """A name is a symbolic link."""


def open_below(
    directory: bytes, names: Sequence[bytes], codings: Sequence[str] = ()
) -> OpenFile | None:
    """The regular file that `names` lead to from `directory`, or the first of its variants.

    codings: of SUFFIXES; a variant is the file with that suffix beside it. None where there is no
    such file: also where it is no regular one, or where a link leads out of the directory or to
    something hidden. Raises OSError for what else keeps it from being opened, such as rights or too
    many open files. `directory` itself may be a link.
    """
    try:
        try:
            return _walk(directory, names, codings)
        except _Link:
            base = os.path.realpath(directory)
            found = names_below(base, os.path.realpath(os.path.join(base, *names)))
            return None if found is None else _walk(base, found, codings)
    except _Link:
        return None
    except OSError as error:
        if error.errno in _NOT_THERE:
            return None
        raise


def _walk(directory: bytes, names: Sequence[bytes], codings: Sequence[str]) -> OpenFile | None:
    folder = os.open(directory, _TO_WALK)
    try:
        for name in names[:-1]:
            below = _step(folder, name)
            os.close(folder)
            folder = below
        name = names[-1]
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            raise _Link
        if not stat.S_ISREG(mode):  # opening a FIFO or a device does something to it
            return None
        for coding in codings:
            variant = _variant(folder, name + SUFFIXES[coding], coding)
            if variant is not None:
                return variant
        return _open(folder, name)
    finally:
        os.close(folder)


def _step(folder: int, name: bytes) -> int:
    try:
        return os.open(name, _TO_WALK | os.O_NOFOLLOW, dir_fd=folder)
    except OSError as error:
        if error.errno in {errno.ENOTDIR, errno.ELOOP} and _is_link(folder, name):
            raise _Link from None
        raise


def _is_link(folder: int, name: bytes) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def _variant(folder: int, name: bytes, coding: str) -> OpenFile | None:
    """A compressed variant that is a regular file and can be read."""
    try:
        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            return None
        return _open(folder, name, coding)
    except OSError as error:
        if error.errno in _NOT_THERE or error.errno == errno.EACCES:
            return None
        raise


def _open(folder: int, name: bytes, coding: str = "") -> OpenFile | None:
    descriptor = os.open(name, _TO_READ, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            return OpenFile(descriptor, status.st_size, status.st_mtime_ns, coding)
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return None
