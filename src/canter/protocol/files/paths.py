"""Which file below a directory a path means; a path that means none is None.

A path is judged after its percent-encoding was taken off, once, as PATH_INFO has it: so `%2e%2e` is
`..`, `%2f` is `/`, and what is left of `%252e` is a name like any other.
"""

from __future__ import annotations

_NAME_BYTES = 255
_DEPTH = 64


def file_names(path: bytes) -> tuple[bytes, ...] | None:
    """The names, from the directory on, of what `path` ("css/site.css") may mean.

    None where there is a name that is empty, hidden (it begins with a dot, as `.` and `..` do), too
    long for a file system, or has a byte in it that some file system or program takes for a
    separator: NUL, backslash, a control character.
    """
    names = tuple(path.split(b"/"))
    if len(names) > _DEPTH or not all(map(_is_plain, names)):
        return None
    return names


def _is_plain(name: bytes) -> bool:
    if not name or name[0] == 0x2E or len(name) > _NAME_BYTES or b"\\" in name:
        return False
    return min(name) >= 0x20 and 0x7F not in name


def names_below(directory: bytes, path: bytes) -> tuple[bytes, ...] | None:
    """The names that lead from `directory` to the absolute `path`, both as a file system has them.

    None where it does not lie below, or `file_names` refuses them.
    """
    stem = directory.rstrip(b"/") + b"/"
    return file_names(path[len(stem) :]) if path.startswith(stem) else None
