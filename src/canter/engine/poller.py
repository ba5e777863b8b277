"""Readiness of sockets, from the kernel: epoll on Linux, kqueue on macOS and the BSDs.

Connections are registered once, edge-triggered, for reading, and for writing once they have output
that the socket did not take: no system call re-arms them, and whoever gets an event must use the
socket until it would block. Earlier than that, room would be news of every answer that a client of
a unix socket takes. Listeners are level-triggered, and can be taken out while the worker wants no
new connections.
"""

from __future__ import annotations

import contextlib
import select
import sys
from typing import Protocol

READABLE = 0x001
WRITABLE = 0x004
FAILED = 0x008
HANGUP = 0x010
PEER_ENDED = 0x2000
"""The client has closed its sending side; what it sent before may still be unread."""

_EVENTS_AT_ONCE = 256


class Poller(Protocol):
    """The kernel's readiness queue."""

    def add_connection(self, fd: int) -> None:
        """Watch a connection until it is closed; twice is as good as once."""

    def add_writing(self, fd: int) -> None:
        """Tell of a connection that is watched also when it takes more again, from now on."""

    def remove_connection(self, fd: int) -> None:
        """Watch it no longer; only needed where the socket lives on after it is closed here."""

    def add_listener(self, fd: int) -> None:
        """Watch a listening socket, or the reading end of a pipe."""

    def remove_listener(self, fd: int) -> None:
        """Watch it no longer."""

    def poll(self, seconds: float) -> list[tuple[int, int]]:
        """Wait for events: (descriptor, bits of the constants above)."""

    def close(self) -> None:
        """Give the queue back."""


if sys.platform == "linux":
    _READING = select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET
    _BOTH = _READING | select.EPOLLOUT

    class EpollPoller:
        """epoll(7); its bits are the constants above."""

        def __init__(self) -> None:
            self._epoll = select.epoll()

        def add_connection(self, fd: int) -> None:
            """Watch a connection until it is closed."""
            try:
                self._epoll.register(fd, _READING)
            except FileExistsError:
                pass  # another thread has just done the same, or more

        def add_writing(self, fd: int) -> None:
            """Tell also when it takes more again."""
            try:
                self._epoll.modify(fd, _BOTH)
            except FileNotFoundError:  # another thread is about to register it
                self._epoll.register(fd, _BOTH)

        def remove_connection(self, fd: int) -> None:
            """Watch it no longer."""
            self._epoll.unregister(fd)

        def add_listener(self, fd: int) -> None:
            """Watch a listening socket; EPOLLEXCLUSIVE wakes one worker for one connection."""
            self._epoll.register(fd, select.EPOLLIN | select.EPOLLEXCLUSIVE)

        def remove_listener(self, fd: int) -> None:
            """Watch it no longer."""
            self._epoll.unregister(fd)

        def poll(self, seconds: float) -> list[tuple[int, int]]:
            """Wait for events."""
            return self._epoll.poll(seconds, _EVENTS_AT_ONCE)

        def close(self) -> None:
            """Give the queue back."""
            self._epoll.close()

    def make_poller() -> Poller:
        """The best poller of this platform."""
        return EpollPoller()

else:

    class KqueuePoller:
        """kqueue(2)."""

        def __init__(self) -> None:
            self._kqueue = select.kqueue()

        def _change(self, fd: int, filters: tuple[int, ...], flags: int) -> None:
            self._kqueue.control([select.kevent(fd, kind, flags) for kind in filters], 0)

        def add_connection(self, fd: int) -> None:
            """Watch a connection until it is closed."""
            self._change(fd, (select.KQ_FILTER_READ,), select.KQ_EV_ADD | select.KQ_EV_CLEAR)

        def add_writing(self, fd: int) -> None:
            """Tell also when it takes more again."""
            self._change(fd, (select.KQ_FILTER_WRITE,), select.KQ_EV_ADD | select.KQ_EV_CLEAR)

        def remove_connection(self, fd: int) -> None:
            """Watch it no longer."""
            for kind in (select.KQ_FILTER_READ, select.KQ_FILTER_WRITE):
                with contextlib.suppress(FileNotFoundError):  # not all are told of room
                    self._change(fd, (kind,), select.KQ_EV_DELETE)

        def add_listener(self, fd: int) -> None:
            """Watch a listening socket, or the reading end of a pipe."""
            self._change(fd, (select.KQ_FILTER_READ,), select.KQ_EV_ADD)

        def remove_listener(self, fd: int) -> None:
            """Watch it no longer."""
            self._change(fd, (select.KQ_FILTER_READ,), select.KQ_EV_DELETE)

        def poll(self, seconds: float) -> list[tuple[int, int]]:
            """Wait for events."""
            found: list[tuple[int, int]] = []
            for event in self._kqueue.control(None, _EVENTS_AT_ONCE, seconds):
                bits = READABLE if event.filter == select.KQ_FILTER_READ else WRITABLE
                if event.flags & select.KQ_EV_EOF:
                    bits |= PEER_ENDED if bits == READABLE else HANGUP
                    if event.fflags:  # an error number: it did not just end
                        bits |= FAILED
                found.append((event.ident, bits))
            return found

        def close(self) -> None:
            """Give the queue back."""
            self._kqueue.close()

    def make_poller() -> Poller:
        """The best poller of this platform."""
        return KqueuePoller()
