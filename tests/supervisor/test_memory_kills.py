"""Who killed a worker, from the count of its memory control group."""

from __future__ import annotations

from pathlib import Path

import pytest

from canter.supervisor.cgroups import OURS
from canter.supervisor.memory_kills import MemoryKills

V2 = ("0::/pod/web\n", "pod/web/memory.events", "low 0\nhigh 0\noom 7\noom_kill {}\n")
V2_CONTAINER = ("0::/pod/web\n", "memory.events", "oom_kill {}\noom_group_kill 0\n")
V1 = ("4:memory:/web\n0::/\n", "memory/web/memory.oom_control", "under_oom 0\noom_kill {}\n")
V1_CONTAINER = ("4:memory:/pod/web\n", "memory/memory.oom_control", "oom_kill {}\n")
V1_HYBRID = ("4:memory:/web\n0::/web\n", "unified/web/memory.events", "oom_kill {}\n")


class Group:
    def __init__(self, root: Path, layout: tuple[str, str, str]) -> None:
        groups, name, self._text = layout
        self.proc, self.root = root / "cgroup", root / "fs"
        self._file = self.root / name
        self._file.parent.mkdir(parents=True)
        self.proc.write_text(groups)
        self.count(3)

    def count(self, number: int) -> None:
        self._file.write_text(self._text.format(number))

    def kills(self, now: float = 100.0) -> MemoryKills:
        return MemoryKills(now, str(self.proc), str(self.root))


@pytest.mark.parametrize("layout", [V2, V2_CONTAINER, V1, V1_CONTAINER, V1_HYBRID])
def test_a_count_that_has_risen_says_who_did_it(tmp_path: Path, layout: tuple[str, str, str]):
    group = Group(tmp_path, layout)
    kills = group.kills()
    assert kills.struck_lately(100.5) is False
    group.count(4)
    assert kills.struck_lately(101.0) is True


def test_deaths_by_one_strike_are_all_its_own(tmp_path: Path):
    group = Group(tmp_path, V2)
    kills = group.kills()
    group.count(5)
    assert [kills.struck_lately(101.0), kills.struck_lately(101.5)] == [True, True]
    assert kills.struck_lately(110.0) is False


def test_an_older_strike_at_somebody_else_is_not_taken_for_this_one(tmp_path: Path):
    group = Group(tmp_path, V2)
    kills = group.kills()
    group.count(4)
    kills.look(101.0)
    assert kills.struck_lately(200.0) is False


@pytest.mark.parametrize("text", ["", "oom_kill many\n", "oom 5\n"])
def test_where_the_count_cannot_be_read_nothing_is_claimed(tmp_path: Path, text: str):
    group = Group(tmp_path, ("0::/\n", "memory.events", text))
    kills = group.kills()
    kills.look(101.0)
    assert kills.struck_lately(102.0) is None


def test_without_control_groups_nothing_is_claimed(tmp_path: Path):
    kills = MemoryKills(100.0, str(tmp_path / "none"), str(tmp_path / "none"))
    assert kills.struck_lately(101.0) is None


def test_this_system_can_be_asked(tmp_path: Path):
    assert MemoryKills(100.0, OURS).struck_lately(101.0) in {False, None}
