"""What parity tests serve: an application that shows what it was given, under several names.

It imports nothing but the standard library, because Gunicorn's environment has nothing else.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The environ as JSON; `/slow` waits until the file `gate` exists, `/fail` raises.

    `/exit` leaves the process, as far as the server lets it; `/take` takes the connection over.
    """
    path = environ["PATH_INFO"]
    if path == "/slow":
        Path("entered").touch()
        while not Path("gate").exists():
            time.sleep(0.01)
    if path == "/print":
        sys.stdout.write("printed by the application\n")
        sys.stdout.flush()
    if path == "/fail":
        raise RuntimeError("as asked")
    if path == "/exit":
        sys.exit(7)
    if path == "/take":
        client = environ["gunicorn.socket"]
        client.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        client.sendall(client.recv(100))
        client.close()
        raise StopIteration
    environ["wsgi.input"].read()
    body = json.dumps(shown(environ)).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", [*headers, ("X-Test", "value")])
    return [body]


def shown(environ: dict[str, Any]) -> dict[str, Any]:
    """The environ's texts, and the types of the rest; what the process is, besides."""
    result = {
        key: value if isinstance(value, str | bool | tuple) else type(value).__name__
        for key, value in environ.items()
    }
    return result | {
        "test.pid": os.getpid(),
        "test.cwd": str(Path.cwd()),
        "test.variable": os.environ.get("TEST_VARIABLE", ""),
        "test.server_software": os.environ.get("SERVER_SOFTWARE", ""),
        "test.path": sys.path[:3],
    }


def silent(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Says nothing of a status."""
    return [b"body"]


app = application
not_callable = 3


def make(greeting: str = "hello", *, times: int = 1) -> Callable[..., Any]:
    """A factory: an application that repeats a greeting."""

    def greet(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [greeting.encode() * times]

    return greet


def make_with_paste(global_conf: dict[str, str]) -> Callable[..., Any]:
    """The same for PasteDeploy."""
    return make(global_conf["greeting"])
