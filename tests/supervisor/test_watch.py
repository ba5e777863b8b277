"""Files that change on a real disk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from canter.supervisor.watch import FileWatch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.py"
    path.write_text("old")
    return path


def test_nothing_changed_is_nothing(file: Path):
    watch = FileWatch()
    watch.add([str(file)])
    assert watch.changed() == []


def test_a_change_is_told_once(file: Path):
    watch = FileWatch()
    watch.add([str(file)])
    file.write_text("newer")
    assert watch.changed() == [str(file)]
    assert watch.changed() == []


def test_a_change_of_the_time_alone_is_a_change(file: Path):
    watch = FileWatch()
    watch.add([str(file)])
    os.utime(file, (1, 1))
    assert watch.changed() == [str(file)]


def test_a_file_replaced_within_one_tick_of_the_clock_is_a_change(file: Path, tmp_path: Path):
    watch = FileWatch()
    watch.add([str(file)])
    other = tmp_path / "other"
    other.write_text("new")
    before = file.stat()
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)
    assert watch.changed() == [str(file)]


def test_a_file_that_goes_and_comes_changes_twice(file: Path):
    watch = FileWatch()
    watch.add([str(file)])
    file.unlink()
    assert watch.changed() == [str(file)]
    file.write_text("again")
    assert watch.changed() == [str(file)]


def test_watching_again_does_not_hide_a_change(file: Path):
    watch = FileWatch()
    watch.add([str(file)])
    file.write_text("newer")
    watch.add([str(file)])
    assert watch.changed() == [str(file)]


def test_files_of_a_pattern_are_found_when_they_appear(tmp_path: Path):
    templates = tmp_path / "templates"
    (templates / "deep").mkdir(parents=True)
    (templates / "a.html").write_text("a")
    watch = FileWatch([str(templates / "**" / "*.html")])
    assert watch.changed() == []
    new = templates / "deep" / "b.html"
    new.write_text("b")
    (templates / "c.txt").write_text("c")
    assert watch.changed() == [str(new)]
    new.unlink()
    assert watch.changed() == [str(new)]


def test_relative_patterns_mean_the_directory_of_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    watch = FileWatch(["extra.yaml"])
    monkeypatch.chdir("/")
    (tmp_path / "extra.yaml").write_text("x")
    assert watch.changed() == [str(tmp_path / "extra.yaml")]


def test_other_patterns_can_be_given_later(tmp_path: Path):
    watch = FileWatch()
    watch.look_for([str(tmp_path / "*.yaml")])
    (tmp_path / "a.yaml").write_text("x")
    assert watch.changed() == [str(tmp_path / "a.yaml")]
