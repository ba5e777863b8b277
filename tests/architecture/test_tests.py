"""The tests themselves: they do not sleep, and names are sentences."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture.sources import ROOT

TESTS = ROOT / "tests"

# Applications that are slow on purpose, and the one place that polls for a condition.
MAY_SLEEP = (TESTS / "live" / "apps", TESTS / "live" / "waiting.py")

TEST_FILES = sorted(TESTS.rglob("*.py"))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def sleeps(tree: ast.AST) -> list[int]:
    lines = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            function = node.func
            called = getattr(function, "attr", getattr(function, "id", ""))
            if called == "sleep":
                lines.append(node.lineno)
    return lines


def test_tests_wait_for_a_condition_and_never_for_a_time():
    found = [
        f"{path}:{line}"
        for path in TEST_FILES
        if not any(path == place or place in path.parents for place in MAY_SLEEP)
        for line in sleeps(parsed(path))
    ]
    assert not found


def test_a_sleep_would_be_seen():
    assert sleeps(ast.parse("import time\ntime.sleep(1)\nsleep(2)\n")) == [2, 3]


def test_tests_are_named_by_sentences():
    short = [
        f"{path}: {node.name}"
        for path in TEST_FILES
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and node.name.count("_") < 2
    ]
    assert not short
