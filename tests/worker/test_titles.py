"""Process titles: by the package if it is there, else the short name that Linux has."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from canter.worker.titles import name_process, short_name
from tests.forking import exit_status, fork_and_run

COMM = Path("/proc/self/comm")


def test_the_process_is_named_after_its_server_its_role_and_its_generation(
    monkeypatch: pytest.MonkeyPatch,
):
    titles: list[str] = []
    package = types.ModuleType("setproctitle")
    package.setproctitle = titles.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "setproctitle", package)
    name_process("shop", "worker", 2)
    name_process(None, "supervisor")
    assert titles == ["shop: worker, generation 2", "canter: supervisor"]


@pytest.mark.parametrize(
    ("name", "generation", "short"),
    [
        ("shop", None, b"shop"),
        ("shop", 3, b"shop:3"),
        ("a-very-long-name-indeed", None, b"a-very-long-nam"),
        ("a-very-long-name-indeed", 12, b"a-very-long-:12"),
    ],
)
def test_the_short_name_keeps_the_generation(name: str, generation: int | None, short: bytes):
    assert short_name(name, generation) == short


@pytest.mark.skipif(not COMM.exists(), reason="this system has no /proc/self/comm")
def test_without_the_package_the_short_name_is_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "setproctitle", None)

    def work() -> None:
        name_process("shop", "worker", 2)
        assert COMM.read_text() == "shop:2\n"

    assert exit_status(fork_and_run(work)) == 0
