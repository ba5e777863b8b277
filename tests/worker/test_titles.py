"""Process titles: by the package if it is there, not at all if it is not."""

from __future__ import annotations

import sys
import types

import pytest

from canter.worker.titles import name_process


def test_the_process_is_named_after_its_server_and_its_role(monkeypatch: pytest.MonkeyPatch):
    titles: list[str] = []
    package = types.ModuleType("setproctitle")
    package.setproctitle = titles.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "setproctitle", package)
    name_process("shop", "worker")
    name_process(None, "supervisor")
    assert titles == ["shop: worker", "canter: supervisor"]


def test_without_the_package_nothing_happens(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "setproctitle", None)
    name_process("shop", "worker")
