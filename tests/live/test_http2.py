"""HTTP/2 as real clients meet it: curl, nghttp, h2load, httpx; reloads and stops under load."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
from functools import partial

import httpx
import pytest

from tests.certificates import Authority
from tests.live import programs
from tests.live.apps import surface
from tests.live.h2_client import H2Client
from tests.live.waiting import eventually

PLAIN = "tests.live.apps.plain"
OVER_TLS = ("--http-protocols", "h2,h1")
IN_THE_CLEAR = (*OVER_TLS, "--http2-cleartext", "prior-knowledge")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def files(authority):
    return authority.issue("localhost", "127.0.0.1", into="server")


def run(*command, patience=60):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, timeout=patience, check=False
    )
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode()


@programs.needs("curl")
def test_curl_speaks_it_over_tls_and_in_the_clear(start, files, authority, tmp_path):
    server = start(PLAIN, *files.options(), *OVER_TLS)
    body = bytes(range(256)) * 40_000
    path = tmp_path / "body"
    path.write_bytes(body)
    options = ("-sS", "--http2", "--cacert", authority.file, "--max-time", 30)
    status, text, _ = run("curl", *options, "-w", "%{http_version}", f"{server.url}/hello")
    assert (status, text) == (0, "hello2")
    status, text, _ = run("curl", *options, "--data-binary", f"@{path}", f"{server.url}/echo")
    assert status == 0
    assert surface.digest(body) in text
    plain = start(PLAIN, *IN_THE_CLEAR)
    known = ("-sS", "--http2-prior-knowledge", "-w", "%{http_version}")
    assert run("curl", *known, f"{plain.url}/hello")[:2] == (0, "hello2")
    # The upgrade is not spoken; the client is answered in HTTP/1.1.
    assert run("curl", "-sS", "--http2", "-w", "%{http_version}", f"{plain.url}/hello")[1] == (
        "hello1.1"
    )
    server.assert_no_traceback()


@programs.needs("nghttp")
def test_nghttp_gets_many_resources_on_one_connection(start, files):
    server = start(PLAIN, *files.options(), *OVER_TLS, "--threads", "4")
    urls = [f"{server.url}/hello?{n}" for n in range(20)]
    status, text, error = run("nghttp", "-v", "-n", *urls)
    assert status == 0, error
    assert len(re.findall(r":status: 200", text)) == 20


@programs.needs("h2load")
def test_h2load_loses_no_request(start, files):
    server = start(PLAIN, *files.options(), *OVER_TLS, "--threads", "4", "--workers", "2")
    status, text, _ = run("h2load", "-n", 3000, "-c", 6, "-m", 20, f"{server.url}/hello")
    assert status == 0
    assert "3000 succeeded, 0 failed, 0 errored, 0 timeout" in text, text
    server.assert_no_traceback()


def test_httpx_speaks_it_and_an_access_line_is_an_access_line(start, files, authority):
    server = start(PLAIN, *files.options(), *OVER_TLS)
    with httpx.Client(http2=True, verify=authority.client_context()) as client:
        answer = client.post(f"{server.url}/echo", content=b"x" * 200_000)
    assert answer.http_version == "HTTP/2"
    assert answer.json()["size"] == 200_000
    assert '"POST /echo HTTP/2.0" 200' in server.wait_for_access("/echo")[0]


class Load:
    """Clients that go on over GOAWAY as RFC 9113 says: what was not processed is sent again."""

    def __init__(self, server, clients=2):
        self._address = server.address
        self._over = threading.Event()
        self.served = 0
        self.failed: list[str] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(clients)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        while not self._over.is_set():
            try:
                client = H2Client(self._address)
            except OSError:
                return  # nobody listens any more
            with client:
                while not self._over.is_set() and not client.closed and not client.goaways:
                    try:
                        streams = [client.request("/who?seconds=0.01") for _ in range(3)]
                    except OSError:
                        break
                    self._collect(client, streams)

    def _collect(self, client, streams):
        for stream in streams:
            answer = client.answers[stream]
            while not answer.ended and answer.reset is None:
                if client.closed or not client.receive():
                    break
            last = client.goaways[-1][1] if client.goaways else 0
            if answer.status == 200 and answer.ended:
                self.served += 1
            elif answer.reset != 7 and not (client.goaways and stream > last):
                # Neither refused nor above the last that was promised to be served.
                self.failed.append(f"{stream} of {client.goaways}: {answer}")

    def has_served(self, count: int) -> bool:
        return self.served > count

    def stop(self):
        self._over.set()
        for thread in self._threads:
            thread.join(30)


def test_reloads_under_load_fail_no_request(start):
    server = start(PLAIN, *IN_THE_CLEAR, "--threads", "4", "--workers", "2")
    load = Load(server)
    try:
        for _ in range(2):
            old = server.wait_for_workers(2)
            before = load.served
            eventually(partial(load.has_served, before + 20), "the load runs")
            server.signal(signal.SIGHUP)
            server.wait_for_new_workers(old, 2)
        before = load.served
        eventually(lambda: load.served > before + 20, "the load goes on")
    finally:
        load.stop()
    assert load.failed == []


def test_a_stop_under_load_fails_no_request(start):
    server = start(PLAIN, *IN_THE_CLEAR, "--threads", "4")
    load = Load(server)
    try:
        eventually(lambda: load.served > 20, "the load runs")
        assert server.stop() == 0
    finally:
        load.stop()
    assert load.failed == []


def test_a_request_over_its_time_is_answered_and_its_neighbours_too(start):
    server = start(PLAIN, *IN_THE_CLEAR, "--threads", "4", "--timeout", "1")
    with H2Client(server.address) as client:
        slow = client.request("/who?seconds=30")
        quick = [client.request("/who") for _ in range(3)]
        assert {client.answer(stream).status for stream in quick} == {200}
        assert client.answer(slow).status == 504
    server.wait_for_log("over its time of 1 s")
