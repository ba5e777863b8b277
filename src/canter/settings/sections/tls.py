"""TLS: certificates, who has to show one, and what is spoken at least."""

from __future__ import annotations

from types import MappingProxyType

from canter.settings.kinds import Boolean, CertificateMapping, Choice, Optional, Path, Text
from canter.settings.setting import AnySetting, Section, Setting

SECTION = Section("TLS", "Certificates, who has to show one, and what is spoken at least.")

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="certfile",
        section=SECTION,
        kind=Optional(Path()),
        default=None,
        flags=("--certfile",),
        help=(
            "The file with the server's certificate and its chain, in PEM. With it TLS is spoken "
            "on every address of `bind`. A file that changes is loaded without a reload, as far "
            "as the workers' user may read it."
        ),
    ),
    Setting(
        name="keyfile",
        section=SECTION,
        kind=Optional(Path()),
        default=None,
        flags=("--keyfile",),
        help="The file with the certificate's key, in PEM; `certfile` may hold it as well.",
    ),
    Setting(
        name="keyfile_password_file",
        section=SECTION,
        kind=Optional(Path()),
        default=None,
        flags=("--keyfile-password-file",),
        help="The file whose first line is the password of encrypted keys.",
    ),
    Setting(
        name="certificates",
        section=SECTION,
        kind=CertificateMapping(),
        default=MappingProxyType({}),
        flags=("--certificate",),
        help=(
            "Certificates for further host names, chosen by the name that a client asks for (SNI). "
            "`*.example.org` stands for every name one level below. The option may be repeated; "
            "who asks for no name, or another one, gets `certfile`."
        ),
    ),
    Setting(
        name="self_signed",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--self-signed",),
        help=(
            "Whether to speak TLS with a certificate made for this start, for localhost. "
            "Browsers warn of it; it is for development. It needs the package `cryptography` or "
            "the program `openssl`."
        ),
    ),
    Setting(
        name="ca_certs",
        section=SECTION,
        kind=Optional(Path()),
        default=None,
        flags=("--ca-certs",),
        help="The file with the authorities, in PEM, whose client certificates are accepted.",
    ),
    Setting(
        name="cert_reqs",
        section=SECTION,
        kind=Choice(
            "none",
            "optional",
            "required",
            aliases={
                "0": "none",
                "1": "optional",
                "2": "required",
                "cert_none": "none",
                "cert_optional": "optional",
                "cert_required": "required",
            },
            numbers=True,
        ),
        default="none",
        flags=("--cert-reqs",),
        help=(
            "Whether clients show a certificate. What it says is in the environ as `SSL_CLIENT_*`. "
            "`optional` accepts clients without one, never clients with a wrong one."
        ),
    ),
    Setting(
        name="tls_minimum_version",
        section=SECTION,
        kind=Choice("1.0", "1.1", "1.2", "1.3"),
        default="1.2",
        flags=("--tls-minimum-version",),
        help="The lowest version of TLS that is spoken. Versions below 1.2 are broken.",
    ),
    Setting(
        name="ciphers",
        section=SECTION,
        kind=Optional(Text("LIST")),
        default=None,
        flags=("--ciphers",),
        help=(
            "The ciphers of TLS 1.2, in OpenSSL's notation. Without it they are those with forward "
            "secrecy and authenticated encryption. Those of TLS 1.3 are always on."
        ),
    ),
    Setting(
        name="suppress_ragged_eofs",
        section=SECTION,
        kind=Boolean(),
        default=True,
        flags=("--suppress-ragged-eofs",),
        help=(
            "Whether a client may close its connection without the end that TLS has for it. "
            "Many do; what is cut short is noticed by HTTP."
        ),
    ),
)
