"""The Django site of the comparison counts the requests whose answers no server has closed."""

from __future__ import annotations

import subprocess
import sys

import pytest

CALLER = """
from wsgiref.util import setup_testing_defaults
from benchmarks.apps.django_json import application

def answer(path, close):
    environ = {"PATH_INFO": path, "HTTP_HOST": "127.0.0.1"}
    setup_testing_defaults(environ)
    answered = application(environ, lambda status, headers: None)
    body = b"".join(answered)
    if close:
        answered.close()
    return body

for close in (True, False, False):
    answer("/", close)
print(answer("/unended", True).decode(), answer("/unended", True).decode())
"""


def test_an_answer_that_is_not_closed_is_a_request_that_has_not_ended():
    pytest.importorskip("django")
    done = subprocess.run(
        [sys.executable, "-c", CALLER], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout.split() == ["2", "2"], done.stderr
