"""The standard library's own check of PEP 3333, around a call."""

from __future__ import annotations

import io
import warnings
from typing import Any
from wsgiref.validate import validator

import pytest

from canter.wsgi.environ import base_environ
from canter.wsgi.errors import ErrorStream
from canter.wsgi.input import BodyInput
from tests.wsgi.recording import Recording, call


def complete_environ(method: str, body: Any) -> dict[str, Any]:
    """What an engine adds for one request, to what every request starts from."""
    environ = base_environ(
        server_name="127.0.0.1",
        server_port="8000",
        multithread=True,
        multiprocess=False,
        errors=ErrorStream(lambda text: None),
    )
    environ |= {
        "REQUEST_METHOD": method,
        "PATH_INFO": "/",
        "QUERY_STRING": "",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": body,
    }
    return environ


def pieces(*parts: bytes) -> BodyInput:
    left = [*parts, b""]
    return BodyInput(lambda: left.pop(0))


def whole_list(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def generator(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"he"
    yield b"llo"


def echo(environ, start_response):
    stream = environ["wsgi.input"]
    body = stream.read(2) + stream.readline() + b"".join(stream.readlines()) + b"".join(stream)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [body]


def writing(environ, start_response):
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"he")
    return [b"llo"]


def changing_its_mind(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    try:
        raise ValueError("on purpose")
    except ValueError as error:
        start_response("500 Oops", [("Content-Type", "text/plain")], (ValueError, error, None))
    return [b"hello"]


def complaining(environ, start_response):
    environ["wsgi.errors"].write("a line\n")
    environ["wsgi.errors"].writelines(["more\n"])
    environ["wsgi.errors"].flush()
    return whole_list(environ, start_response)


def nothing(environ, start_response):
    start_response("204 No Content", [])
    return []


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("body", [lambda: io.BytesIO(b"he\nllo"), lambda: pieces(b"h", b"e\nllo")])
@pytest.mark.parametrize(
    "application",
    [whole_list, generator, echo, writing, changing_its_mind, complaining, nothing],
)
def test_wsgiref_validate_finds_nothing(application, method, body):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        environ = complete_environ(method, body())
        done = call(validator(application), method=method, environ=environ)
    assert done.exchange.problem is None, done.exchange.problem
    assert done.answer().whole


def test_wsgiref_validate_finds_nothing_when_the_client_leaves():
    environ = complete_environ("GET", io.BytesIO())
    done = call(validator(generator), environ=environ, sink=Recording(10))
    assert done.exchange.problem is None


def test_the_environ_tells_the_truth_about_threads_and_processes():
    for multithread in (False, True):
        for multiprocess in (False, True):
            environ = base_environ(
                server_name="a",
                server_port="1",
                multithread=multithread,
                multiprocess=multiprocess,
                errors=None,
            )
            assert environ["wsgi.multithread"] is multithread
            assert environ["wsgi.multiprocess"] is multiprocess
            assert environ["wsgi.run_once"] is False
            assert environ["wsgi.version"] == (1, 0)
            assert environ["wsgi.input_terminated"] is True
