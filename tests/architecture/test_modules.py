"""Every module: says what it is for, has a name, fits in a reader's head, imports alone."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest

from tests.architecture.sources import ROOT, SOURCE, Module, modules

FILE_LINES_LIMIT = 600
FUNCTION_LINES_LIMIT = 60
NAMELESS = {"base", "common", "helper", "helpers", "manager", "misc", "util", "utils"}

# Functions that are longer, each with the reason.
LONGER = {
    "canter.protocol.http1.scan_fast.request_line": "one byte loop; calls would cost more",
    "canter.protocol.http1.scan_fast.fields": "one byte loop; calls would cost more",
}

PYTHON_FILES = [
    path
    for folder in ("src", "tests", "tools", "benchmarks")
    for path in sorted((ROOT / folder).rglob("*.py"))
]


def test_modules_say_what_they_are_for():
    assert [name for name, module in modules().items() if not ast.get_docstring(module.tree)] == []


def test_annotations_are_not_evaluated():
    def evaluates(module: Module) -> bool:
        has_code = any(not isinstance(node, ast.Expr) for node in module.tree.body)
        return has_code and "from __future__ import annotations" not in module.path.read_text()

    assert [name for name, module in modules().items() if evaluates(module)] == []


def test_functions_fit_on_a_screen():
    long = []
    for module in modules().values():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_LIMIT and f"{module}.{node.name}" not in LONGER:
                    long.append(f"{module}.{node.name}: {lines} lines")
    assert not long


@pytest.mark.parametrize("name", LONGER)
def test_a_function_that_may_be_longer_still_exists(name):
    module, _, function = name.rpartition(".")
    names = {getattr(node, "name", "") for node in ast.walk(modules()[module].tree)}
    assert function in names


def test_files_fit_in_a_readers_head():
    sizes = {path: path.read_bytes().count(b"\n") for path in PYTHON_FILES}
    assert [f"{path}: {lines}" for path, lines in sizes.items() if lines > FILE_LINES_LIMIT] == []


def test_files_have_a_name_that_says_something():
    nameless = [
        path
        for path in PYTHON_FILES
        if NAMELESS & set(path.relative_to(ROOT).with_suffix("").parts)
    ]
    assert not nameless


# What is not ours is imported before the forks, once: it takes most of the time.
IMPORTER = """
import contextlib, os, sys, traceback
reader, writer = os.pipe()
if not os.fork():
    for name in sys.argv[1:]:
        with contextlib.suppress(BaseException):
            __import__(name)
    others = [name for name in sys.modules if name.partition(".")[0] != "canter"]
    with open(writer, "w") as told:
        told.write(" ".join(others))
    os._exit(0)
os.close(writer)
with open(reader) as told:
    for name in told.read().split():
        with contextlib.suppress(Exception):
            __import__(name)
os.wait()
assert not [name for name in sys.modules if name.partition(".")[0] == "canter"]
status = 0
for name in sys.argv[1:]:
    child = os.fork()
    if not child:
        try:
            __import__(name)
        except BaseException:
            sys.stderr.write(f"--- {name}\\n")
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    status |= os.waitpid(child, 0)[1]
sys.exit(bool(status))
"""


def test_every_module_can_be_imported_alone():
    """Each in an interpreter that has imported nothing of ours, so that no order is needed."""
    names = [name for name in modules() if not name.endswith("__main__")]
    ended = subprocess.run(
        [sys.executable, "-c", IMPORTER, *names],
        check=False,
        capture_output=True,
        text=True,
        cwd=SOURCE,
    )
    assert ended.returncode == 0, ended.stderr


def test_importing_the_package_is_cheap():
    """An application that embeds canter, or reads its version, pays for nothing else."""
    ended = subprocess.run(
        [sys.executable, "-c", "import canter, sys; print(*sorted(sys.modules))"],
        check=True,
        capture_output=True,
        text=True,
        cwd=SOURCE,
    )
    assert [name for name in ended.stdout.split() if name.startswith("canter.")] == []
