"""Keyrings: what files make of a context, what is wrong with them, and their renewal."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from canter.errors import ConfigError
from canter.net.certificates import Keyring, Pair, TlsPlan, Verify
from canter.net.self_signed import self_signed_file
from tests.certificates import Authority


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def pair(authority):
    files = authority.issue("localhost", into="server")
    return Pair(str(files.certificate), str(files.key))


def shown_to(keyring, authority, name="localhost"):
    """The names in the certificate that a client gets that asks for `name`."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = authority.client_context()
    context.check_hostname = False
    client = context.wrap_bio(down, up, server_hostname=name)
    server = keyring.context.wrap_bio(up, down, server_side=True)
    sides = [client, server]
    while sides:
        for side in list(sides):
            try:
                side.do_handshake()
                sides.remove(side)
            except ssl.SSLWantReadError:
                pass
    details = client.getpeercert()
    assert details
    return [value for _, value in details["subjectAltName"]]


def test_a_key_may_be_in_the_certificate_s_file(authority, pair, tmp_path):
    both = tmp_path / "both.pem"
    both.write_bytes(Path(pair.certfile).read_bytes() + Path(str(pair.keyfile)).read_bytes())
    assert shown_to(Keyring(TlsPlan(Pair(str(both)))), authority) == ["localhost"]


def test_clients_get_the_certificate_of_the_name_they_ask_for(authority, pair):
    named = []
    for name in ("a.example", "*.b.example"):
        files = authority.issue(name)
        named.append((name, Pair(str(files.certificate), str(files.key))))
    keyring = Keyring(TlsPlan(pair, tuple(named)))
    assert shown_to(keyring, authority, "a.example") == ["a.example"]
    assert shown_to(keyring, authority, "A.Example") == ["a.example"]
    assert shown_to(keyring, authority, "x.b.example") == ["*.b.example"]
    assert shown_to(keyring, authority, "y.x.b.example") == ["localhost"]
    assert shown_to(keyring, authority, "other.example") == ["localhost"]


def test_an_encrypted_key_is_opened_by_its_password(authority, pair, tmp_path):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (Debian package openssl)")
    sealed = tmp_path / "sealed.key"
    command = ["openssl", "pkey", "-in", str(pair.keyfile), "-aes256", "-passout", "pass:secret"]
    subprocess.run([*command, "-out", str(sealed)], check=True, capture_output=True)
    password = tmp_path / "password"
    password.write_text("secret\nnot this\n")
    plan = TlsPlan(Pair(pair.certfile, str(sealed)), password_file=str(password))
    assert shown_to(Keyring(plan), authority) == ["localhost"]
    with pytest.raises(ConfigError, match="the key is encrypted; keyfile_password_file opens it"):
        Keyring(TlsPlan(Pair(pair.certfile, str(sealed))))
    password.write_text("wrong\n")
    with pytest.raises(ConfigError, match="the password does not open the key"):
        Keyring(plan)


def test_what_is_wrong_with_the_files_is_said_in_one_message(authority, pair, tmp_path):
    other = authority.issue("other.example")
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("no certificate")
    wrong = {
        "cannot read .*missing.pem: No such file": TlsPlan(Pair(str(tmp_path / "missing.pem"))),
        "does not belong to the certificate in": TlsPlan(Pair(pair.certfile, str(other.key))),
        "rubbish.pem: no certificate and key": TlsPlan(Pair(str(rubbish))),
        "OpenSSL knows none of 'nonsense'": TlsPlan(pair, ciphers="nonsense"),
        "rubbish.pem: no certificates": TlsPlan(pair, ca_certs=str(rubbish)),
        "cannot read .*gone.pem": TlsPlan(pair, ca_certs=str(tmp_path / "gone.pem")),
    }
    for message, plan in wrong.items():
        with pytest.raises(ConfigError, match=message):
            Keyring(plan)


def test_changed_files_are_loaded_and_bad_ones_are_not(authority, pair):
    keyring = Keyring(TlsPlan(pair))
    assert not keyring.review()
    first = keyring.context
    authority.issue("renewed.example", "localhost", into="server")
    assert keyring.review()
    assert keyring.context is not first
    assert "renewed.example" in shown_to(keyring, authority)
    second = keyring.context
    Path(str(pair.keyfile)).write_text("half a file")
    with pytest.raises(ConfigError):
        keyring.review()
    assert keyring.context is second
    assert not keyring.review()  # the same files are not tried again
    Path(pair.certfile).unlink()
    with pytest.raises(ConfigError, match="cannot read"):
        keyring.review()
    authority.issue("localhost", into="server")
    assert keyring.review()


def test_a_hook_makes_the_context(authority, pair):
    made = []

    def hook(usual):
        context = usual()
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        made.append(context)
        return context

    keyring = Keyring(TlsPlan(pair), hook)
    assert keyring.context is made[0]
    with pytest.raises(ConfigError, match="gave 5 and no"):
        Keyring(TlsPlan(pair), lambda usual: 5)  # type: ignore[arg-type,return-value]
    with pytest.raises(ConfigError, match="hook ssl_context failed: KeyError"):
        Keyring(TlsPlan(pair), lambda usual: {}["x"])  # type: ignore[index]


def test_tickets_of_one_context_are_for_all_its_users(authority, pair):
    # Workers are forked from the process that made the context, so this is what they share.
    keyring = Keyring(TlsPlan(pair, verify=Verify.NONE))
    assert keyring.context.num_tickets == 2
    assert not keyring.context.options & ssl.OP_NO_TICKET


def test_a_certificate_for_development_is_made_once_and_kept_nowhere():
    with self_signed_file() as path:
        first = Path(path).read_bytes()
        keyring = Keyring(TlsPlan(Pair(path)), renews=False)
    assert not Path(path).exists()
    assert not keyring.review()
    with self_signed_file() as path:
        assert Path(path).read_bytes() == first
