"""The package and the project as files, for the tests of this folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
TEXT_SUFFIXES = {".py", ".pxd", ".md", ".toml", ".cfg", ".sh", ".yml", ".yaml", ".json", ".txt"}
PROJECT_FOLDERS = (".ci", "benchmarks", "deploy", "docs", "examples", "src", "tests", "tools")


@dataclass(frozen=True)
class Module:
    """One module of the package, with its syntax tree."""

    name: str
    path: Path
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    def __str__(self) -> str:
        return self.name


@cache
def modules() -> dict[str, Module]:
    """Every module of canter by its dotted name."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = list(path.relative_to(SOURCE).with_suffix("").parts)
        if parts[-1] == "__init__":
            parts.pop()
        name = ".".join(parts)
        found[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8")))
    return found


def imports(module: Module) -> Iterator[tuple[str, int]]:
    """What a module imports anywhere in it, lazily and for types too: names with their lines.

    `from a import b` is a.b where that is a module of ours, else a.
    """
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(module, node)
            for alias in node.names:
                inner = f"{origin}.{alias.name}"
                yield (inner if inner in modules() else origin), node.lineno


def _origin(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    keep = len(parts) - node.level + module.is_package
    return ".".join([*parts[:keep], *([node.module] if node.module else [])])


def our_imports(module: Module) -> Iterator[tuple[str, int]]:
    """The imports that name modules of ours."""
    for name, line in imports(module):
        if name == "canter" or name.startswith("canter."):
            yield name, line


def project_files() -> list[Path]:
    """Every text file that belongs to the project."""
    found = [
        path
        for path in sorted(ROOT.iterdir())
        if path.is_file() and (path.suffix in TEXT_SUFFIXES or path.name == "Makefile")
    ]
    for folder in PROJECT_FOLDERS:
        found += [
            path
            for path in sorted((ROOT / folder).rglob("*"))
            if path.is_file() and (path.suffix in TEXT_SUFFIXES or path.parent.name == ".ci")
        ]
    return found
