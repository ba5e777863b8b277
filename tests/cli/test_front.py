"""`canter front`: what it prints, what it refuses, and what the programs themselves say of it."""

from __future__ import annotations

import os
import re
import subprocess

import pytest

from canter.cli import front
from canter.cli.dispatch import main
from canter.cli.front import FRONTS
from canter.cli.fronts.site import PROTOCOLS, idle_seconds
from tests.certificates import Authority
from tests.cli.commands import canter
from tests.live.fronts.front import configuration, free_port
from tests.live.fronts.wrapping import PROGRAMS, WRAPPERS
from tests.live.programs import needs

SPOKEN = {name: front._find(name).PROTOCOLS for name in FRONTS}
EVERY = [
    pytest.param(name, protocol, marks=needs(PROGRAMS[name]), id=f"{name}-{protocol}")
    for name in FRONTS
    for protocol in SPOKEN[name]
]


def values(text, pattern):
    return re.findall(pattern, text, re.MULTILINE)


def test_the_settings_are_those_that_canter_would_start_with(tmp_path):
    (tmp_path / "canter.toml").write_text(
        'bind = ["unix:/run/site.sock"]\ntimeout = 90\nlimit_request_body = "10M"\nkeepalive = 50\n'
    )
    printed = canter(tmp_path, "front", "nginx", CANTER_HEADER_TIMEOUT="7")
    assert printed.returncode == 0, printed.stderr
    text = printed.stdout
    assert "server unix:/run/site.sock;" in text
    assert "client_max_body_size 10485760;" in text
    assert "proxy_read_timeout 100s;" in text
    assert "client_header_timeout 7s;" in text
    assert values(text, r"^    keepalive_timeout (\w+);") == ["40s", "65s"]
    (tmp_path / "other.toml").write_text('bind = "10.0.0.7:9000"\nkeepalive = 0\n')
    text = canter(tmp_path, "front", "nginx", "-c", "other.toml", "--timeout", "5").stdout
    assert "server 10.0.0.7:9000;" in text
    assert "proxy_read_timeout 15s;" in text
    assert "keepalive 32" not in text


def test_what_canter_lacks_for_it_is_said(capsys):
    main(["front", "nginx", "--bind", "unix:/run/a.sock"])
    assert "--forwarded-fields x-forwarded" in capsys.readouterr().out
    main(["front", "nginx", "--protocol", "uwsgi", "--bind", "unix:/run/a.sock"])
    assert "--bind uwsgi+unix:/run/a.sock" in capsys.readouterr().out
    main(["front", "haproxy", "--protocol", "proxy"])
    assert "--proxy-protocol=required" in capsys.readouterr().out
    main(["front", "caddy", "--forwarded-fields", "x-forwarded"])
    assert "canter is set for this." in capsys.readouterr().out


def test_the_address_that_speaks_the_protocol_is_chosen(capsys):
    binds = ["--bind", "127.0.0.1:8001", "--bind", "fastcgi+unix:/run/f.sock"]
    main(["front", "apache", *binds, "--protocol", "fastcgi"])
    assert "unix:/run/f.sock|fcgi://" in capsys.readouterr().out
    main(["front", "apache", *binds])
    assert "http://127.0.0.1:8001/" in capsys.readouterr().out


@pytest.mark.parametrize("name", FRONTS)
def test_what_a_front_does_not_speak_is_one_message_with_what_it_does(name, capsys):
    for protocol in set(PROTOCOLS) - set(SPOKEN[name]):
        assert main(["front", name, "--protocol", protocol]) == 2
        told = capsys.readouterr()
        assert told.out == ""
        assert told.err.startswith(
            f"canter: error: canter front: {name} does not speak {protocol}; it speaks "
            f"{', '.join(SPOKEN[name])}; {protocol} is spoken by "
        )
        assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "the following arguments are required: NAME"),
        (["iis"], "'iis' is none of nginx, apache"),
        (["nginx", "--protocol", "gopher"], "'gopher' is none of http"),
        (["nginx", "--domain", "a b"], "--domain: 'a b' cannot be used"),
        (["nginx", "--domain", "a;\nb"], "cannot be used"),
        (["nginx", "--listen", "here"], "--listen: 'here' cannot be used"),
        (["nginx", "--prefix", "app"], "--prefix: 'app' cannot be used"),
        (["nginx", "--no-such"], "unknown option --no-such"),
        (["nginx", "--bind", "fd://3"], "needs an address with a name"),
        (["nginx", "--self-signed"], "--protocol proxy is for a front that passes it on"),
    ],
)
def test_what_cannot_be_used_is_one_clear_message(words, told, capsys):
    assert main(["front", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") <= 2


def test_a_front_always_gives_up_an_idle_connection_first():
    for seconds in (0.5, 1, 2, 5, 24.9, 25, 75, 600):
        assert idle_seconds(seconds) <= seconds - min(seconds / 2, 5)


@pytest.mark.parametrize(("name", "protocol"), EVERY)
def test_the_program_s_own_checker_accepts_it(name, protocol, tmp_path):
    port = free_port()
    words = ["--protocol", protocol, "--listen", f"127.0.0.1:{port}", "--limit-request-body", "1M"]
    if protocol != "proxy":
        words += ["--prefix", "/app", "--health-path", "/health"]
    assert_accepted(name, configuration(name, *words), tmp_path, port)


@pytest.mark.parametrize("name", [pytest.param(it, marks=needs(PROGRAMS[it])) for it in FRONTS])
def test_static_files_are_the_front_s_where_it_can(name, tmp_path):
    port = free_port()
    folder = tmp_path / "files"
    folder.mkdir()
    words = ("--listen", f"127.0.0.1:{port}", "--static", f"/static={folder}")
    text = configuration(name, *words)
    assert (str(folder) in text) is (name not in ("haproxy", "varnish"))
    assert_accepted(name, text, tmp_path, port)


def speaking_tls(name):
    parts = [needs("lighttpd openssl")] if name == "lighttpd" else []
    return pytest.param(name, marks=[needs(PROGRAMS[name]), *parts])


@pytest.mark.parametrize("name", [speaking_tls(it) for it in FRONTS])
def test_with_a_domain_it_speaks_tls(name, tmp_path):
    port = free_port()
    text = configuration(name, "--domain", "site.example", "--listen", f"127.0.0.1:{port}")
    assert ("site.example" in text) is (name != "varnish")
    files = Authority(tmp_path / "authority").issue("site.example")
    both = tmp_path / "both.pem"
    both.write_bytes(files.certificate.read_bytes() + files.key.read_bytes())
    folder = "/etc/letsencrypt/live/site.example"
    for there, here in (
        (f"{folder}/fullchain.pem", files.certificate),
        (f"{folder}/privkey.pem", files.key),
        ("/etc/haproxy/certs/site.example.pem", both),
    ):
        text = text.replace(there, str(here))
    assert_accepted(name, text, tmp_path, port)


def test_with_a_domain_and_the_usual_port_plain_http_is_sent_on(capsys):
    for name in ("nginx", "apache", "haproxy"):
        main(["front", name, "--domain", "site.example"])
        assert "308" in capsys.readouterr().out


def assert_accepted(name, text, folder, port):
    folder.chmod(0o755)
    started = WRAPPERS[name](folder, port, text)
    done = subprocess.run(
        started.check,
        cwd=folder,
        env={**os.environ, **started.environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{text}"
