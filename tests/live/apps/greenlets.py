"""An application that is written for threads and does not know that they have become greenlets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from tests.live.apps import plain

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

SOCKET_CLASS = f"{socket.socket.__module__}.{socket.socket.__qualname__}"
TICKS = [0]
INSIDE = [0]
OPENED = threading.Event()


def tick() -> None:
    while True:
        TICKS[0] += 1
        time.sleep(0.01)


threading.Thread(target=tick, daemon=True).start()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/wait":
        INSIDE[0] += 1
        OPENED.wait(plain.LONGEST_WAIT_SECONDS)
        INSIDE[0] -= 1
        return plain.text_answer(start_response, "opened")
    if path == "/stubborn":
        while True:
            with suppress(BaseException):
                time.sleep(plain.LONGEST_WAIT_SECONDS)
    if path == "/open":
        OPENED.set()
    if path in {"/open", "/look"}:
        seen = {"inside": INSIDE[0], "ticks": TICKS[0], "socket": SOCKET_CLASS}
        return plain.json_answer(start_response, seen)
    return plain.application(environ, start_response)
