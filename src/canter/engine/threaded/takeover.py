"""environ["gunicorn.socket"]: the client's connection, for an application that takes it over.

A request that asks for another protocol (RFC 9110 section 7.8, WebSocket for one) has in its
environ what looks like the client's socket. As long as the application does no more than look at
it, the request is like any other. With its first use the connection is the application's: nothing
of the response is sent, nothing is read, the request has no time limit, and when the call is over
the connection ends.

What the application gets is a duplicate of the socket, so that it can close it whenever it likes
without the server's descriptor becoming somebody else's. Where bytes are not the socket's own
(TLS lies between, or some had come along with the request) it gets an end of a socket pair, and a
`Relay` carries what passes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import threading
from typing import Any

from canter.engine.threaded.connection import After, Connection

KEY = "gunicorn.socket"
_PIECE_BYTES = 64 * 1024
# What is the client's socket's own, whoever has the bytes.
_LOOKS = frozenset(
    {"family", "type", "proto", "getpeername", "getsockname", "getsockopt", "setsockopt"}
)


class ClientSocket:
    """Stands for a client's socket, with its methods; the first that is used takes it over.

    Raises OSError where the request is over.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._request = connection.request
        self._sock: socket.socket | None = None
        self._relay: Relay | None = None
        self._kept = False

    def __repr__(self) -> str:
        return "<the client's socket>" if self._sock is None else f"<taken over: {self._sock!r}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(socket.socket, name):
            raise AttributeError(f"a socket has no {name}")
        if name in _LOOKS:
            return getattr(self._connection.client_socket(), name)
        return getattr(self._taken(), name)

    def close(self) -> None:
        """Send what was given to it, then the end."""
        self._taken().close()
        if self._relay is None and not self._kept:
            self._shut(socket.SHUT_WR)

    def detach(self) -> int:
        """Its descriptor, which the application keeps beyond the call."""
        sock = self._taken()
        self._kept = self._relay is None
        return sock.detach()

    def dup(self) -> socket.socket:
        """A socket of the application's own, which it keeps beyond the call."""
        sock = self._taken()
        self._kept = self._relay is None
        return sock.dup()

    def _taken(self) -> socket.socket:
        sock = self._sock
        if sock is not None:
            return sock
        connection = self._connection
        exchange = connection.exchange
        if exchange is None or connection.request is not self._request:
            raise OSError(errno.EBADF, "the request is over, and its connection with it")
        connection.flush_all()
        exchange.give_up_answer()
        connection.taken = self
        if connection.member is not None:
            connection.member.wait_for_client()
        early = connection.reader.take_rest()
        if early or not connection.has_plain_bytes():
            self._relay = Relay(connection, early)
            sock = self._relay.end
        else:
            sock = socket.socket(fileno=os.dup(connection.fd))
            sock.setblocking(True)
        self._sock = sock
        return sock

    # -- for the engine -----------------------------------------------------------------------

    def give_back(self) -> After:
        """The application's call is over: how the connection goes on."""
        if self._kept:
            assert self._sock is not None
            self._sock.close()
            return After.CLOSE
        if self._relay is not None:
            self._relay.finish()
        else:
            os.set_blocking(self._connection.fd, False)
        return After.LINGER

    def end(self) -> None:
        """The connection is about to be closed; whoever still waits at it hears of it."""
        if not self._kept:
            self._shut(socket.SHUT_RDWR)

    def _shut(self, how: int) -> None:
        with contextlib.suppress(OSError):
            self._connection.client_socket().shutdown(how)

    def __del__(self) -> None:
        if self._sock is not None:
            self._sock.close()


class Relay:
    """Carries bytes between an application and its client, in a thread of its own.

    end: the application's end. early: what has come from the client before. It goes on until the
    application ends its side, then the client hears of the end.
    """

    def __init__(self, connection: Connection, early: bytes) -> None:
        self.end, self._inner = socket.socketpair()
        self._inner.setblocking(False)
        self._connection = connection
        self._to_application = early
        self._to_client = b""
        self._client_speaks = True
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Send what the application has said, and stop."""
        with contextlib.suppress(OSError):
            self._inner.shutdown(socket.SHUT_RDWR)  # what was sent before can still be received
        self._thread.join()
        self._inner.close()

    def _run(self) -> None:
        try:
            while self._go_on():
                pass
            self._connection.shut()
        except OSError:
            self._connection.cut()  # the client is gone, or takes nothing
        finally:
            with contextlib.suppress(OSError):
                self._inner.shutdown(socket.SHUT_RDWR)

    def _go_on(self) -> bool:
        """Carry what there is, else wait; False at the application's end. OSError: the client's."""
        if self._client_speaks and not self._to_application:
            self._hear_client()
        waiting = select.poll()
        # Of each side more is read when what it said before has gone.
        of_application = 0 if self._to_client else select.POLLIN
        of_client = select.POLLOUT if self._to_client else 0
        if self._to_application:
            of_application |= select.POLLOUT
        elif self._client_speaks:
            of_client |= select.POLLIN
        if of_application:
            waiting.register(self._inner.fileno(), of_application)
        if of_client:
            waiting.register(self._connection.fd, of_client)
        seconds = self._connection.config.send_timeout_seconds if self._to_client else 0
        if not waiting.poll(seconds * 1000 if seconds > 0 else None):
            raise TimeoutError
        if self._to_application:
            self._tell_application()
        if self._to_client:
            self._tell_client()
            return True
        return self._hear_application()

    def _hear_client(self) -> None:
        data = self._connection.draw()
        if data:
            self._to_application = data
        elif data is not None:
            self._client_speaks = False
            with contextlib.suppress(OSError):
                self._inner.shutdown(socket.SHUT_WR)

    def _tell_application(self) -> None:
        try:
            sent = self._inner.send(self._to_application)
        except BlockingIOError:
            return
        except OSError:  # it has closed its end
            self._to_application = b""
            self._client_speaks = False
            return
        self._to_application = self._to_application[sent:]

    def _hear_application(self) -> bool:
        try:
            self._to_client = self._inner.recv(_PIECE_BYTES)
        except BlockingIOError:
            return True
        return bool(self._to_client)

    def _tell_client(self) -> None:
        with contextlib.suppress(BlockingIOError):
            sent = self._connection.sock.send(self._to_client)
            self._to_client = self._to_client[sent:]
