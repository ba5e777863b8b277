"""Imports point one way, lazy ones and those for types too, and there are no cycles.

cli -> supervisor -> worker -> engine -> wsgi -> protocol
                                      -> net
settings and observe are leaves.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import pytest

from tests.architecture.sources import modules, our_imports

# Read each row as "may import these rooms, its own and `errors`, and nothing else of ours".
LEAVES = {"errors"}
BOTTOM = {"protocol", "net"}
ARROWS: dict[str, set[str]] = {
    "errors": set(),
    "extensions": {"protocol"},
    "protocol": set(),
    "net": set(),
    "wsgi": {"protocol"},
    "settings": set(),
    "observe": set(),
    "engine": BOTTOM | {"wsgi", "observe"},
    "worker": BOTTOM | {"engine", "wsgi", "observe", "settings", "extensions"},
    "supervisor": BOTTOM | {"worker", "engine", "observe", "settings", "extensions"},
    "cli": BOTTOM | {"supervisor", "worker", "engine", "observe", "settings", "extensions"},
    "demo": set(),
    "__main__": {"cli"},
}

# The package root is imported for its version only; it reaches the command lazily, for embedding,
# and the one exception that applications may want to catch.
ROOT_IMPORTS = {"cli", "wsgi"}


def room(name: str) -> str:
    return name.split(".")[1] if "." in name else ""


def test_imports_follow_the_arrows():
    wrong = []
    for module in modules().values():
        here = room(module.name)
        allowed = ARROWS[here] | LEAVES | {here, ""} if here else ROOT_IMPORTS
        wrong += [
            f"{module}:{line} imports {name}"
            for name, line in our_imports(module)
            if room(name) not in allowed
        ]
    assert not wrong


def test_every_room_is_in_the_table():
    assert {room(name) for name in modules()} - {""} <= set(ARROWS)


def test_modules_form_no_cycle():
    graph = {
        name: {other for other, _ in our_imports(module)} - {name, "canter"}
        for name, module in modules().items()
        if name != "canter"
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
