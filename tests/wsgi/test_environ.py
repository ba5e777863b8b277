"""The environ that every request of a listener starts from."""

from __future__ import annotations

import io
import sys

import pytest

from canter.wsgi.environ import base_environ
from canter.wsgi.input import NO_BODY


def base():
    return base_environ(
        server_name="example.org",
        server_port="8000",
        multithread=True,
        multiprocess=False,
        errors=io.StringIO(),
    )


def test_a_copy_does_not_grow_while_an_ordinary_request_is_written_into_it():
    environ = base().copy()
    size = sys.getsizeof(environ)
    for number in range(18):
        environ[f"HTTP_X_{number}"] = "value"
    assert sys.getsizeof(environ) == size


def test_there_is_nothing_in_it_but_what_applications_may_see():
    assert all(key.isupper() or key.startswith(("wsgi.", "canter.client")) for key in base())


def test_requests_without_a_body_have_one_empty_input_that_none_can_spoil():
    assert isinstance(NO_BODY, io.BytesIO)
    with NO_BODY as opened:
        assert (opened.read(), opened.read(5), opened.readline(), opened.readlines()) == (
            *(b"",) * 3,
            [],
        )
    NO_BODY.close()
    assert NO_BODY.seek(7) == 0
    assert list(NO_BODY) == []
    assert NO_BODY.readable()
    assert not NO_BODY.writable()
    for spoil in (
        lambda: NO_BODY.write(b"x"),
        lambda: NO_BODY.writelines([b"x"]),
        lambda: NO_BODY.truncate(9),
    ):
        with pytest.raises(io.UnsupportedOperation):
            spoil()
    assert io.TextIOWrapper(NO_BODY).read() == ""
    assert NO_BODY.read() == b""
