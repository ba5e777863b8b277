"""A certificate for development, made on the spot and kept nowhere."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from canter.errors import ConfigError

_NAMES = "DNS:localhost,DNS:*.localhost,IP:127.0.0.1,IP:::1"
_DAYS = 30
_OPENSSL_SECONDS = 30
_made: list[bytes] = []


@contextmanager
def self_signed_file() -> Iterator[str]:
    """The path of a file with a certificate and its key, removed at the end.

    The same certificate each time in one process, so that a browser has to be told only once.
    Raises ConfigError when there is nothing to make one with.
    """
    if not _made:
        _made.append(_make())
    with tempfile.TemporaryDirectory(prefix="canter-") as folder:  # mode 0700
        path = os.path.join(folder, "self-signed.pem")
        with open(path, "wb") as file:
            file.write(_made[0])
        yield path


def _make() -> bytes:
    with suppress(ImportError):
        return _by_cryptography()
    if shutil.which("openssl") is None:
        raise ConfigError(
            "self_signed needs the package cryptography (pip install cryptography) "
            "or the program openssl, and neither is here"
        )
    return _by_openssl()


def _by_cryptography() -> bytes:
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.DNSName("*.localhost")]
    addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([*names, *addresses]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _by_openssl() -> bytes:
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", str(_DAYS), "-subj", "/CN=localhost"]
    command += ["-addext", f"subjectAltName={_NAMES}", "-keyout", "-", "-out", "-"]
    try:
        made = subprocess.run(  # noqa: S603 - the words are ours
            command, capture_output=True, check=True, timeout=_OPENSSL_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise ConfigError(f"self_signed: openssl made no certificate: {error}") from None
    return made.stdout
