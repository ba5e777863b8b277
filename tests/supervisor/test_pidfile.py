"""The pid file: refused while its process lives, replaced when it does not, removed if ours."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from canter.errors import ConfigError
from canter.supervisor.pidfile import PidFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "canter.pid"


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_it_holds_our_number_and_goes_away(path: Path):
    file = PidFile(str(path))
    file.create()
    assert path.read_text() == f"{os.getpid()}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    file.remove()
    assert not path.exists()


def test_one_that_names_a_live_process_is_refused_and_left(path: Path):
    path.write_text(f"{os.getppid()}\n")
    with pytest.raises(ConfigError, match=rf"names process {os.getppid()}, which is running"):
        PidFile(str(path)).create()
    assert path.read_text() == f"{os.getppid()}\n"


def test_one_of_a_process_that_is_younger_than_the_file_is_stale(path: Path):
    # After a reboot somebody else has the number.
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        path.write_text(str(process.pid))
        an_hour_ago = path.stat().st_mtime - 3600
        os.utime(path, (an_hour_ago, an_hour_ago))
        PidFile(str(path)).create()
        assert path.read_text() == f"{os.getpid()}\n"
        process.communicate(b"\n")


@pytest.mark.parametrize("content", ["", "garbage", "-5", "0", "99999999999999999999", "\0\0"])
def test_one_that_names_nobody_is_replaced(path: Path, content: str):
    path.write_text(content)
    PidFile(str(path)).create()
    assert path.read_text() == f"{os.getpid()}\n"


def test_one_of_a_process_that_has_ended_is_replaced(path: Path):
    path.write_text(str(ended_process()))
    PidFile(str(path)).create()
    assert path.read_text() == f"{os.getpid()}\n"


def test_one_with_our_own_number_is_stale(path: Path):
    # The first process of a container has the same number at every start.
    path.write_text(str(os.getpid()))
    PidFile(str(path)).create()


def test_somebody_elses_is_not_removed(path: Path):
    file = PidFile(str(path))
    file.create()
    path.write_text("1\n")
    file.remove()
    assert path.read_text() == "1\n"


def test_it_can_take_the_place_of_another_one(path: Path):
    path.write_text(str(ended_process()))
    file = PidFile(f"{path}.2")
    file.create()
    file.rename(str(path))
    assert path.read_text() == f"{os.getpid()}\n"
    file.remove()
    assert os.listdir(path.parent) == []


def test_removing_twice_does_no_harm(path: Path):
    file = PidFile(str(path))
    file.create()
    file.remove()
    file.remove()


def test_one_that_cannot_be_written_is_one_clear_message(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be written: No such file or directory"):
        PidFile(str(tmp_path / "none" / "canter.pid")).create()


def test_a_directory_in_its_place_is_told_and_nothing_is_left(tmp_path: Path):
    (tmp_path / "canter.pid").mkdir()
    with pytest.raises(ConfigError, match="cannot be written"):
        PidFile(str(tmp_path / "canter.pid")).create()
    assert os.listdir(tmp_path) == ["canter.pid"]


def test_it_is_found_again_after_a_change_of_directory(path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(path.parent)
    file = PidFile("canter.pid")
    file.create()
    monkeypatch.chdir("/")
    file.remove()
    assert not path.exists()
