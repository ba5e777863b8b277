"""A server and who looks for it work out the same path; two servers work out different ones."""

from __future__ import annotations

import os

import pytest

from canter.net.control_path import control_paths


@pytest.fixture
def runtime(tmp_path):
    (tmp_path / "run").mkdir()
    return {"XDG_RUNTIME_DIR": str(tmp_path / "run")}


def test_the_runtime_directory_comes_before_the_home(tmp_path, runtime, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    paths = control_paths(str(tmp_path), runtime, chosen=None, pid_file=None)
    assert [os.path.dirname(path) for path in paths] == [
        str(tmp_path / "run" / "canter"),
        str(tmp_path / "home" / ".canter"),
    ]
    assert len({os.path.basename(path) for path in paths}) == 1


@pytest.mark.parametrize("runtime", ["", "relative", "/no/such/directory"])
def test_a_runtime_directory_that_is_none_is_passed_over(tmp_path, runtime, monkeypatch):
    monkeypatch.setenv("HOME", "/home/someone")
    environment = {"XDG_RUNTIME_DIR": runtime}
    (path,) = control_paths(str(tmp_path), environment, chosen=None, pid_file=None)
    assert path.startswith("/home/someone/.canter/")


def test_the_name_tells_the_directory_and_is_its_own(tmp_path, runtime):
    names = set()
    for place in ("a/shop", "b/shop", "b/sh op\n", "/"):
        first, *_ = control_paths(str(tmp_path / place), runtime, chosen=None, pid_file=None)
        names.add(os.path.basename(first))
    assert len(names) == 4
    assert [name.rpartition("-")[0] for name in sorted(names)] == [
        "server",
        "sh-op",
        "shop",
        "shop",
    ]


def test_a_directory_reached_by_a_link_is_the_same(tmp_path, runtime):
    (tmp_path / "releases").mkdir()
    (tmp_path / "current").symlink_to(tmp_path / "releases")
    by_name, by_link = (
        control_paths(str(tmp_path / place), runtime, chosen=None, pid_file=None)
        for place in ("releases", "current")
    )
    assert by_name == by_link


def test_a_pid_file_names_the_server_wherever_one_asks_from(tmp_path, runtime):
    beside = control_paths(str(tmp_path), runtime, chosen=None, pid_file="site.pid")
    elsewhere = control_paths("/", runtime, chosen=None, pid_file=str(tmp_path / "site.pid"))
    other = control_paths(str(tmp_path), runtime, chosen=None, pid_file="other.pid")
    assert beside == elsewhere
    assert beside[0] != other[0]


def test_a_path_that_was_chosen_is_the_only_one(tmp_path, runtime):
    for chosen in ("a.ctl", str(tmp_path / "a.ctl")):
        paths = control_paths(str(tmp_path), runtime, chosen=chosen, pid_file="x.pid")
        assert paths == [str(tmp_path / "a.ctl")]
