"""The project's files: no machine's paths, no dead links, and lists that agree."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import setuptools

import canter
from tests.architecture.sources import ROOT, SOURCE, modules, project_files

# Put together, so that this file does not hold what it looks for.
MACHINE_PATHS = re.compile("/(?:" + "|".join(["wo" + "rk", "ro" + "ot", "Use" + "rs"]) + ")/")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")

DOCUMENTS = [path for path in project_files() if path.suffix == ".md"]


def test_no_file_knows_the_machine_it_was_written_on():
    found = [
        f"{path}: {line}"
        for path in project_files()
        for line in path.read_text(encoding="utf-8").splitlines()
        if MACHINE_PATHS.search(line)
    ]
    assert not found


def test_links_between_documents_lead_somewhere():
    dead = [
        f"{path}: {target}"
        for path in DOCUMENTS
        for target in LINK.findall(path.read_text(encoding="utf-8"))
        if "://" not in target
        and not target.startswith(("#", "mailto:"))
        and not (path.parent / target.partition("#")[0]).exists()
    ]
    assert not dead


def test_tests_that_a_document_names_exist():
    missing = []
    for document in DOCUMENTS:
        for file, function in NAMED_TEST.findall(document.read_text(encoding="utf-8")):
            path = ROOT / file
            if not path.is_file() or f"def {function}" not in path.read_text(encoding="utf-8"):
                missing.append(f"{document}: {file}::{function}")
    assert not missing


@pytest.fixture
def setup_script(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What setup.py defines, without building anything."""
    monkeypatch.setenv("CANTER_EXTENSIONS", "off")
    monkeypatch.setattr(setuptools, "setup", lambda **arguments: None)
    return runpy.run_path(str(ROOT / "setup.py"))


def test_what_is_compiled_is_what_has_c_types_beside_it(setup_script):
    typed = {
        ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for suffix in ("pxd", "pyx")
        for path in SOURCE.rglob(f"*.{suffix}")
    }
    assert set(setup_script["compilable"]()) == typed
    assert typed <= set(modules()), "each needs a .py: without a compiler nothing else is there"


def test_the_version_is_read_from_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "canter.__version__"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", canter.__version__)


def test_the_extra_called_all_is_every_extra_for_running():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    [everything] = extras["all"]
    named = set(re.fullmatch(r"canter\[(.*)\]", everything)[1].split(","))  # type: ignore[index]
    assert named == set(extras) - {"all", "test", "fuzz", "lint", "dev"}


def test_coverage_floors_name_modules_that_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for name in project["tool"]["coverage-floors"]:
        if name != "default":
            assert name.replace("/", ".") in modules(), name


def report(**percents: int) -> str:
    files = {
        f"src/canter/{name}.py": {"summary": {"num_statements": 100, "covered_lines": percent}}
        for name, percent in percents.items()
    }
    return repr({"files": files}).replace("'", '"')


@pytest.mark.parametrize(
    ("percents", "status", "said"),
    [
        ({"protocol/fields": 95, "net/listeners": 85}, 0, "canter/net "),
        ({"protocol/fields": 94, "net/listeners": 99}, 1, "94.0%  canter/protocol/fields.py"),
        ({"protocol/fields": 99, "net/listeners": 84}, 1, "canter/net "),
    ],
)
def test_a_missed_coverage_floor_is_an_error(tmp_path: Path, percents, status, said):
    path = tmp_path / "coverage.json"
    path.write_text(report(**percents), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "coverage_floors.py"), str(path)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == status
    assert said in ended.stdout


@pytest.mark.parametrize("path", [".ci/run"])
def test_scripts_can_be_run(path):
    assert os.access(ROOT / path, os.X_OK)
