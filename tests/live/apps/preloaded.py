"""Says where it was imported and where it runs; starts what a fork leaves behind when asked."""

from __future__ import annotations

import json
import os
import socket
import threading
from typing import TYPE_CHECKING, Any

from tests.live.apps.plain import asked

if TYPE_CHECKING:
    from collections.abc import Callable

IMPORTED_BY = os.getpid()


if "STRANDED" in os.environ:
    threading.Thread(target=threading.Event().wait, name="the poller", daemon=True).start()
    host, _, port = os.environ["STRANDED"].rpartition(":")
    DATABASE = socket.create_connection((host, int(port)))


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    said = {
        "tag": asked(environ, "tag"),
        "pid": os.getpid(),
        "parent": os.getppid(),
        "imported_by": IMPORTED_BY,
        "multiprocess": environ["wsgi.multiprocess"],
        "descriptors": sorted(os.listdir("/proc/self/fd")),
    }
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(said).encode()]
