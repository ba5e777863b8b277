"""Each line of a Gunicorn configuration gets one verdict, from what its declaration says."""

from __future__ import annotations

from canter.errors import ConfigError
from canter.settings import parse_options
from canter.settings.gunicorn.files import python_layer, run_file
from canter.settings.gunicorn.verdicts import Verdict, error_line, judge_layers

TEXT = b"""\
import os
timeout = 30
dirty_workers = 2
workers = "many"
keepalive = 5
worker_class = "tornado"
def on_dirty_starting(arbiter):
    pass
def post_fork(server, worker):
    pass
root_path = ""
woker = 3
"""


def judged(text=TEXT, *words):
    layer = python_layer(run_file(text, "/x/gunicorn.conf.py", "gunicorn.conf.py"), "f.py", text)
    return judge_layers([layer, parse_options(words).layer])


def test_each_line_has_its_verdict_in_the_order_of_the_file():
    found = [(it.name, it.place, it.verdict) for it in judged()]
    assert found == [
        ("timeout", "f.py:2", Verdict.BETTER),
        ("dirty_workers", "f.py:3", Verdict.NO_EFFECT),
        ("workers", "f.py:4", Verdict.WRONG),
        ("keepalive", "f.py:5", Verdict.SAME),
        ("worker_class", "f.py:6", Verdict.UNSUPPORTED),
        ("on_dirty_starting", "f.py:7", Verdict.NO_EFFECT),
        ("post_fork", "f.py:9", Verdict.SAME),
        ("root_path", "f.py:11", Verdict.SAME),
        ("", "", Verdict.NO_EFFECT),
    ]


def test_a_note_says_how_why_or_what_instead():
    notes = {it.name: it.note for it in judged()}
    assert "limits every request" in notes["timeout"]
    assert "no dirty arbiter" in notes["dirty_workers"]
    assert "'many' is neither" in notes["workers"]
    assert "threads serve instead" in notes["worker_class"]
    assert notes[""] == "f.py:12: woker is no setting and is ignored; did you mean workers?"


def test_options_have_verdicts_too_and_repeated_ones_only_one():
    found = judged(b"", "-b", "a:1", "-b", "b:2", "--spew")
    assert [(it.name, it.value, it.place) for it in found] == [
        ("spew", "'true'", "option --spew"),
        ("bind", "('a:1', 'b:2')", "option -b"),
    ]


def test_an_error_that_no_line_is_to_blame_for_is_a_line():
    line = error_line(ConfigError("x.py:1: SyntaxError"))
    assert (line.verdict, line.note) == (Verdict.WRONG, "x.py:1: SyntaxError")
