"""Where the control socket of a server is, worked out alike by the server and by who looks for it.

What a server is known by is its pid file, or else the directory it works in. The name of the socket
is made from that, so that several servers of one user each have their own.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping

_NOT_PLAIN = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_CHARACTERS = 24
_DIGEST_CHARACTERS = 10


def control_paths(
    directory: str, environment: Mapping[str, str], *, chosen: str | None, pid_file: str | None
) -> list[str]:
    """The places of the control socket, in order: the server takes the first that it can have.

    `directory` is where the server works; `chosen` and `pid_file`, the settings, may be relative to
    it. No place at all means that the user has no home.
    """
    directory = os.path.realpath(directory)
    if chosen is not None:
        return [os.path.join(directory, chosen)]
    key = directory
    if pid_file is not None:
        # The file itself may not be there yet, or be a link that is replaced.
        folder, name = os.path.split(os.path.join(directory, pid_file))
        key = os.path.join(os.path.realpath(folder), name)
    name = _name(key)
    return [os.path.join(folder, name) for folder in _folders(environment)]


def _folders(environment: Mapping[str, str]) -> list[str]:
    """The runtime directory is gone after the last log-out, or not there at all for services."""
    folders = []
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime) and os.path.isdir(runtime):
        folders.append(os.path.join(runtime, "canter"))
    home = os.path.expanduser("~")
    if os.path.isabs(home):
        folders.append(os.path.join(home, ".canter"))
    return folders


def _name(key: str) -> str:
    """A readable part for people, and a digest that no two keys share."""
    readable = _NOT_PLAIN.sub("-", os.path.basename(key))[:_NAME_CHARACTERS].strip("-.")
    digest = hashlib.sha256(os.fsencode(key)).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{readable or 'server'}-{digest}.ctl"
