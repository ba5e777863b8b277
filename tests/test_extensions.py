"""CANTER_EXTENSIONS decides which build runs, and says clearly when it cannot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from types import FunctionType

import pytest

from canter import extensions
from canter.errors import ConfigError

ROOT = Path(__file__).resolve().parents[1]
CORE = "canter.protocol.http1.scan_fast"


def run_python(code, mode, path=ROOT / "src"):
    environment = {
        name: value
        for name, value in os.environ.items()
        # What is measured in a copy of the package would be taken for another package.
        if name != "CANTER_EXTENSIONS" and not name.startswith("COVERAGE_")
    }
    environment["PYTHONPATH"] = str(path)
    if mode is not None:
        environment["CANTER_EXTENSIONS"] = mode
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    return ended.stdout.strip(), ended.stderr


@pytest.fixture
def package(tmp_path):
    """A copy of the package's files in which a test decides what is compiled."""
    copy = tmp_path / "canter"
    shutil.copytree(
        ROOT / "src" / "canter",
        copy,
        ignore=shutil.ignore_patterns("__pycache__", *("*" + s for s in EXTENSION_SUFFIXES)),
    )
    return copy


def pretend_to_compile(package, modules):
    """Put files where compiled modules would be; importing one of them fails loudly."""
    for name in modules:
        path = package.parent.joinpath(*name.split("."))
        path.with_suffix(EXTENSION_SUFFIXES[0]).write_bytes(b"not a shared object")


def test_every_module_with_types_beside_it_may_be_compiled():
    expected = {
        ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        for path in (ROOT / "src").rglob("*.py")
        if path.with_suffix(".pxd").exists() or path.with_suffix(".pyx").exists()
    }
    assert set(extensions.compilable()) == expected
    assert {CORE, "canter.protocol.http1.reader", "canter.protocol.request"} <= expected


def test_the_build_is_plain_where_nothing_is_compiled(package):
    code = "from canter.extensions import build; print(build())"
    assert run_python(code, None, package.parent)[0] == "plain"


def test_the_build_is_plain_where_not_everything_is_compiled(package):
    pretend_to_compile(package, [CORE])
    code = "from canter.extensions import build; print(build())"
    assert run_python(code, "auto", package.parent)[0] == "plain"


def test_the_build_is_compiled_where_everything_is(package):
    pretend_to_compile(package, extensions.compilable())
    code = "from canter.extensions import build; print(build())"
    assert run_python(code, None, package.parent)[0] == "compiled"
    assert run_python(code, "require", package.parent)[0] == "compiled"


def test_off_imports_the_sources_where_everything_is_compiled(package):
    pretend_to_compile(package, extensions.compilable())
    code = (
        "from canter.extensions import build, compilable; import importlib\n"
        "for name in compilable(): print(importlib.import_module(name).__file__.endswith('.py'))\n"
        "print(build())"
    )
    out, errors = run_python(code, "off", package.parent)
    assert out.split() == ["True"] * len(extensions.compilable()) + ["plain"], errors


def test_require_names_what_is_not_compiled(package):
    pretend_to_compile(package, [CORE])
    code = "from canter.extensions import build; build()"
    _, errors = run_python(code, "require", package.parent)
    assert "canter.errors.ConfigError: CANTER_EXTENSIONS=require, but not compiled: " in errors
    assert "canter.protocol.http1.reader" in errors
    assert CORE not in errors.splitlines()[-1].split(": ")[-1].split(", ")


def test_an_unknown_mode_is_a_clear_error(monkeypatch):
    monkeypatch.setenv("CANTER_EXTENSIONS", "maybe")
    with pytest.raises(
        ConfigError, match="CANTER_EXTENSIONS must be one of auto, off, require, not 'maybe'"
    ):
        extensions.build()


def test_an_empty_mode_is_the_default(monkeypatch):
    monkeypatch.setenv("CANTER_EXTENSIONS", "")
    assert extensions.mode() == "auto"


def test_the_plain_twin_is_the_source_and_not_what_is_imported():
    twin = extensions.load_source(CORE)
    assert twin.__file__ is not None
    assert twin.__file__.endswith("scan_fast.py")
    assert twin is not sys.modules.get(CORE)
    assert isinstance(twin.FastScan.fields, FunctionType)


def test_the_plain_twin_can_have_plain_parts_and_leaves_the_imported_ones_alone():
    part = "canter.protocol.http1.incoming"
    before = sys.modules.get(part)
    twin = extensions.load_source("canter.protocol.http1.body", part)
    incoming = twin.BodyReader.__mro__[1]
    assert isinstance(incoming.feed, FunctionType)
    assert sys.modules.get(part) is before
    assert sys.modules.get("canter.protocol.http1.body") is not twin
