"""Certificates for tests: an authority, servers and clients, as files."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Files:
    """A certificate and its key as PEM files."""

    certificate: Path
    key: Path

    def options(self) -> tuple[str, ...]:
        """What has the server use it."""
        return ("--certfile", str(self.certificate), "--keyfile", str(self.key))


class Authority:
    """Signs certificates and writes them below `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._ca = trustme.CA(organization_name="canter's tests")
        self.file = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def issue(self, *names: str, into: str = "", common_name: str | None = None) -> Files:
        """A certificate for these names; written over what `into` already holds."""
        made = self._ca.issue_cert(*names, common_name=common_name)
        stem = into or names[0].replace("*", "any")
        files = Files(self._folder / f"{stem}.pem", self._folder / f"{stem}.key")
        chain = b"".join(blob.bytes() for blob in made.cert_chain_pems)
        files.key.write_bytes(made.private_key_pem.bytes())
        files.certificate.write_bytes(chain)
        return files

    def client_context(self, *protocols: str, shows: Files | None = None) -> ssl.SSLContext:
        """A client's context that trusts this authority alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.file)
        if protocols:
            context.set_alpn_protocols(list(protocols))
        if shows is not None:
            context.load_cert_chain(shows.certificate, shows.key)
        return context
