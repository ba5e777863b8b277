"""Applications of PasteDeploy files."""

from __future__ import annotations

import sys

import pytest

from canter.errors import ApplicationError, BootError
from canter.worker.loader import describe_failure, load_application

INI = """\
[DEFAULT]
colour = blue

[app:main]
paste.app_factory = paste_site:make
size = 3

[app:other]
paste.app_factory = paste_site:make
size = 4

[app:broken]
paste.app_factory = paste_site:fail

[app:data]
paste.app_factory = paste_site:data
"""

SITE = """\
def make(global_conf, **local_conf):
    return lambda environ, start_response: [global_conf["colour"], local_conf["size"]]

def fail(global_conf):
    raise ValueError("as asked")

def data(global_conf):
    return 3
"""


@pytest.fixture(autouse=True)
def site(tmp_path, monkeypatch):
    (tmp_path / "site.ini").write_text(INI)
    (tmp_path / "paste_site.py").write_text(SITE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "paste_site", raising=False)


@pytest.mark.parametrize(
    ("text", "served"),
    [
        ("paste:site.ini", ["blue", "3"]),
        ("paste:site.ini#other", ["blue", "4"]),
        ("paste:site.ini#other?colour=a+b%26c", ["a b&c", "4"]),
    ],
)
def test_the_section_s_application_gets_the_values_of_the_file_and_of_the_text(text, served):
    pytest.importorskip("paste.deploy")
    assert load_application(text)({}, None) == served


@pytest.mark.parametrize(
    ("text", "error", "told"),
    [
        ("paste:missing.ini", BootError, "there is no file .*missing.ini"),
        ("paste:site.ini#nowhere", ApplicationError, "nowhere"),
        ("paste:site.ini#broken", BootError, "ValueError: as asked"),
        ("paste:site.ini#data", ApplicationError, "not callable: it is a int"),
    ],
)
def test_what_cannot_be_served_is_one_clear_error(text, error, told):
    pytest.importorskip("paste.deploy")
    with pytest.raises(error, match=told) as caught:
        load_application(text)
    message, _ = describe_failure(caught.value)
    assert message == str(caught.value)


def test_without_the_library_the_error_says_which_extra_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "paste.deploy", None)
    with pytest.raises(BootError, match=r"pip install 'canter\[paste\]'"):
        load_application("paste:site.ini")
