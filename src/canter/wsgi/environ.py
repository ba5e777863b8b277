"""The part of a WSGI environ that is the same for every request of one listener (PEP 3333)."""

from __future__ import annotations

from typing import Any

from canter import __version__
from canter.wsgi.file_wrapper import FileWrapper

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

    errors: a text stream for wsgi.errors. script_name: where the application is mounted; a request
    that says otherwise goes before it.
    """
    return {
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
    }
