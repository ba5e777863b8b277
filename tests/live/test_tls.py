"""TLS as real clients meet it: curl, OpenSSL's own client, Python's; and as operators do."""

from __future__ import annotations

import json
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading

import pytest

from tests.certificates import Authority
from tests.live import programs
from tests.live.raw_http import Ended, connect
from tests.live.tls_client import TlsClient
from tests.live.waiting import eventually


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def files(authority):
    return authority.issue("localhost", "127.0.0.1", into="server")


def curl(server, path, *options):
    command = ["curl", "-sS", "--max-time", "20", *map(str, options), f"{server.url}{path}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def shown(server, *options):
    answer = curl(server, "/show_environ", *options)
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@programs.needs("curl")
def test_curl_verifies_the_certificate_and_sees_https(start, files, authority):
    server = start("tests.live.apps.plain", *files.options())
    assert server.url.startswith("https://")
    environ = shown(server, "--cacert", authority.file)
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["HTTPS"] == "on"
    assert environ["SSL_PROTOCOL"].startswith("TLSv1.")
    server.assert_no_traceback()


@programs.needs("curl")
def test_a_client_s_certificate_is_asked_for_and_described(start, files, authority):
    client = authority.issue("client.example", common_name="Ada")
    server = start(
        "tests.live.apps.plain",
        *files.options(),
        *("--ca-certs", str(authority.file), "--cert-reqs", "2"),
    )
    mine = ("--cert", client.certificate, "--key", client.key, "--cacert", authority.file)
    environ = shown(server, *mine)
    assert environ["SSL_CLIENT_VERIFY"] == "SUCCESS"
    assert environ["SSL_CLIENT_S_DN_CN"] == "Ada"
    assert curl(server, "/hello", "--cacert", authority.file).returncode != 0
    server.wait_for_log("TLS failed from 127.0.0.1: .*certificate")


@programs.needs("curl")
def test_addresses_with_and_without_tls_stand_side_by_side(start, files, authority):
    server = start(
        "tests.live.apps.plain",
        *files.options(),
        *("--bind", "http://127.0.0.1:0", "--bind", "https+unix:tls.sock"),
        bind="https://127.0.0.1:0",
    )
    plain = re.search(r"http://127\.0\.0\.1:\d+", server.log())
    assert plain
    assert shown(server, "--cacert", authority.file)["wsgi.url_scheme"] == "https"
    done = subprocess.run(["curl", "-sS", f"{plain[0]}/hello"], capture_output=True, check=False)
    assert done.stdout == b"hello"
    over_unix = ("--unix-socket", server.directory / "tls.sock", "--cacert", authority.file)
    done = subprocess.run(
        ["curl", "-sS", *map(str, over_unix), "https://localhost/hello"],
        capture_output=True,
        check=False,
    )
    assert done.stdout == b"hello", done.stderr


def test_a_certificate_is_chosen_by_the_name_that_is_asked_for(start, files, authority):
    other = authority.issue("other.example")
    server = start(
        "tests.live.apps.plain",
        *files.options(),
        *("--certificate", f"other.example={other.certificate}:{other.key}"),
    )
    for name in ("localhost", "other.example"):
        with TlsClient(server.address, authority.client_context(), name) as client:
            assert client.get("/hello").body == b"hello"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--certfile", "missing.pem"], "--certfile: cannot read missing.pem: No such file"),
        (["--keyfile", "x.key"], "--keyfile: it needs a certificate: certfile is not set"),
        (["--bind", "https://:0"], r"--bind: https://:0 needs a certificate"),
        (["--certfile", "{pem}", "--keyfile", "{pem}", "--cert-reqs", "2"], "ca_certs is not set"),
        (["--certfile", "{pem}"], "no certificate and key in PEM"),
        (["--http-protocols", "h3"], "'h3' is none of h1, h2"),
        (["--http2-cleartext", "upgrade"], "by upgrade is not spoken"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_what_is_wrong_is_one_message_and_no_start(start, files, tmp_path, options, message, check):
    options = [option.replace("{pem}", str(files.certificate)) for option in options]
    more = ["--check-config"] if check else []
    server = start("tests.live.apps.plain", *options, *more, ready=False)
    assert server.wait_for_exit() != 0
    assert re.search(message, server.output() + server.log()), server.show()
    server.assert_no_traceback()


def test_a_certificate_for_development_is_made_on_the_spot(start):
    server = start("tests.live.apps.plain", "--self-signed")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with TlsClient(server.address, context) as client:
        assert client.get("/hello").body == b"hello"


def test_a_thousand_stalled_handshakes_do_not_hold_up_others(start, files, authority):
    server = start(
        "tests.live.apps.plain",
        *files.options(),
        *("--worker-connections", "1500", "--header-timeout", "60"),
    )
    stalled = [connect(server.address) for _ in range(1000)]
    try:
        for sock in stalled:
            sock.sendall(b"\x16\x03\x01\x02")
        for _ in range(5):
            with TlsClient(server.address, authority.client_context()) as client:
                assert client.get("/hello").body == b"hello"
    finally:
        for sock in stalled:
            sock.close()


def test_certificates_are_renewed_under_load_without_a_failed_request(start, authority):
    files = authority.issue("localhost", into="renewed")
    server = start("tests.live.apps.plain", *files.options(), "--threads", "2")
    context = authority.client_context()
    failed: list[BaseException] = []
    served = 0
    over = threading.Event()

    def load() -> None:
        nonlocal served
        while not over.is_set():
            try:
                with TlsClient(server.address, context) as client:
                    for _ in range(3):
                        assert client.get("/hello").body == b"hello"
                        served += 1
            except (OSError, Ended, AssertionError) as error:
                failed.append(error)
                return

    thread = threading.Thread(target=load)
    thread.start()
    try:
        # A half-written pair first: the old one stays.
        files.key.write_text("half")
        server.wait_for_log("no good, so the old ones stay")
        authority.issue("renewed.example", "localhost", into="renewed")
        server.wait_for_log("the certificates have changed and were loaded")

        def renewed() -> bool:
            with TlsClient(server.address, context) as client:
                details = client.tls.getpeercert()
            return "renewed.example" in str(details)

        eventually(renewed, "the new certificate is shown")
        before = served
        eventually(lambda: served > before + 10 or failed, "the load goes on")
    finally:
        over.set()
        thread.join()
    assert not failed


def test_sessions_are_resumed_by_every_worker(start, files, authority):
    server = start("tests.live.apps.plain", *files.options(), "--workers", "3")
    context = authority.client_context()
    with TlsClient(server.address, context) as client:
        client.get("/hello")
        session = client.tls.session
    pids = set()
    for _ in range(60):
        with TlsClient(server.address, context, session=session) as client:
            environ = client.get("/show_environ").json()
            assert environ["SSL_SESSION_RESUMED"] == "Resumed"
            session = client.tls.session
            pids.add(client.get("/who").json()["pid"])
        if len(pids) > 1:
            break
    assert len(pids) > 1


def test_a_reload_takes_new_files_and_refuses_bad_ones(start, authority):
    files = authority.issue("localhost", into="reloaded")
    server = start("tests.live.apps.plain", *files.options())
    old = server.wait_for_workers(1)
    files.certificate.write_text("rubbish")
    server.signal(signal.SIGHUP)
    server.wait_for_log("no certificate and key in PEM")
    assert server.workers() == old
    authority.issue("again.example", "localhost", into="reloaded")
    server.signal(signal.SIGHUP)
    server.wait_for_new_workers(old, 1)
    with TlsClient(server.address, authority.client_context()) as client:
        assert "again.example" in str(client.tls.getpeercert())


# -- what scanners for TLS look for, by OpenSSL's own client -----------------------------------


def s_client(server, *options, data=b"", patience=20):
    host, port = server.address
    command = ["openssl", "s_client", "-connect", f"{host}:{port}", "-servername", "localhost"]
    return subprocess.run(
        [*command, *options], input=data, capture_output=True, timeout=patience, check=False
    )


@programs.needs("openssl")
@pytest.mark.parametrize(
    ("options", "spoken"),
    [
        (["-tls1_3"], True),
        (["-tls1_2"], True),
        (["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"], False),
        (["-tls1", "-cipher", "DEFAULT:@SECLEVEL=0"], False),
        (["-tls1_2", "-cipher", "aNULL:@SECLEVEL=0"], False),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0"], False),
        (["-tls1_2", "-cipher", "NULL:@SECLEVEL=0"], False),
    ],
)
def test_only_modern_versions_and_ciphers_are_spoken(start, files, options, spoken):
    server = start("tests.live.apps.plain", *files.options())
    done = s_client(server, *options)
    text = (done.stdout + done.stderr).decode("utf-8", "replace")
    assert ("Cipher is (NONE)" not in text and "Cipher is" in text) is spoken, text
    server.assert_no_traceback()


@programs.needs("openssl")
def test_renegotiation_and_compression_are_off(start, files):
    server = start("tests.live.apps.plain", *files.options())
    text = s_client(server, "-tls1_2").stdout.decode("utf-8", "replace")
    assert "Compression: NONE" in text
    assert "Secure Renegotiation IS supported" in text  # the indication; the act is refused
    refused = s_client(server, "-tls1_2", data=b"R\nGET /hello HTTP/1.0\r\n\r\n")
    assert b"no renegotiation" in refused.stderr


@programs.needs("openssl")
def test_a_client_may_ask_for_new_keys_in_the_middle(start, files):
    server = start("tests.live.apps.plain", *files.options())
    host, port = server.address
    command = ["openssl", "s_client", "-connect", f"{host}:{port}", "-tls1_3"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as client:
        assert client.stdin
        assert client.stdout
        assert client.stderr
        for _ in range(3):  # "K" is a key update that asks for one in return (RFC 8446 4.6.3)
            client.stdin.write(b"K\n")
            client.stdin.flush()
            while b"KEYUPDATE" not in client.stderr.readline():
                pass
        client.stdin.write(b"GET /hello HTTP/1.0\r\n\r\n")
        client.stdin.flush()
        while not (line := client.stdout.readline()).startswith(b"HTTP/1.1"):
            assert line, "no answer came"
        assert line.startswith(b"HTTP/1.1 200")
        client.kill()


# What sslyze is asked to try, and what it must find.
SCANNER = (
    *("--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3"),
    *("--compression", "--heartbleed", "--openssl_ccs", "--robot", "--reneg"),
    *("--early_data", "--fallback", "--ems"),
)
SCANS: dict[str, dict[str, object]] = {
    "tls_compression": {"supports_compression": False},
    "heartbleed": {"is_vulnerable_to_heartbleed": False},
    "openssl_ccs_injection": {"is_vulnerable_to_ccs_injection": False},
    "robot": {"robot_result": "NOT_VULNERABLE_RSA_NOT_SUPPORTED"},
    "session_renegotiation": {
        "is_vulnerable_to_client_renegotiation_dos": False,
        "supports_secure_renegotiation": True,
    },
    "tls_1_3_early_data": {"supports_early_data": False},
    "tls_extended_master_secret": {"supports_ems_extension": True},
    "tls_fallback_scsv": {"supports_fallback_scsv": True},
}


def test_a_scanner_finds_nothing_weak(start, files, tmp_path):
    pytest.importorskip("sslyze")
    server = start("tests.live.apps.plain", *files.options())
    host, port = server.address
    found = tmp_path / "found.json"
    scan = [sys.executable, "-m", "sslyze", *SCANNER, f"--json_out={found}", f"{host}:{port}"]
    done = subprocess.run(scan, capture_output=True, text=True, timeout=100, check=False)
    (report,) = json.loads(found.read_text())["server_scan_results"]
    assert report["scan_status"] == "COMPLETED", done.stdout + done.stderr
    results = {name: told["result"] for name, told in report["scan_result"].items() if told}
    for name, expected in SCANS.items():
        assert {key: results[name][key] for key in expected} == expected
    for version in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"):
        assert results[f"{version}_cipher_suites"]["accepted_cipher_suites"] == []
    suites = [
        suite["cipher_suite"]
        for version in ("tls_1_2", "tls_1_3")
        for suite in results[f"{version}_cipher_suites"]["accepted_cipher_suites"]
    ]
    assert suites
    for suite in suites:
        assert suite["key_size"] >= 128
        assert suite["name"].endswith(("_GCM_SHA256", "_GCM_SHA384", "_POLY1305_SHA256")), suite
        assert (
            "ECDHE" in suite["name"]
            or suite["name"].startswith("TLS_AES_")
            or (suite["name"] == "TLS_CHACHA20_POLY1305_SHA256")
        )
    server.assert_no_traceback()


def test_openssl_is_there_or_named():
    assert shutil.which("openssl") or "openssl" in programs.missing()
