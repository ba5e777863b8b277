"""The bare client of `raw_http` with TLS on its socket."""

from __future__ import annotations

import ssl

from tests.live.raw_http import Address, Client


class TlsClient(Client):
    """One connection whose handshake is done."""

    def __init__(
        self,
        address: Address,
        context: ssl.SSLContext,
        name: str = "localhost",
        *,
        receive_buffer_bytes: int = 0,
        session: ssl.SSLSession | None = None,
    ) -> None:
        super().__init__(address, receive_buffer_bytes=receive_buffer_bytes)
        try:
            self.before_tls()
            self.tls = context.wrap_socket(
                self.socket,
                server_hostname=name,
                session=session,
                suppress_ragged_eofs=False,
            )
        except BaseException:
            self.socket.close()
            raise
        self.socket = self.tls

    def before_tls(self) -> None:
        """What is sent in the clear, ahead of the handshake."""

    def say_goodbye(self) -> None:
        """Send close_notify, and go on reading."""
        self.tls.settimeout(0)
        try:
            self.tls.unwrap()
        except ssl.SSLWantReadError:
            pass
