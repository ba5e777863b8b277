"""How many workers `auto` means, from invented control groups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from canter.supervisor.capacity import count_processors, parse_cpu_max


@pytest.fixture
def many_processors(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(64)), raising=False)


class Machine:
    def __init__(self, directory: Path) -> None:
        self.root = directory / "cgroup"
        self.proc = directory / "self"

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def count(self) -> int:
        return count_processors(str(self.proc), str(self.root))


@pytest.fixture
def machine(tmp_path: Path, many_processors: None) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize(
    ("text", "processors"),
    [
        ("max 100000\n", None),
        ("200000 100000\n", 2.0),
        ("50000 100000\n", 0.5),
        ("150000", 1.5),
        ("", None),
        ("garbage 1", None),
        ("100 0", None),
        ("-1 100000", None),
    ],
)
def test_a_quota_is_read(text: str, processors: float | None):
    assert parse_cpu_max(text) == processors


def test_without_groups_the_affinity_counts(machine: Machine):
    assert machine.count() == 64


def test_the_quota_of_the_own_group_counts(machine: Machine):
    machine.proc.write_text("0::/service\n")
    machine.write("service/cpu.max", "300000 100000\n")
    assert machine.count() == 3


def test_a_tighter_group_around_it_counts(machine: Machine):
    machine.proc.write_text("0::/pod/container\n")
    machine.write("pod/container/cpu.max", "max 100000\n")
    machine.write("pod/cpu.max", "200000 100000\n")
    assert machine.count() == 2


def test_inside_a_container_the_root_is_the_group(machine: Machine):
    machine.proc.write_text("0::/\n")
    machine.write("cpu.max", "400000 100000\n")
    assert machine.count() == 4


def test_parts_of_a_processor_are_rounded_up(machine: Machine):
    machine.proc.write_text("0::/\n")
    machine.write("cpu.max", "150000 100000\n")
    assert machine.count() == 2
    machine.write("cpu.max", "10000 100000\n")
    assert machine.count() == 1


def test_the_older_kind_of_groups_counts_too(machine: Machine):
    machine.proc.write_text("5:memory:/x\n4:cpu,cpuacct:/docker/abc\n")
    machine.write("cpu/docker/abc/cpu.cfs_quota_us", "250000\n")
    machine.write("cpu/docker/abc/cpu.cfs_period_us", "100000\n")
    assert machine.count() == 3


def test_the_older_kind_inside_a_container(machine: Machine):
    machine.proc.write_text("4:cpuacct,cpu:/docker/abc\n")
    machine.write("cpu/cpu.cfs_quota_us", "100000\n")
    machine.write("cpu/cpu.cfs_period_us", "100000\n")
    assert machine.count() == 1


def test_the_older_kind_without_a_quota(machine: Machine):
    machine.proc.write_text("4:cpu:/\n")
    machine.write("cpu/cpu.cfs_quota_us", "-1\n")
    machine.write("cpu/cpu.cfs_period_us", "100000\n")
    assert machine.count() == 64


def test_a_quota_above_the_affinity_gives_nothing(machine: Machine):
    machine.proc.write_text("0::/\n")
    machine.write("cpu.max", "9900000 100000\n")
    assert machine.count() == 64


def test_on_this_machine_it_is_at_least_one():
    assert 1 <= count_processors() <= (os.cpu_count() or 1)
