"""The process is made ready for the application, and again for a reload."""

from __future__ import annotations

import os
import sys

import pytest

import canter
from canter.cli.workplace import Workplace
from canter.errors import ConfigError
from canter.settings import Surroundings, settings_from


@pytest.fixture(autouse=True)
def _process_as_it_was(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(os, "environ", os.environ.copy())
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def workplace(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    return Workplace(Surroundings(os.getcwd(), dict(os.environ)))


def enter(workplace, **arguments):
    workplace.enter(settings_from(arguments))


def test_the_directory_of_the_start_comes_first(workplace):
    sys.path += [os.getcwd(), "/other"]
    workplace.make_importable()
    assert sys.path[0] == os.getcwd()
    assert sys.path.count(os.getcwd()) == 1


def test_pythonpath_comes_before_chdir_and_that_before_the_start(workplace, tmp_path):
    start = os.getcwd()
    workplace.make_importable()
    enter(workplace, chdir="a", pythonpath="../b, /other")
    assert os.getcwd() == os.path.join(start, "a")
    assert sys.path[:4] == [os.path.join(start, "b"), "/other", os.path.join(start, "a"), start]


def test_a_relative_directory_means_the_same_when_entered_again(workplace):
    enter(workplace, chdir="a")
    enter(workplace, chdir="a")
    assert os.path.basename(os.getcwd()) == "a"
    enter(workplace, chdir="b")
    assert os.path.basename(os.getcwd()) == "b"
    enter(workplace)
    assert os.path.basename(os.path.dirname(os.getcwd())) != "a"


def test_a_directory_that_is_not_there_changes_nothing(workplace):
    start = os.getcwd()
    with pytest.raises(ConfigError, match=r"^chdir: cannot change to .*/none: No such file"):
        enter(workplace, chdir="none", raw_env=["SITE=1"])
    assert os.getcwd() == start
    assert "SITE" not in os.environ


def test_variables_are_set_and_taken_back(monkeypatch, tmp_path):
    os.environ["SITE_OLD"] = "old"
    os.environ.pop("SITE_NEW", None)
    workplace = Workplace(Surroundings(str(tmp_path), dict(os.environ)))
    enter(workplace, raw_env=["SITE_OLD=1", "SITE_NEW=a=b,c"])
    assert (os.environ["SITE_OLD"], os.environ["SITE_NEW"]) == ("1", "a=b,c")
    enter(workplace, raw_env=["SITE_OTHER=2"])
    assert os.environ["SITE_OLD"] == "old"
    assert "SITE_NEW" not in os.environ
    assert os.environ["SITE_OTHER"] == "2"


def test_the_application_s_process_says_which_server_runs_it(workplace):
    enter(workplace)
    assert os.environ["SERVER_SOFTWARE"] == f"canter/{canter.__version__}"
