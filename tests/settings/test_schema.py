"""The JSON Schema for canter.toml tells what the declarations do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from canter.settings.registry import SETTINGS
from canter.settings.schema import schema_text

SCHEMA = json.loads(schema_text())
PYTHON: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


def test_the_page_is_what_the_declarations_make():
    committed = Path(__file__).parents[2] / "docs" / "canter.schema.json"
    assert committed.read_text(encoding="utf-8") == schema_text(), "run python -m canter.settings"


def test_it_has_every_setting_of_a_file_and_no_other():
    assert list(SCHEMA["properties"]) == [name for name, it in SETTINGS.items() if it.in_files]
    assert SCHEMA["additionalProperties"] is False


def test_every_default_is_of_its_type():
    for name, it in SCHEMA["properties"].items():
        types = [alternative.get("type") for alternative in it.get("anyOf", [it])]
        assert all(kind in PYTHON for kind in types) or "enum" in it, name
        if "default" in it and "enum" not in it:
            assert any(isinstance(it["default"], PYTHON[kind]) for kind in types), name
        assert "enum" not in it or it.get("default") in (None, *it["enum"])
