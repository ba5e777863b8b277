"""When certificates expire, as their files say."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import trustme

from canter.net.expiry import Expiries, expires_at

if TYPE_CHECKING:
    from pathlib import Path

AUTHORITY = trustme.CA()
# Years before 2050 are written with two digits, later ones with four (RFC 5280, 4.1.2.5).
SOON = datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC)
LATE = datetime(2071, 1, 2, 3, 4, 5, tzinfo=UTC)


def issue(path: Path, until: datetime) -> str:
    certificate = AUTHORITY.issue_cert("shop.example", not_after=until)
    path.write_bytes(certificate.private_key_and_cert_chain_pem.bytes())
    return str(path)


@pytest.mark.parametrize("until", [SOON, LATE])
def test_the_end_is_that_of_the_first_certificate_of_a_file(tmp_path: Path, until: datetime):
    assert expires_at(issue(tmp_path / "one.pem", until)) == until.timestamp()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nMAIwAA==\n-----END CERTIFICATE-----\n",
    ],
)
def test_what_is_no_certificate_is_refused_and_nothing_else_is_raised(tmp_path: Path, text: str):
    path = tmp_path / "bad.pem"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"certificate|PEM|base64|padding"):
        expires_at(str(path))


def test_every_prefix_of_a_certificate_is_refused(tmp_path: Path):
    path = tmp_path / "cut.pem"
    whole = AUTHORITY.issue_cert("shop.example").cert_chain_pems[0].bytes().decode()
    body = "".join(whole.splitlines()[1:-1])
    for length in range(0, 400, 4):
        head = body[:length]
        path.write_text(f"-----BEGIN CERTIFICATE-----\n{head}\n-----END CERTIFICATE-----\n")
        with pytest.raises(ValueError, match=r"."):
            expires_at(str(path))


def test_a_changed_file_is_read_again_and_a_broken_one_keeps_what_was_known(tmp_path: Path):
    path, expiries = tmp_path / "one.pem", Expiries()
    name = issue(path, SOON)
    assert expiries.of([name, str(tmp_path / "missing")]) == {name: SOON.timestamp()}
    issue(tmp_path / "new.pem", LATE)
    os.replace(tmp_path / "new.pem", path)
    assert expiries.of([name]) == {name: LATE.timestamp()}
    path.write_text("broken")
    assert expiries.of([name]) == {name: LATE.timestamp()}
    path.unlink()
    assert expiries.of([name]) == {name: LATE.timestamp()}
