"""Configuration files as people publish them for Gunicorn, each with the real command.

The files are in `configs`, written anew; what they import that is not on this machine is stood in
for by a module that writes down what was asked of it.
"""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
from pathlib import Path

import pytest

from tests.live.harness import PACKAGE_PARENT, PLAIN, ROOT, Server, Start
from tests.live.waiting import eventually

HARNESS_PATH = (str(PACKAGE_PARENT), str(ROOT))
CONFIGS = Path(__file__).parent / "configs"

SHOP = """
import os

def application(environ, start_response):
    if environ["PATH_INFO"] == "/fails":
        raise LookupError("no such thing")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
"""


@pytest.fixture
def launch(start: Start, tmp_path: Path):
    """Starts the command with one of the files, in a directory with modules of ours."""

    def launched(name: str, *options: str, modules=(), app="shop", **environment: str) -> Server:
        site = tmp_path / "site"
        site.mkdir()
        for module, code in {"shop": SHOP, **dict(modules)}.items():
            path = site / f"{module.replace('.', '/')}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(code)
        config = str(CONFIGS / f"{name}.py")
        environment["PYTHONPATH"] = os.pathsep.join((str(site), *HARNESS_PATH))
        return start(app, "--config", config, *options, environment=environment)

    return launched


def settled(server: Server) -> None:
    assert server.stop() == 0, server.show()
    server.assert_no_traceback()


def test_workers_from_the_number_of_processors(launch):
    server = launch("cpu_count")
    count = multiprocessing.cpu_count() * 2 + 1
    server.wait_for_workers(count)
    server.wait_for_log(f"{count} workers, {multiprocessing.cpu_count() * 2} threads each")
    settled(server)


def test_every_setting_from_a_variable(launch):
    server = launch("from_environment", GUNICORN_WORKERS="2", GUNICORN_THREADS="3")
    server.wait_for_log("2 workers, 3 threads each")
    server.wait_for_workers(2)
    settled(server)


def test_a_container_that_learns_everything_from_its_platform(start: Start, tmp_path: Path):
    server = start(
        PLAIN,
        "--config",
        str(CONFIGS / "web_container.py"),
        logs=False,
        bind=None,
        environment={"BIND": "127.0.0.1:0", "MAX_WORKERS": "1"},
    )
    server.wait_for_workers(1)
    assert server.get("/hello", "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: https").status
    line = r'192\.0\.2\.7 - - \[.*\] "GET /hello HTTP/1.1" 200 5 "-" \d\.\d{6}'
    eventually(lambda: re.search(line, server.output()), "the access line")
    assert '{"workers": 1, "bind": "127.0.0.1:0", "loglevel": "info"}' in server.output()
    assert "worker_tmp_dir has no effect" in server.output()
    settled(server)


METRICS = """
import os
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest, multiprocess

VISITS = Counter("visits", "Requests to the shop")
LIVE = Gauge("live", "Workers that live", multiprocess_mode="livesum")
LIVE.set(1)

def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/metrics":
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
        return [generate_latest(registry)]
    VISITS.inc()
    return [str(os.getpid()).encode()]
"""


def test_prometheus_metrics_of_a_dead_worker_are_given_up_and_its_counts_kept(launch, tmp_path):
    directory = tmp_path / "metrics"
    modules = {"metered": METRICS}
    server = launch(
        "prometheus", modules=modules, app="metered", PROMETHEUS_MULTIPROC_DIR=str(directory)
    )
    workers = server.wait_for_workers(2)

    def metric(name: str) -> float:
        found = re.search(rf"^{name} (\S+)$", server.get("/metrics").body.decode(), re.MULTILINE)
        return float(found[1]) if found else 0.0

    victim = int(server.get("/").body)
    assert metric("visits_total") == 1
    eventually(lambda: metric("live") == 2, "both workers are counted")
    os.kill(victim, signal.SIGKILL)
    server.wait_for_replacement(victim, 2)
    eventually(lambda: metric("live") == 2, "only the living are counted")
    assert metric("visits_total") == 1
    assert not list(directory.glob(f"gauge_live*_{victim}.db"))
    assert workers != server.workers()
    settled(server)


SENTRY_SHOP = """
from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware
from shop import application as inner
application = SentryWsgiMiddleware(inner)
"""


def test_sentry_hears_of_errors_from_the_worker_in_which_they_happen(launch, tmp_path):
    heard = tmp_path / "events"
    modules = {"watched": SENTRY_SHOP}
    server = launch("sentry", modules=modules, app="watched", SENTRY_FILE=str(heard))
    (worker,) = server.workers()
    assert server.get("/fails").status == 500
    eventually(heard.exists, "the event")
    assert heard.read_text() == f"{worker} LookupError 1\n"
    assert f"Sentry watches worker {worker}" in server.log()
    assert server.stop() == 0


def stand_in(path: Path) -> str:
    """The start of a module that writes down what it is asked for."""
    return f"""
import os
def note(*what):
    with open({str(path)!r}, "a") as file:
        print(os.getpid(), *what, file=file)
"""


def test_a_tracing_agent_patches_at_start_and_connects_in_each_worker(launch, tmp_path):
    noted = tmp_path / "noted"
    agent = f"""{stand_in(noted)}
def patch_all(**libraries):
    note("patch_all", *libraries)
class Tracer:
    def configure(self, hostname, port):
        note("configure", hostname, port)
    def shutdown(self, timeout):
        note("shutdown", timeout)
tracer = Tracer()
"""
    server = launch("tracing_agent", modules={"ddtrace": agent})
    (worker,) = server.workers()
    assert int(server.get("/").body) == worker
    settled(server)
    assert noted.read_text().splitlines() == [
        f"{server.pid} patch_all requests",
        f"{worker} configure 127.0.0.1 8126",
        f"{worker} shutdown 1",
    ]


def test_an_agent_that_wraps_the_application_in_the_worker_sees_its_requests(launch, tmp_path):
    noted = tmp_path / "noted"
    agent = f"""{stand_in(noted)}
def initialize():
    note("initialize")
class WSGIApplicationWrapper:
    def __init__(self, application, name):
        self.application, self.name = application, name
    def __call__(self, environ, start_response):
        note(self.name, environ["PATH_INFO"])
        return self.application(environ, start_response)
"""
    modules = {"newrelic.__init__": "", "newrelic.agent": agent}
    server = launch("wrapping_agent", modules=modules)
    (worker,) = server.workers()
    assert int(server.get("/seen").body) == worker
    assert noted.read_text().splitlines() == [f"{worker} initialize", f"{worker} shop /seen"]
    assert f"agent initialised in <Worker {worker}>" in server.log()
    settled(server)


def test_a_django_project_s_settings_are_read(start: Start, tmp_path: Path):
    (tmp_path / "shop_settings.py").write_text(
        'WSGI_APPLICATION = "shop_wsgi.application"\nWEB_WORKERS = 2\nSITE_NAME = "the shop"\n'
        'SECRET_KEY = "x"\nROOT_URLCONF = "shop_urls"\nALLOWED_HOSTS = ["*"]\n'
    )
    (tmp_path / "shop_wsgi.py").write_text(
        "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
    )
    (tmp_path / "shop_urls.py").write_text(
        "import os\nfrom django.http import HttpResponse\nfrom django.urls import path\n"
        "urlpatterns = [path('', lambda request: HttpResponse(os.environ['SITE_NAME']))]\n"
    )
    path = os.pathsep.join((str(tmp_path), *HARNESS_PATH))
    config = str(CONFIGS / "django_settings.py")
    server = start(None, "--config", config, environment={"PYTHONPATH": path})
    server.wait_for_workers(2)
    assert server.get("/").body == b"the shop"
    settled(server)


POOL = """
import os
opened_by = os.getpid()
def dispose():
    global opened_by
    opened_by = os.getpid()
def close():
    # In one piece: another worker closes its own in the same moment.
    os.write(1, f"closed by {opened_by}\\n".encode())
"""


def test_a_pool_opened_before_the_fork_is_reset_in_each_worker(launch):
    app = "import pool\ndef application(environ, start_response):\n"
    app += "    start_response('200 OK', [])\n    return [str(pool.opened_by).encode()]\n"
    server = launch(
        "connection_pool", "--workers", "2", modules={"pool": POOL, "db": app}, app="db"
    )
    workers = server.wait_for_workers(2)
    assert int(server.get("/").body) in workers
    for worker in workers:
        server.wait_for_log(f"pool of {server.pid} reset in {worker}")
    settled(server)
    assert sorted(server.output().split("\n")) == ["", *sorted(f"closed by {it}" for it in workers)]


def test_a_signal_of_the_application_s_own_prints_its_stacks(launch, tmp_path):
    server = launch("stacks_on_demand", STACKS=str(tmp_path / "stacks"))
    (worker,) = server.workers()
    os.kill(worker, signal.SIGUSR2)
    written = tmp_path / f"stacks.{worker}"
    eventually(lambda: "most recent call first" in written.read_text(), "the stacks")
    assert server.workers() == [worker]
    settled(server)


def test_the_stacks_of_an_interrupted_worker_are_logged(launch):
    server = launch("stacks_at_interrupt")
    (worker,) = server.workers()
    os.kill(worker, signal.SIGINT)
    server.wait_for_log(r"worker received INT or QUIT signal.*# Thread: canter.*File: .*, line \d+")
    server.wait_for_replacement(worker, 1)
    settled(server)


SPANS = """
from opentelemetry import trace
def application(environ, start_response):
    with trace.get_tracer("shop").start_as_current_span("GET " + environ["PATH_INFO"]):
        start_response("200 OK", [])
        return [b"traced"]
"""


def test_open_telemetry_s_spans_are_exported_when_the_worker_leaves(launch, tmp_path):
    spans = tmp_path / "spans"
    server = launch(
        "opentelemetry_spans", modules={"traced": SPANS}, app="traced", SPANS=str(spans)
    )
    assert server.get("/cart").body == b"traced"
    settled(server)
    assert spans.read_text() == "GET /cart\n"


def test_a_server_tells_its_own_story(launch):
    server = launch("uptime")
    server.signal(signal.SIGTTIN)
    server.wait_for_workers(3)
    assert server.stop() == 0
    story = [
        r"nworkers: None -> 2",
        r"Starting with 2 workers",
        r"Server is ready\. Spawning workers at http://127\.0\.0\.1:\d+",
        r"nworkers: 2 -> 3",
        r"Shutting down after \d+ s",
    ]
    assert re.search(".*".join(story), server.log(), re.DOTALL), server.log()


def test_requests_are_timed_by_hooks_around_them(launch):
    server = launch("request_timing")
    assert server.get("/cart?item=7", "User-Agent: test").status == 200
    server.wait_for_log(
        r"\[DEBUG\] GET /cart\n.*GET /cart\?item=7 -> 200 OK in 0\.\d{3} s, \d+ bytes, agent test"
    )
    settled(server)


def test_workers_that_leak_are_replaced_after_some_requests(launch):
    server = launch("recycled")
    (first,) = server.workers()
    asked = 0
    while asked < 200 and int(server.get("/").body) == first:
        asked += 1
    server.wait_for_log(rf"worker {first} leaves, age 1 of 1")
    assert asked >= 5
    settled(server)


def test_gunicorn_s_own_example(start: Start):
    server = start("tests.live.apps.plain:show_environ", "-c", str(CONFIGS / "everything.py"),
        bind=None, logs=False)  # fmt: skip
    assert server.get("/").status == 200
    eventually(lambda: '"GET / HTTP/1.1" 200' in server.output(), "the access line")
    (worker,) = server.workers()
    assert server.stop() == 0
    said = server.output()
    assert "Server is ready. Spawning workers" in said
    assert f"Worker spawned (pid: {worker})" in said
