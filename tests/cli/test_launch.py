"""A reload reads the sources again, with the words of the start, and changes all or nothing."""

from __future__ import annotations

import os
import sys

import pytest

from canter.cli.launch import Launch
from canter.errors import ConfigError
from canter.settings import Surroundings, parse_options


@pytest.fixture(autouse=True)
def _process_as_it_was(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.chdir(tmp_path)


def launch(tmp_path, *words):
    return Launch(Surroundings(str(tmp_path), {}), parse_options(words).layer)


def test_a_reload_sees_the_file_as_it_is_now_and_the_options_of_the_start(tmp_path):
    file = tmp_path / "canter.toml"
    file.write_text("workers = 2\nthreads = 2")
    start = launch(tmp_path, "--threads", "8", "site:app")
    assert start.reload_settings().workers == 2
    file.write_text("workers = 3\nthreads = 3")
    settings = start.reload_settings()
    assert (settings.workers, settings.threads) == (3, 8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("workers = ", "canter.toml"),
        ("threds = 3", "canter.toml:1: unknown setting threds"),
        ("chdir = 'none'", "canter.toml:1: chdir: cannot change to "),
        ("bind = '::'", "canter.toml:1: bind: cannot bind to '::'"),
        ("", "no application is given"),
    ],
)
def test_a_reload_that_cannot_be_leaves_the_process_as_it_was(tmp_path, text, message):
    (tmp_path / "sub").mkdir()
    file = tmp_path / "canter.toml"
    file.write_text("wsgi_app = 'site:app'\nchdir = 'sub'\nraw_env = ['SITE=1']")
    start = launch(tmp_path)
    start.reload_settings()
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        start.reload_settings()
    assert str(caught.value).startswith(message)
    assert os.path.samefile(os.getcwd(), tmp_path / "sub")
    assert os.environ["SITE"] == "1"


def test_a_directory_that_has_gone_is_a_configuration_that_cannot_be_used(tmp_path):
    (tmp_path / "sub").mkdir()
    start = launch(tmp_path, "--chdir", "sub", "site:app")
    start.reload_settings()
    (tmp_path / "sub").rmdir()
    with pytest.raises(ConfigError, match=r"^--chdir: cannot change to "):
        start.reload_settings()
