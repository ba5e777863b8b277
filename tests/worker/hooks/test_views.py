"""What hooks find at the objects that they are given."""

from __future__ import annotations

import logging

import pytest

from canter.observe.logger import Logger
from canter.observe.request_view import RequestView
from canter.settings import Surroundings, arguments_layer, load
from canter.worker.hooks.views import ConfigView, ServerView, WorkerView


@pytest.fixture
def settings(tmp_path):
    values = {"workers": 3, "threads": 2, "raw_env": ["A=1"], "bind": ["127.0.0.1:0"]}
    return load(Surroundings(str(tmp_path), {}), arguments_layer(values))


def logger() -> Logger:
    return Logger.bound(logging.getLogger("test"), logging.getLogger("test"), None)(None)


def environ(**more: str) -> dict[str, object]:
    return {
        "REQUEST_METHOD": "POST",
        "RAW_URI": "/a%20b/c?x=1",
        "PATH_INFO": "/a b/c",
        "QUERY_STRING": "x=1",
        "SERVER_PROTOCOL": "HTTP/1.0",
        "wsgi.url_scheme": "https",
        "REMOTE_ADDR": "192.0.2.7",
        "REMOTE_PORT": "4711",
        "HTTP_X_TAG": "one",
        "CONTENT_TYPE": "text/plain",
        **more,
    }


def test_a_configuration_has_every_setting_also_gunicorn_s_alone(settings):
    cfg = ConfigView(settings)
    assert cfg.workers == cfg.settings["workers"].value == cfg.settings["workers"].get() == 3
    assert cfg.dirty_workers == 0
    assert cfg.address == ["127.0.0.1:0"]
    assert cfg.env == {"A": "1"}
    assert cfg.worker_class_str == "gthread"
    assert "no_such_setting" not in cfg.settings
    with pytest.raises(AttributeError, match="there is no setting no_such_setting"):
        _ = cfg.no_such_setting


def test_views_take_what_is_put_on_them(settings):
    server = ServerView(settings, logger())
    server.started = 17  # type: ignore[attr-defined]
    assert server.started == 17  # type: ignore[attr-defined]
    worker = WorkerView(settings, logger(), 4)
    assert (worker.age, worker.pid, worker.nr, str(worker)) == (
        4,
        "[booting]",
        0,
        "<Worker [booting]>",
    )
    worker.notify()
    assert worker.tmp.last_update() > 0


def test_a_request_is_shown_as_gunicorn_shows_it():
    req = RequestView(environ())
    assert (req.method, req.uri, req.path, req.query) == ("POST", "/a%20b/c?x=1", "/a%20b/c", "x=1")
    assert (req.version, req.scheme, req.remote_addr) == ((1, 0), "https", ("192.0.2.7", 4711))
    assert req.headers == [("X-TAG", "one"), ("CONTENT-TYPE", "text/plain")]


def test_headers_that_a_hook_changes_reach_the_environ_and_others_stay():
    found = environ()
    req = RequestView(found)
    req.pass_on()
    assert found == environ()
    req.headers.append(("X-Tag", "two"))
    req.headers.append(("X-New", "3"))
    req.pass_on()
    assert (found["HTTP_X_TAG"], found["HTTP_X_NEW"]) == ("one,two", "3")
    assert found["CONTENT_TYPE"] == "text/plain"
    other = RequestView(found)
    other.headers = [("HOST", "shop")]
    other.pass_on()
    assert "HTTP_X_TAG" not in found
    assert found["HTTP_HOST"] == "shop"
