"""What applications see of a connection's TLS, under the names that Apache's mod_ssl gave it."""

from __future__ import annotations

import ssl
from typing import Any

# How mod_ssl abbreviates the parts of a distinguished name (RFC 4514 section 3 for most).
_SHORT = {
    "commonName": "CN",
    "countryName": "C",
    "domainComponent": "DC",
    "emailAddress": "emailAddress",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "stateOrProvinceName": "ST",
    "streetAddress": "STREET",
    "userId": "UID",
}
_IN_NAMES = frozenset({"CN", "C", "L", "O", "OU", "ST", "UID", "emailAddress"})


def tls_environ(tls: ssl.SSLObject) -> dict[str, Any]:
    """The keys that every request of this connection gets."""
    environ: dict[str, Any] = {
        "HTTPS": "on",
        "wsgi.url_scheme": "https",
        "SSL_PROTOCOL": tls.version() or "",
        "SSL_SESSION_RESUMED": "Resumed" if tls.session_reused else "Initial",
        "SSL_CLIENT_VERIFY": "NONE",
    }
    cipher = tls.cipher()
    if cipher is not None:
        name, _, bits = cipher
        environ["SSL_CIPHER"] = name
        environ["SSL_CIPHER_USEKEYSIZE"] = str(bits)
    der = tls.getpeercert(binary_form=True)
    if der:
        environ["SSL_CLIENT_CERT"] = ssl.DER_cert_to_PEM_cert(der)
        # The ssl module shows the parts of a certificate only when it was verified.
        details: dict[str, Any] = tls.getpeercert() or {}
        if details:
            environ["SSL_CLIENT_VERIFY"] = "SUCCESS"
            _describe(environ, details)
    return environ


def _describe(environ: dict[str, Any], details: dict[str, Any]) -> None:
    for key, name in (("SSL_CLIENT_S_DN", "subject"), ("SSL_CLIENT_I_DN", "issuer")):
        parts = [part for group in details.get(name, ()) for part in group]
        environ[key] = distinguished_name(parts)
        for kind, value in parts:
            short = _SHORT.get(kind, kind)
            if short in _IN_NAMES:
                short = "Email" if short == "emailAddress" else short
                environ.setdefault(f"{key}_{short}", _latin(value))
    environ["SSL_CLIENT_M_SERIAL"] = str(details.get("serialNumber", ""))
    environ["SSL_CLIENT_M_VERSION"] = str(details.get("version", ""))
    environ["SSL_CLIENT_V_START"] = str(details.get("notBefore", ""))
    environ["SSL_CLIENT_V_END"] = str(details.get("notAfter", ""))
    counts: dict[str, int] = {}
    for kind, value in details.get("subjectAltName", ()):
        if kind in {"DNS", "email"}:
            number = counts[kind] = counts.get(kind, -1) + 1
            name = "DNS" if kind == "DNS" else "Email"
            environ[f"SSL_CLIENT_SAN_{name}_{number}"] = _latin(value)


def distinguished_name(parts: list[tuple[str, str]]) -> str:
    """A name as RFC 4514 writes it: the most special part first, what means something escaped."""
    return ",".join(
        f"{_SHORT.get(kind, kind)}={_escaped(value)}" for kind, value in reversed(parts)
    )


def _escaped(value: str) -> str:
    text = "".join("\\" + sign if sign in '\\",+;<>' else sign for sign in value)
    if text.startswith((" ", "#")):
        text = "\\" + text
    if text.endswith(" ") and not text.endswith("\\ "):
        text = text[:-1] + "\\ "
    return _latin(text)


def _latin(text: str) -> str:
    """A text as PEP 3333 wants it: its UTF-8 bytes as latin-1, without control characters."""
    shown = "".join(sign if sign >= " " and sign != "\x7f" else "?" for sign in text)
    return shown.encode().decode("latin-1")
