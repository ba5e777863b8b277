"""What PEP 3333 asks of a server and not every one does, where leaving it out saves work.

A breach is an error of the round: no server is called ahead for what it left out.
"""

from __future__ import annotations

import socket
import time

from benchmarks import probe
from benchmarks.apps.plain import DRIP_END, DRIP_SECONDS, DRIP_START
from benchmarks.scenarios import Duty, Request


def breaches(duty: Duty, port: int, connections: int) -> int:
    """How often the server on this port has not done its duty. Raises ProbeError or OSError.

    connections: so many requests may have been under way when the load ended.
    """
    if duty is Duty.CLOSE:
        told = probe.ask(port, Request("/unended")).body
        if not told.isdigit():
            raise probe.ProbeError("no number of requests that have not ended")
        unended = int(told)
        return unended if unended > connections else 0
    return int(_seconds_of_body(port, Request("/drip")) < DRIP_SECONDS / 2)


def _seconds_of_body(port: int, request: Request) -> float:
    """How long after the first bytes of the body its last ones come."""
    with socket.create_connection(("127.0.0.1", port), probe.ANSWER_WITHIN_SECONDS) as connection:
        connection.sendall(probe.request_bytes(port, request))
        received = b""
        began = None
        while DRIP_END not in received:
            more = connection.recv(probe.READ_BYTES)
            if not more:
                raise probe.ProbeError("the connection ended inside a message")
            received += more
            if began is None and DRIP_START in received:
                began = time.monotonic()
        now = time.monotonic()
        return now - (began or now)
