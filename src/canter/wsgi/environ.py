"""The part of a WSGI environ that is the same for every request of one listener (PEP 3333)."""

from __future__ import annotations

from typing import Any

from canter import __version__
from canter.wsgi.file_wrapper import FileWrapper

# What every request brings its own of, and some more keys that are taken out again: a dict grows
# with its keys and keeps its size, and a copy is as large as what it was copied from, so that no
# request's environ has to grow while it is filled. (Only while two thirds of the keys are left:
# else a copy is made small.)
_REPLACED = ("wsgi.early_hints", "canter.client_disconnected")
_ROOM = tuple(f"canter.room.{number}" for number in range(8))

SERVER_SOFTWARE = f"canter/{__version__}"


def base_environ(
    *,
    server_name: str,
    server_port: str,
    multithread: bool,
    multiprocess: bool,
    errors: Any,
    script_name: str = "",
) -> dict[str, Any]:
    """What every request starts from; the engine copies it and adds the request's own keys.

    wsgi.early_hints and canter.client_disconnected are empty until it does.

    errors: a text stream for wsgi.errors. script_name: where the application is mounted; a request
    that says otherwise goes before it.
    """
    environ = {
        "SERVER_NAME": server_name,
        "SERVER_PORT": server_port,
        "SERVER_SOFTWARE": SERVER_SOFTWARE,
        "SCRIPT_NAME": script_name,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": errors,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": multiprocess,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
        **dict.fromkeys(_REPLACED, ""),
    }
    environ |= dict.fromkeys(_ROOM)
    for key in _ROOM:
        del environ[key]
    return environ
