"""The way to a service manager: one datagram socket, named by `NOTIFY_SOCKET`.

It is never waited for and its absence or fullness is no fault of the service's: what cannot be sent
is dropped.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping, Sequence

from canter.supervisor.notices import Notices
from canter.supervisor.roster import Roster
from canter.worker.task import Closable

_MICROSECONDS = 1_000_000


class Herald:
    """Tells the service manager what is new; where there is none, nothing.

    `environment` is that of the start, `pid` ours.
    """

    def __init__(
        self, environment: Mapping[str, str], pid: int, *, is_the_service: bool = True
    ) -> None:
        self._pid = pid
        self._is_the_service = is_the_service
        self._address = notify_address(environment)
        self._notices = Notices(watchdog_seconds(environment, pid))
        # Opened now: signs of life must not depend on there being a descriptor left later.
        self._sock: socket.socket | None = None
        if self._address is not None:
            self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._sock.setblocking(False)

    def tell(self, roster: Roster, now: float) -> None:
        """Say what is to be said at `now`."""
        if self._sock is not None:
            if self._is_the_service:
                self._send(self._notices.news(roster, now))
            self._send(self._notices.sign_of_life(now))

    def hand_to(self, pid: int) -> None:
        """Another supervisor is the service from here on, and speaks for it."""
        if self._is_the_service:
            self._send([f"MAINPID={pid}"])
        self._is_the_service = False

    def take_over(self) -> None:
        """We are the service from here on; everything is told anew."""
        if not self._is_the_service:
            self._send([f"MAINPID={self._pid}"])
        self._is_the_service = True

    def patience_seconds(self, roster: Roster, now: float) -> float | None:
        """How long nothing need be said, whatever happens; None = for ever."""
        if self._sock is None:
            return None
        deadline = self._notices.next_deadline(roster)
        return None if deadline == float("inf") else max(0.0, deadline - now)

    def copies(self) -> tuple[Closable, ...]:
        """What a worker inherits and must not keep open."""
        return () if self._sock is None else (self._sock,)

    def close(self) -> None:
        """Give back the socket."""
        if self._sock is not None:
            self._sock.close()

    def _send(self, lines: Sequence[str]) -> None:
        if lines and self._sock is not None and self._address is not None:
            with contextlib.suppress(OSError):
                self._sock.sendto("\n".join(lines).encode(), self._address)


def notify_address(environment: Mapping[str, str]) -> str | None:
    """The address in the environment; other kinds than unix sockets are not spoken to."""
    address = environment.get("NOTIFY_SOCKET", "")
    if address.startswith("@"):
        # As systemd writes it, @ stands for the NUL of an abstract address.
        return "\0" + address[1:]
    return address if os.path.isabs(address) else None


def watchdog_seconds(environment: Mapping[str, str], pid: int) -> float | None:
    """How long the manager bears silence of process `pid`; None where it has no watchdog."""
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    text = environment.get("WATCHDOG_USEC", "")
    if not (text.isascii() and text.isdigit()) or int(text) == 0:
        return None
    return int(text) / _MICROSECONDS
