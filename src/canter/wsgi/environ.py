"""The part of a WSGI environ that is the same for every request of one listener (PEP 3333)."""

from __future__ import annotations

from typing import Any

from canter.wsgi.file_wrapper import FileWrapper


def base_environ(
    *,
    server_name: str,
    server_port: str,
    multithread: bool,
    multiprocess: bool,
    errors: Any,
) -> dict[str, Any]:
    """What every request starts from; the engine copies it and adds the request's own keys.

    errors: a text stream for wsgi.errors.
    """
    return {
        "SERVER_NAME": server_name,
        "SERVER_PORT": server_port,
        "SERVER_SOFTWARE": "canter",
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": errors,
        "wsgi.multithread": multithread,
        "wsgi.multiprocess": multiprocess,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
        "wsgi.input_terminated": True,
    }
