"""What decides does not do: it is given values and gives back values."""

from __future__ import annotations

import sys
import tomllib

import pytest

from tests.architecture.sources import ROOT, imports, modules

DOING = {
    "_thread",
    "asyncio",
    "fcntl",
    "logging",
    "mmap",
    "multiprocessing",
    "os",
    "select",
    "selectors",
    "signal",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "threading",
    "time",
}

PURE = (
    "canter.protocol",
    "canter.wsgi",
    "canter.settings",
    "canter.supervisor.actions",
    "canter.supervisor.backoff",
    "canter.supervisor.banner",
    "canter.supervisor.handover",
    "canter.supervisor.lineage",
    "canter.supervisor.notices",
    "canter.supervisor.orders",
    "canter.supervisor.pledges",
    "canter.supervisor.policy",
    "canter.supervisor.reports",
    "canter.supervisor.rollout",
    "canter.supervisor.roster",
    "canter.supervisor.states",
    "canter.supervisor.status",
    "canter.worker.messages",
    "canter.worker.states",
)

# Where a pure package meets the outside, and what for.
DOORS = {
    "canter.settings.sources": {"os"},  # reads the environment and the configuration file
    "canter.settings.__main__": {"os"},  # writes the reference page
}


def is_pure(name: str) -> bool:
    return any(name == pure or name.startswith(f"{pure}.") for pure in PURE)


def test_deciding_modules_import_nothing_that_does():
    wrong = [
        f"{module}:{line} imports {name}"
        for module in modules().values()
        if is_pure(module.name)
        for name, line in imports(module)
        if name.split(".")[0] in DOING - DOORS.get(module.name, set())
    ]
    assert not wrong


@pytest.mark.parametrize("name", PURE)
def test_the_list_of_deciding_modules_names_modules_that_exist(name):
    assert name in modules()


def test_only_extras_are_imported_from_others_packages():
    """The server shares site-packages with the application and must not need anything there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["dependencies"] == []
    extras = {
        requirement.split(">")[0].replace("-", "_")
        for name, requirements in project["optional-dependencies"].items()
        if name not in {"test", "lint", "dev", "all"}
        for requirement in requirements
    }
    ours_and_pythons = {"canter", "_typeshed", *sys.stdlib_module_names}
    others = {
        name.split(".")[0] for module in modules().values() for name, _ in imports(module)
    } - ours_and_pythons
    assert others <= extras
