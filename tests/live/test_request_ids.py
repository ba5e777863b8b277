"""Request ids, JSON lines and statsd, from outside."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest

from tests.live.harness import PLAIN, Server, Start
from tests.live.raw_http import request_head
from tests.live.waiting import eventually

APP = """
import json

def application(environ, start_response):
    if environ["PATH_INFO"] == "/fails":
        raise LookupError("no such page")
    start_response("200 OK", [("Content-Type", "application/json")])
    names = ("canter.request_id", "HTTP_X_REQUEST_ID")
    return [json.dumps([environ.get(name) for name in names]).encode()]
"""
WITH_ID = '%(m)s %(U)s %(request_id)s %(trace_id)s "%(a)s"'
OWN = re.compile("[0-9a-f]{32}")


@pytest.fixture
def serve(start: Start, tmp_path: Path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/shop.py").write_text(APP)

    def serving(*options: str) -> Server:
        return start("shop", "--chdir", str(tmp_path / "site"), *options)

    return serving


def test_no_id_is_made_where_nobody_looks_at_it(serve):
    server = serve()
    assert server.get("/", "X-Request-Id: mine").json() == [None, "mine"]


def test_an_id_is_the_same_for_the_application_and_both_logs(serve):
    server = serve("--access-logformat", WITH_ID)
    one, same = server.get("/").json()
    another, _ = server.get("/").json()
    assert OWN.fullmatch(one)
    assert one == same != another
    server.wait_for_access(f"GET / {one} -")
    assert server.get("/fails").status == 500
    (line,) = server.wait_for_access("GET /fails")
    failed = line.split()[2]
    server.wait_for_log(rf"error in the application: GET /fails \[{failed}\]\nTraceback")


def test_the_id_of_a_trusted_front_is_kept_and_anybody_else_s_is_not(serve):
    given = "X-Request-Id: from-the-front"
    trusting = serve("--request-id", "on")
    assert trusting.get("/", given).json() == ["from-the-front"] * 2
    for unfit in ("a" * 129, 'quo"te', "two words"):
        assert OWN.fullmatch(trusting.get("/", f"X-Request-Id: {unfit}").json()[0])
    wary = serve("--request-id", "on", "--forwarded-allow-ips", "192.0.2.1")
    assert OWN.fullmatch(wary.get("/", given).json()[0])


def test_a_trace_s_id_is_told_where_the_field_is_one(serve):
    server = serve("--access-logformat", WITH_ID)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    server.get("/good", f"Traceparent: 00-{trace}-00f067aa0ba902b7-01")
    server.get("/bad", f"Traceparent: 00-{trace[:-1]}G-00f067aa0ba902b7-01")
    assert server.wait_for_access("/good")[0].split()[3] == trace
    assert server.wait_for_access("/bad")[0].split()[3] == "-"


def test_a_request_over_its_time_is_reported_with_its_id(start: Start):
    server = start(PLAIN, "--timeout", "0.5", "--request-id", "on")
    assert server.get("/waits_for_file?gate=/nowhere", "X-Request-Id: slow-one").status == 504
    server.wait_for_log(r"over its time of 0.5 s: GET /waits_for_file\S* \[slow-one\] from")


# ---- what applications log

LOGGING_APP = """
import logging.config, threading

logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"ids": {"()": "canter.observe.present.RequestIds"}},
    "formatters": {"plain": {"format": "%(request_id)s %(trace_id)s %(message)s"}},
    "handlers": {"file": {"class": "logging.FileHandler", "filename": "shop.log",
                          "filters": ["ids"], "formatter": "plain"}},
    "root": {"handlers": ["file"], "level": "INFO"},
})
log = logging.getLogger("shop")
log.info("imported")
everybody = threading.Barrier(8)

def application(environ, start_response):
    everybody.wait(30)
    log.info("said of %s", environ["QUERY_STRING"])
    environ["wsgi.errors"].write("written of %s\\n" % environ["QUERY_STRING"])
    everybody.wait(30)
    start_response("200 OK", [("Content-Type", "text/plain")])
    log.info("said again of %s", environ["QUERY_STRING"])
    return [b"ok"]
"""


@pytest.mark.parametrize("kind", ["threads", "gevent"])
def test_what_an_application_logs_has_the_ids_of_its_request(start: Start, tmp_path: Path, kind):
    if kind == "gevent":
        pytest.importorskip("gevent")
    (tmp_path / "shop.py").write_text(LOGGING_APP)
    options = ["--threads", "8"] if kind == "threads" else ["--worker-class", "gevent"]
    server = start("shop", "--chdir", str(tmp_path), "--log-format", "json", *options)
    trace = "4bf92f3577b34da6a3ce929d0e0e473"
    clients = [server.client() for _ in range(8)]
    for number, client in enumerate(clients):
        traced = f"Traceparent: 00-{trace}{number}-00f067aa0ba902b7-01"
        client.send(request_head("GET", f"/?{number}", f"X-Request-Id: r-{number}", traced))
    for client in clients:
        assert client.read_answer().status == 200
        client.close()
    lines = (tmp_path / "shop.log").read_text().splitlines()
    assert lines[0] == "- - imported"
    assert sorted(lines[1:]) == sorted(
        f"r-{number} {trace}{number} said {again}of {number}"
        for number in range(8)
        for again in ("", "again ")
    )
    server.wait_for_log("(written of .*){8}")
    records = [json.loads(line) for line in server.log().splitlines()]
    written = {it["message"]: it for it in records if it["message"].startswith("written")}
    assert len(written) == 8
    for number in range(8):
        record = written[f"written of {number}"]
        assert (record["http.request.id"], record["trace.id"]) == (
            f"r-{number}",
            f"{trace}{number}",
        )


# ---- JSON


def test_both_logs_are_json_and_no_client_can_forge_a_key(serve):
    server = serve("--log-format", "json")
    forged = 'x","event.outcome":"success","a":"\\'
    assert server.get("/fails?q=1", f"User-Agent: {forged}", "X-Request-Id: r-1").status == 500
    (line,) = server.wait_for_access("/fails")
    entry = json.loads(line)
    assert entry.pop("@timestamp").endswith("Z")
    for name in ("event.duration", "canter.queue_us", "canter.app_us", "process.pid"):
        assert isinstance(entry.pop(name), int)
    assert entry == {
        "event.outcome": "failure",
        "canter.outcome": "failed",
        "http.request.method": "GET",
        "url.original": "/fails?q=1",
        "url.path": "/fails",
        "url.query": "q=1",
        "http.version": "1.1",
        "http.response.status_code": 500,
        "http.response.body.bytes": 26,
        "client.address": "127.0.0.1",
        "user_agent.original": forged,
        "http.request.id": "r-1",
    }
    server.wait_for_log("error.stack_trace")
    records = [json.loads(line) for line in server.log().splitlines()]
    (error,) = [it for it in records if it["log.level"] == "error"]
    assert error["error.type"] == "LookupError"
    assert error["error.message"] == "no such page"
    assert error["error.stack_trace"].endswith("LookupError: no such page")
    assert error["http.request.id"] == "r-1"


def test_a_request_that_was_none_is_an_object_too(serve):
    server = serve("--log-format", "json")
    with server.client() as client:
        client.send(b'G"ET / HTTP/1.1\r\n\xff\r\n\r\n')
        assert client.read_answer().status == 400
    (line,) = server.wait_for_access("malformed")
    assert json.loads(line)["http.response.status_code"] == 400


# ---- statsd


class Statsd:
    """A daemon that keeps what it is sent."""

    def __init__(self, address) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)
        self.lines: list[str] = []

    def heard(self) -> list[str]:
        while True:
            try:
                self.lines += self.socket.recv(65536).decode().split("\n")
            except BlockingIOError:
                return self.lines

    def wait_for(self, pattern: str) -> str:
        def found() -> str | None:
            return next((line for line in self.heard() if re.fullmatch(pattern, line)), None)

        line = eventually(found, f"{pattern} among {self.lines}")
        assert line
        return line


@pytest.fixture(params=["udp", "unix"])
def statsd(request, tmp_path: Path):
    daemon = Statsd(("127.0.0.1", 0) if request.param == "udp" else str(tmp_path / "statsd"))
    yield daemon
    daemon.socket.close()


MEASURES = """
def when_ready(server):
    server.log.info("", extra={"metric": "shop.ready", "value": 3, "mtype": "gauge"})
def post_worker_init(worker):
    extra = {"metric": "shop.boots", "value": 1, "mtype": "counter"}
    worker.log.debug("booted", extra=extra)
def post_request(worker, req):
    worker.log.warning("a warning")
"""


def test_metrics_go_to_statsd_under_gunicorn_s_names(serve, statsd: Statsd, tmp_path: Path):
    name = statsd.socket.getsockname()
    address = f"unix://{name}" if isinstance(name, str) else f"127.0.0.1:{name[1]}"
    (tmp_path / "conf.py").write_text(MEASURES)
    server = serve(
        "-c", str(tmp_path / "conf.py"), "--statsd-host", address, "--statsd-prefix", "site",
        "--dogstatsd-tags", "a:b", "--enable-backlog-metric",
    )  # fmt: skip
    assert server.get("/").status == 200
    assert server.get("/fails").status == 500
    end = r"\|#a:b"
    statsd.wait_for(rf"site\.gunicorn\.requests:[12]\|c{end}")
    statsd.wait_for(rf"site\.gunicorn\.request\.status\.200:1\|c{end}")
    statsd.wait_for(rf"site\.gunicorn\.request\.status\.500:1\|c{end}")
    statsd.wait_for(rf"site\.gunicorn\.request\.duration:[\d.e+-]+\|ms{end}")
    statsd.wait_for(rf"site\.gunicorn\.workers:1\|g{end}")
    statsd.wait_for(rf"site\.gunicorn\.backlog:\d+\|h{end}")
    statsd.wait_for(rf"site\.canter\.threads:\d+\|g{end}")
    statsd.wait_for(rf"site\.canter\.threads\.busy:\d+\|g{end}")
    statsd.wait_for(rf"site\.canter\.utilization:[\d.]+\|g{end}")
    statsd.wait_for(rf"site\.canter\.queued:\d+\|g{end}")
    statsd.wait_for(rf"site\.gunicorn\.log\.exception:1\|c{end}")
    statsd.wait_for(rf"site\.gunicorn\.log\.warning:1\|c{end}")
    statsd.wait_for(rf"site\.shop\.ready:3\|g{end}")
    statsd.wait_for(rf"site\.shop\.boots:1\|c{end}")
    server.wait_for_access("GET /fails")


def test_a_daemon_that_is_away_harms_nothing(serve, tmp_path: Path):
    server = serve("--statsd-host", f"unix://{tmp_path}/nobody")
    for _ in range(3):
        assert server.get("/").status == 200
    assert server.stop() == 0
    server.assert_no_traceback()
