"""What stands in a socket's place for TLS, by itself: what it says it has sent is what arrives."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess

import pytest

from canter.engine.tls import TlsState, TlsTransport
from tests.certificates import Authority
from tests.live import programs


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def context(authority):
    files = authority.issue("localhost")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    return context


class Held:
    """A way between a client and a transport whose end at the client is filled only on demand.

    near: the transport's socket. What the transport sends waits until `let_through`.
    """

    def __init__(self, client: socket.socket) -> None:
        self._client = client
        self.near, self._far = socket.socketpair()
        self.near.setblocking(False)

    def pass_on(self) -> None:
        """Bring the transport what the client says next; waits for it."""
        data = self._client.recv(65536)
        assert data
        self._far.sendall(data)

    def let_through(self) -> int:
        """Bring the client what the transport has sent: the number of bytes."""
        count = 0
        try:
            while data := self._far.recv(65536, socket.MSG_DONTWAIT):
                self._client.sendall(data)
                count += len(data)
        except BlockingIOError:
            pass
        return count

    def close(self) -> None:
        for end in (self.near, self._far, self._client):
            end.close()


@programs.needs("openssl")
def test_bytes_that_left_with_something_else_are_not_sent_again(context):
    # The socket is full in the middle of a record. Then the client asks for what is refused by a
    # warning, to renegotiate; there is room by then, and the warning takes the rest along.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-tls1_2"]
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        client = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere)
        way = Held(listener.accept()[0])
    try:
        transport = TlsTransport(way.near, context, True)
        while transport.state is not TlsState.OPEN:
            way.pass_on()
            transport.read(65536)
            way.let_through()
        piece = b"x" * 4096
        count = 0
        while transport.put(piece):
            count += 1
        way.let_through()
        # It has shown all but the last piece, of which it has a part. What it would read only
        # after it has begun to renegotiate is an error to it.
        assert client.stdin
        assert client.stdout
        shown = b""
        while shown.count(piece) < count - 1:
            more = os.read(client.stdout.fileno(), 65536)
            assert more
            shown += more
        client.stdin.write(b"R\n")
        client.stdin.flush()
        way.pass_on()
        assert transport.read(65536) is None
        assert not transport.unsent
        way.let_through()
        assert transport.put(piece) == len(piece)
        assert way.let_through() == 0
        assert transport.put(piece) == len(piece)
        assert way.let_through() > len(piece)
    finally:
        client.kill()
        client.communicate()
        way.close()
