"""Logs set up in the ways that Gunicorn offers, from outside: who gets which lines."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.live.harness import PACKAGE_PARENT, PLAIN, ROOT, Server, Start, clean_environment
from tests.live.raw_http import Client
from tests.live.waiting import eventually

CONFIGS = Path(__file__).parent / "configs"
NO_LOGS = {"logs": False}


@pytest.fixture
def launch(start: Start, tmp_path: Path):
    """Starts the command with a configuration in Python and modules of ours, and no log options."""

    def launched(config: str, *options: str, app: str = PLAIN, **modules: str) -> Server:
        (tmp_path / "gunicorn.conf.py").write_text(config)
        for name, code in modules.items():
            (tmp_path / f"{name}.py").write_text(code)
        path = os.pathsep.join((str(tmp_path), str(PACKAGE_PARENT), str(ROOT)))
        options = ("-c", str(tmp_path / "gunicorn.conf.py"), *options)
        server: Server = start(
            app, *options, logs=False, ready=False, environment={"PYTHONPATH": path}
        )
        return server

    return launched


def wait(server: Server, pattern: str) -> re.Match[str]:
    found = eventually(lambda: re.search(pattern, server.output(), re.DOTALL), pattern)
    assert found
    return found


def wait_for_file(path: Path, pattern: str) -> re.Match[str]:
    found = eventually(
        lambda: path.exists() and re.search(pattern, path.read_text(), re.DOTALL), pattern
    )
    assert found
    return found


def objects(text: str) -> list[dict]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


# ---- logging configurations


def test_a_dictionary_sends_both_logs_where_it_says(launch):
    server = launch((CONFIGS / "json_logging.py").read_text())
    wait(server, "generation 1 serves")
    assert server.get("/hello?q=1", 'User-Agent: a"b').status == 200
    wait(server, "took_us")
    assert server.stop() == 0
    found = objects(server.output())
    assert len(found) == len(server.output().splitlines()), "nothing is written beside them"
    (request,) = [it for it in found if "took_us" in it]
    took = request.pop("took_us")
    assert isinstance(took, int)
    assert request == {
        "remote_ip": "127.0.0.1",
        "method": "GET",
        "path": "/hello",
        "status": "200",
        "user_agent": 'a\\"b',
    }
    assert {it["logger"] for it in found if "logger" in it} == {"gunicorn.error"}


def test_a_json_file_and_canter_s_own_names(launch, tmp_path: Path):
    config = {
        "formatters": {"own": {"format": "OWN %(name)s %(message)s"}},
        "handlers": {
            "file": {
                "class": "logging.FileHandler",
                "filename": "error.log",
                "formatter": "own",
            }
        },
        "loggers": {
            "canter.error": {"handlers": ["file"], "propagate": False},
            "canter.access": {"handlers": ["file"], "propagate": False},
        },
    }
    (tmp_path / "log.json").write_text(json.dumps(config))
    server = launch("", "--log-config-json", str(tmp_path / "log.json"))
    log = server.error_path
    wait_for_file(log, "OWN canter.error generation 1 serves")
    assert server.get("/hello").status == 200
    wait_for_file(log, r'OWN canter.access 127.0.0.1 - - .*"GET /hello HTTP/1.1" 200 5')
    log.rename(tmp_path / "error.log.1")
    server.signal(signal.SIGUSR1)
    eventually(
        lambda: server.get("/hello").status == 200 and log.exists() and "/hello" in log.read_text(),
        "the new file",
    )


INI = """
[loggers]
keys=root,error,access
[handlers]
keys=out
[formatters]
keys=own
[logger_root]
level=WARNING
handlers=
[logger_error]
level=INFO
handlers=out
propagate=0
qualname=gunicorn.error
[logger_access]
level=INFO
handlers=out
propagate=0
qualname=gunicorn.access
[handler_out]
class=StreamHandler
formatter=own
args=(sys.stdout,)
[formatter_own]
format=INI %(name)s %(message)s
"""


def test_an_ini_file(launch, tmp_path: Path):
    (tmp_path / "log.ini").write_text(INI)
    server = launch("", "--log-config", str(tmp_path / "log.ini"))
    wait(server, "INI gunicorn.error generation 1 serves")
    assert server.get("/hello").status == 200
    wait(server, r'INI gunicorn.access 127.0.0.1 .*"GET /hello HTTP/1.1" 200')


def test_a_configuration_is_read_again_at_a_reload(launch, tmp_path: Path):
    (tmp_path / "log.ini").write_text(INI)
    server = launch(f"logconfig = {str(tmp_path / 'log.ini')!r}\n")
    wait(server, "INI gunicorn.error generation 1 serves")
    (tmp_path / "log.ini").write_text(INI.replace("INI", "NEW"))
    server.signal(signal.SIGHUP)
    wait(server, "NEW gunicorn.error generation 2 serves")


@pytest.mark.parametrize(
    ("option", "content", "problem"),
    [
        ("--log-config-json", '{"handlers": {"x": {"class": "no.Such"}}}', "logconfig_json: .*x"),
        ("--log-config-json", "{", "logconfig_json: .* is not JSON"),
        ("--log-config", "[loggers]", "logconfig: .* cannot be used"),
        ("--log-syslog-to", None, "--log-syslog-to: 'ftp://x' is none of"),
        ("--logger-class", None, "logger_class: no_such.Thing cannot be imported"),
    ],
)
def test_what_cannot_be_set_up_ends_the_start_with_one_message(
    tmp_path: Path, option, content, problem
):
    values = {"--log-syslog-to": "ftp://x", "--logger-class": "no_such.Thing"}
    value = values.get(option, "log.cfg")
    if content is not None:
        (tmp_path / "log.cfg").write_text(content)
    ended = subprocess.run(
        [sys.executable, "-m", "canter", "--bind", "127.0.0.1:0", option, value, PLAIN],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert re.fullmatch(rf"canter: error: .*{problem}.*\n", ended.stderr), ended.stderr


DJANGO_LIKE = """
import logging.config
logging.config.dictConfig({"version": 1, %s})

def application(environ, start_response):
    logging.getLogger("gunicorn.error").info("by its name")
    raise LookupError("no such page")
"""


def test_an_application_that_configures_logging_takes_nothing_from_the_server_s_logs(launch):
    server = launch('accesslog = "-"\n', app="shop", shop=DJANGO_LIKE % "")
    wait(server, "generation 1 serves")
    assert server.get("/page").status == 500
    wait(server, r'"GET /page HTTP/1.1" 500')
    wait(server, r"error in the application: GET /page\n.*LookupError: no such page")
    wait(server, "by its name")
    server.signal(signal.SIGUSR1)
    assert server.get("/again").status == 500
    wait(server, r'"GET /again HTTP/1.1" 500')


def test_an_application_that_configures_gunicorn_s_logger_gets_what_is_logged_to_it(launch):
    config = """
"formatters": {"own": {"format": "DJANGO %(message)s"}},
"handlers": {"own": {"class": "logging.StreamHandler", "formatter": "own"}},
"loggers": {"gunicorn.error": {"handlers": ["own"], "level": "INFO", "propagate": False},
            "gunicorn.access": {"handlers": ["own"], "level": "INFO", "propagate": False}},
"""
    server = launch('accesslog = "-"\n', app="shop", shop=DJANGO_LIKE % config)
    wait(server, "generation 1 serves")
    assert server.get("/page").status == 500
    wait(server, "DJANGO error in the application: GET /page")
    wait(server, 'DJANGO 127.0.0.1 - - .*"GET /page HTTP/1.1" 500')
    assert len(re.findall('"GET /page HTTP', server.output())) == 1


def test_a_filter_on_the_access_logger_keeps_lines_out(launch):
    config = """
import logging
accesslog = "-"
class NoHealth(logging.Filter):
    def filter(self, record):
        return "/healthz" not in record.getMessage()
def on_starting(server):
    logging.getLogger("gunicorn.access").addFilter(NoHealth())
"""
    server = launch(config)
    wait(server, "generation 1 serves")
    assert server.get("/healthz").status == 404
    assert server.get("/hello").status == 200
    wait(server, r'"GET /hello HTTP/1.1" 200')
    assert server.stop() == 0
    assert "/healthz" not in server.output()


# ---- a class of one's own

CLASS = """
from canter.observe.logger import Logger

class Quiet(Logger):
    def setup(self, cfg):
        super().setup(cfg)
        self.info("set up for %s", cfg.proc_name)

    def access(self, resp, req, environ, request_time):
        if req.path != "/healthz":
            super().access(resp, req, environ, request_time)

    def atoms(self, resp, req, environ, request_time):
        found = super().atoms(resp, req, environ, request_time)
        found["kind"] = environ.get("HTTP_X_KIND", "-")
        return found

    def reopen_files(self):
        self.info("reopened")
"""


def test_a_class_of_one_s_own_decides_what_is_logged_and_adds_atoms(launch):
    server = launch(
        'accesslog = "-"\nproc_name = "shop"\naccess_log_format = "%(m)s %(U)s %(kind)s %(s)s"\n',
        "--logger-class",
        "ours.Quiet",
        ours=CLASS,
    )
    wait(server, "set up for shop.*generation 1 serves")
    assert server.get("/healthz").status == 404
    assert server.get("/hello", "X-Kind: cat").status == 200
    wait(server, r"\nGET /hello cat 200\n")
    server.signal(signal.SIGUSR1)
    eventually(lambda: server.output().count("reopened") == 2, "both processes reopen")
    assert server.stop() == 0
    assert "/healthz" not in server.output()


def test_a_class_that_needs_gunicorn_is_told_so(launch):
    server = launch(
        "", "--logger-class", "ours.Log", ours="from gunicorn.glogging import Logger as Log\n"
    )
    assert server.wait_for_exit() == 1
    assert server.output() == (
        "canter: error: logger_class: ours.Log needs gunicorn, which is not installed; derive it "
        "from canter.observe.logger.Logger, which has the same methods\n"
    )


@pytest.mark.parametrize("name", ["simple", "gunicorn.glogging.Logger"])
def test_gunicorn_s_own_class_means_the_usual_log(launch, name):
    server = launch('accesslog = "-"\n', "--logger-class", name)
    wait(server, "generation 1 serves")
    assert server.get("/hello").status == 200
    wait(server, r'"GET /hello HTTP/1.1" 200')


# ---- syslog


class Daemon:
    """A syslog daemon that keeps what it is sent."""

    def __init__(self, family: int, kind: int, address) -> None:
        self.socket = socket.socket(family, kind)
        self.socket.bind(address)
        self.received = b""
        self.is_stream = kind == socket.SOCK_STREAM
        if self.is_stream:
            self.socket.listen()
        threading.Thread(target=self._receive, daemon=True).start()

    def _receive(self) -> None:
        while True:
            try:
                if self.is_stream:
                    taken, _ = self.socket.accept()
                    threading.Thread(target=self._read, args=[taken], daemon=True).start()
                else:
                    self.received += self.socket.recv(65536) + b"\n"
            except OSError:
                return

    def _read(self, taken: socket.socket) -> None:
        with taken:
            while data := taken.recv(65536):
                self.received += data

    def text(self) -> str:
        return self.received.decode()


@pytest.mark.parametrize("kind", ["udp", "tcp", "dgram", "stream"])
def test_both_logs_go_to_syslog(launch, tmp_path: Path, kind):
    is_unix = kind in {"dgram", "stream"}
    path = str(tmp_path / "log")
    daemon = Daemon(
        socket.AF_UNIX if is_unix else socket.AF_INET,
        socket.SOCK_STREAM if kind in {"tcp", "stream"} else socket.SOCK_DGRAM,
        path if is_unix else ("127.0.0.1", 0),
    )
    name = daemon.socket.getsockname()
    address = f"unix://{path}#{kind}" if is_unix else f"{kind}://127.0.0.1:{name[1]}"
    server = launch(
        "", "--log-syslog", "--log-syslog-to", address, "--log-syslog-prefix", "shop",
        "--log-syslog-facility", "local0",
    )  # fmt: skip
    pid = server.pid
    info, error = 16 * 8 + 6, 16 * 8 + 3
    assert info
    eventually(
        lambda: f"<{info}>gunicorn.shop.error: [{pid}] generation 1 serves" in daemon.text(),
        "the error log",
    )
    (worker,) = server.workers()
    assert server.get("/hello").status == 200
    tag = rf"<{info}>gunicorn\.shop\.access: \[{worker}\]"
    line = rf'{tag} 127\.0\.0\.1 - - .*"GET /hello HTTP/1.1" 200 5'
    eventually(lambda: re.search(line, daemon.text()), "the access log")
    assert server.get("/logs_an_error").status == 200
    eventually(lambda: f"<{error}>gunicorn.shop.error: [{worker}]" in daemon.text(), "an error")
    assert "generation 1 serves" in server.output(), "the error log itself is still there"
    daemon.socket.close()


def test_the_access_log_can_be_kept_out_of_syslog_and_a_daemon_that_is_away_harms_nothing(
    launch, tmp_path: Path
):
    path = str(tmp_path / "log")
    daemon = Daemon(socket.AF_UNIX, socket.SOCK_DGRAM, path)
    server = launch(
        'accesslog = "-"\n', "--log-syslog", "--log-syslog-to", f"unix://{path}",
        "--disable-redirect-access-to-syslog",
    )  # fmt: skip
    eventually(lambda: "generation 1 serves" in daemon.text(), "the error log")
    assert server.get("/hello").status == 200
    wait(server, '"GET /hello HTTP/1.1" 200')
    daemon.socket.close()
    Path(path).unlink()
    assert server.get("/logs_an_error").status == 200
    again = Daemon(socket.AF_UNIX, socket.SOCK_DGRAM, path)

    def heard() -> bool:
        server.get("/logs_an_error")
        return "gunicorn.canter.error" in again.text()

    eventually(heard, "the daemon is found again")
    assert ".access" not in daemon.text() + again.text()
    again.socket.close()


# ---- files


def test_files_that_are_rotated_without_a_signal_are_followed(start: Start):
    server = start(PLAIN)
    assert server.get("/hello?first").status == 200
    server.wait_for_access("first")
    for path in (server.access_path, server.error_path):
        path.rename(path.with_suffix(".1"))
        path.touch()

    def both() -> bool:
        server.get("/logs_an_error")
        return "logs_an_error" in server.access_path.read_text() and "ERROR" in server.log()

    eventually(both, "the new files are used")


def test_files_that_are_copied_and_truncated_go_on_without_holes(start: Start):
    server = start(PLAIN)
    assert server.get("/hello?first").status == 200
    server.wait_for_access("first")
    os.truncate(server.access_path, 0)
    assert server.get("/hello?second").status == 200
    server.wait_for_access("second")
    assert b"\0" not in server.access_path.read_bytes()


def test_what_the_application_prints_goes_to_the_error_log_if_asked(start: Start, tmp_path: Path):
    (tmp_path / "loud.py").write_text(
        "print('imported', flush=True)\n"
        "def application(environ, start_response):\n"
        "    start_response('200 OK', [])\n    return [b'x']\n"
    )
    server = start("loud", "--capture-output", "--pythonpath", str(tmp_path))
    assert "imported" in server.log()
    assert "imported" not in server.output()


# ---- OpenTelemetry's log data model, and two streams

MISBEHAVING = "tests.live.apps.misbehaving"
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_both_logs_can_be_records_of_opentelemetry_with_trace_and_request_id(start: Start, mark):
    server = start(MISBEHAVING, "--log-format", "otel")
    server.get(f"/raises_before_head?mark={mark}", f"traceparent: {PARENT}", "User-Agent: test")
    (line,) = server.wait_for_access(mark)
    found = json.loads(line)
    assert found["Timestamp"].endswith("Z")
    assert (found["SeverityText"], found["SeverityNumber"]) == ("INFO", 9)
    assert found["Body"] == "GET /raises_before_head 500"
    assert (found["TraceId"], found["SpanId"]) == tuple(PARENT.split("-")[1:3])
    assert found["InstrumentationScope"] == {"Name": "canter.access"}
    attributes = found["Attributes"]
    assert attributes["http.request.method"] == "GET"
    assert attributes["http.response.status_code"] == 500
    assert attributes["http.response.body.size"] > 0
    assert attributes["canter.outcome"] == "failed"
    assert 0 < attributes["http.server.request.duration"] < 60
    assert attributes["user_agent.original"] == "test"
    (request_id,) = attributes["http.request.header.x-request-id"]

    server.wait_for_log("error in the application")
    (record,) = [it for it in objects(server.log()) if "error in the app" in it["Body"]]
    assert (record["SeverityText"], record["SeverityNumber"]) == ("ERROR", 17)
    assert record["TraceId"] == PARENT.split("-")[1]
    assert record["Attributes"]["http.request.header.x-request-id"] == [request_id]
    assert record["Attributes"]["exception.type"]
    assert "Traceback" in record["Attributes"]["exception.stacktrace"]


def test_the_trace_is_named_beside_the_request_in_text(start: Start):
    server = start(MISBEHAVING)
    server.get("/raises_before_head", f"traceparent: {PARENT}")
    server.wait_for_log(rf"/raises_before_head \[trace {PARENT.split('-')[1]}\]\n")


def test_what_is_no_warning_can_go_to_standard_output(start: Start, site: Path):
    loud, quiet = site / "stderr", site / "stdout"
    server = start(
        MISBEHAVING,
        "--log-split",
        "--access-logfile",
        str(site / "access.log"),
        logs=False,
        ready=False,
        command=("sh", "-c", f'exec "$0" -m canter "$@" >{quiet} 2>{loud}', sys.executable),
    )
    wait_for_file(quiet, "generation 1 serves")
    found = re.search(r"http://127\.0\.0\.1:(\d+)", quiet.read_text())
    assert found
    with Client(("127.0.0.1", int(found[1]))) as client:
        client.get("/raises_before_head")
    wait_for_file(loud, r"\[ERROR\] error in the application")
    assert server.stop() == 0
    assert "[INFO]" not in loud.read_text()
    assert "[ERROR]" not in quiet.read_text()
    assert "[INFO] stopped" in quiet.read_text()
