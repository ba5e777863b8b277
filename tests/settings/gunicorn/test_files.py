"""Configuration in Python: values are taken, and of the rest nothing is a crash."""

from __future__ import annotations

import sys

import pytest

from canter.errors import ConfigError
from canter.settings.gunicorn.files import python_layer, run_file, run_module
from canter.settings.gunicorn.names import DIRTY
from canter.settings.layers import merge, settle


def layer(text, path="/site/gunicorn.conf.py"):
    code = text.encode()
    return python_layer(run_file(code, path, "gunicorn.conf.py"), "gunicorn.conf.py", code)


def settings(text):
    return settle(merge([layer(text)]))


def test_a_file_as_people_write_them():
    found = settings("""\
import multiprocessing
import os

bind = "127.0.0.1:9000"
workers = multiprocessing.cpu_count() * 2 + 1
cores = multiprocessing.cpu_count()
workers_per_core = 2
worker_class = "gthread"
threads = int(os.environ.get("NO_SUCH_VARIABLE", "4"))
timeout = 120
keepalive = 5
accesslog = "-"
access_log_format = '%(h)s "%(r)s"'
raw_env = ["A=1"]
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
use_loglevel = "info"
_private = 3
""")
    assert found.bind == ("127.0.0.1:9000",)
    assert found.threads == 4
    assert found.worker_class == "threads"
    assert found.secure_scheme_headers == {"X-FORWARDED-PROTO": "https"}
    assert found.warnings == ()
    assert str(found.source("threads")) == "gunicorn.conf.py:9"


def test_the_line_is_that_of_the_last_assignment_in_the_module():
    found = settings("""\
threads = 1
if True:
    threads = 2

def pre_fork(server, worker):
    threads = 3

names = [threads for threads in (4, 5)]
""")
    assert (found.threads, str(found.source("threads"))) == (2, "gunicorn.conf.py:3")


def test_a_value_that_nobody_assigned_in_sight_is_in_the_file():
    found = settings("globals()['threads'] = 3")
    assert str(found.source("threads")) == "gunicorn.conf.py"


def test_hooks_are_taken_as_functions():
    found = settings("""\
def post_fork(server, worker):
    pass

class Ready:
    def __call__(self, server):
        pass

when_ready = Ready()
on_exit = None
""")
    assert found.post_fork(1, 2) is None
    assert found.when_ready(1) is None
    assert found.on_exit is None
    assert str(found.source("when_ready")) == "gunicorn.conf.py:8"
    assert found.warnings == ()


def test_hooks_of_what_canter_does_not_have_are_named():
    found = settings("def on_dirty_starting(arbiter):\n    pass\n")
    assert found.warnings == (
        "gunicorn.conf.py:1: the hook on_dirty_starting is not called by canter",
    )


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def pre_fork(server): pass", "cannot be called with 2 arguments"),
        ("def post_request(worker): pass", "cannot be called with 2 to 4 arguments"),
        ("def when_ready(): pass", "cannot be called with 1 argument"),
        ("on_exit = 5", "5 is not a function"),
        ("on_exit = 'no such thing'", "does not name a function as module:attribute"),
    ],
)
def test_what_cannot_be_called_as_a_hook_is_refused(code, problem):
    with pytest.raises(ConfigError, match=rf"^gunicorn\.conf\.py:1: \w+: .*{problem}$"):
        settings(code)


def test_settings_that_canter_does_not_have_are_named_once_each():
    found = settings("""\
worker_tmp_dir = "/dev/shm"
dirty_threads = 3
dirty_workers = 2
spew = False
http2_cleartext = "off"
dirty_apps = []
certfile = None
proxy_protocol = False
""")
    no_file = "canter keeps no heartbeat file"
    assert found.warnings == (
        f"gunicorn.conf.py:1: Gunicorn's worker_tmp_dir has no effect: {no_file}",
        f"gunicorn.conf.py:2: Gunicorn's dirty_threads has no effect: {DIRTY}",
        f"gunicorn.conf.py:3: Gunicorn's dirty_workers has no effect: {DIRTY}",
    )


def test_constants_of_the_ssl_module_are_understood():
    found = settings("import ssl\ncert_reqs = ssl.CERT_REQUIRED\nca_certs = 'ca.pem'")
    assert found.cert_reqs == "required"
    assert not found.warnings


def test_what_of_tls_has_no_effect_is_said():
    found = settings("import ssl\nssl_version = ssl.PROTOCOL_TLS\ndo_handshake_on_connect = True")
    instead = "Gunicorn ignores it too; tls_minimum_version is the setting"
    needless = "handshakes never hold up anything"
    assert found.warnings == (
        f"gunicorn.conf.py:2: Gunicorn's ssl_version has no effect: {instead}",
        f"gunicorn.conf.py:3: Gunicorn's do_handshake_on_connect has no effect: {needless}",
    )


@pytest.mark.parametrize(
    ("text", "name", "meant"),
    [
        ("worker = 4", "worker", "workers"),
        ("time_out = 4", "time_out", "timeout"),
        ("log_level = 'info'", "log_level", "loglevel"),
        ("preload_apps = True", "preload_apps", "preload_app"),
        ("def post_forks(server, worker): pass", "post_forks", "post_fork"),
    ],
)
def test_a_name_that_is_nearly_a_setting_gets_a_hint(text, name, meant):
    assert settings(text).warnings == (
        f"gunicorn.conf.py:1: {name} is no setting and is ignored; did you mean {meant}?",
    )


@pytest.mark.parametrize(
    "text",
    [
        "import threading as thread",
        "class Binds: pass",
        "_bind = 1",
        "host, port = 'localhost', 80",
        "graceful_timeout_str = '30'",
        "def count_workers(): return 3",
        "config = {'a': 1}",
        "check_config = True",
    ],
)
def test_people_s_own_names_are_left_alone(text):
    found = settings(text)
    assert found.warnings == ()
    assert found == settings("")


def test_none_is_no_value_where_the_setting_needs_one():
    found = settings("threads = None\naccesslog = None\nsendfile = None")
    assert found.threads == 1
    assert found.sendfile
    assert str(found.source("accesslog")) == "gunicorn.conf.py:2"


def test_a_wrong_value_is_told_with_its_line():
    with pytest.raises(
        ConfigError, match=r"^gunicorn\.conf\.py:2: workers: 2\.0 is neither a whole number nor"
    ):
        settings("\nworkers = 4 / 2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nthreads = nothing", "gunicorn.conf.py:2: NameError: name 'nothing' is not defined"),
        ("threads =", "gunicorn.conf.py:1: SyntaxError: invalid syntax"),
        ("import sys\nsys.exit(3)", "gunicorn.conf.py:2: SystemExit: 3"),
        ("raise ValueError", "gunicorn.conf.py:1: ValueError"),
        ("import no_such_module_here", "gunicorn.conf.py:1: ModuleNotFoundError: No module named"),
    ],
)
def test_code_that_fails_is_one_clear_message(text, message):
    with pytest.raises(ConfigError) as caught:
        layer(text)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_a_failure_elsewhere_is_told_with_both_places():
    with pytest.raises(ConfigError, match=r"^gunicorn\.conf\.py:2: .* \(raised at .*decoder\.py:"):
        layer("import json\njson.loads('{')")


def test_code_that_is_not_text_is_one_clear_message():
    with pytest.raises(ConfigError, match=r"^gunicorn\.conf\.py"):
        run_file(b"x = '\xff'", "/site/gunicorn.conf.py", "gunicorn.conf.py")
    with pytest.raises(ConfigError, match=r"^gunicorn\.conf\.py"):
        run_file(b"x = 1\0", "/site/gunicorn.conf.py", "gunicorn.conf.py")


def test_the_code_runs_as_the_module_that_gunicorn_makes_of_it():
    names = run_file(b"where = (__name__, __file__)", "/site/gunicorn.conf.py", "label")
    assert names["where"] == ("__config__", "/site/gunicorn.conf.py")
    assert vars(sys.modules["__config__"]) is names


def test_a_module_is_run_anew_for_a_reload(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "settings_of_a_site.py"
    file.write_text("threads = 1")
    assert run_module("settings_of_a_site")["threads"] == 1
    file.write_text("threads = 2  # longer, so that it is seen to have changed")
    assert run_module("settings_of_a_site")["threads"] == 2
    monkeypatch.delitem(sys.modules, "settings_of_a_site")


def test_a_module_that_cannot_be_imported_is_one_clear_message():
    with pytest.raises(ConfigError, match=r"^python:no_such_module_here: ModuleNotFoundError: "):
        run_module("no_such_module_here")
