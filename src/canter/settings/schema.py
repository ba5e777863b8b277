"""Makes docs/canter.schema.json: what may stand in a canter.toml, as a JSON Schema for editors."""

from __future__ import annotations

import json
import tomllib

from canter.settings.kinds import Choice, Kind, Optional, WorkerClass
from canter.settings.registry import SETTINGS
from canter.settings.setting import AnySetting

_TYPES: dict[str, dict[str, object]] = {
    "array of strings": {"type": "array", "items": {"type": "string"}},
    "object of strings": {"type": "object", "additionalProperties": {"type": "string"}},
}


def schema_text() -> str:
    """The schema, with a line end."""
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "canter.toml",
        "description": "The configuration of canter; in a pyproject.toml the table [tool.canter].",
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _property(it) for name, it in SETTINGS.items() if it.in_files},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _property(setting: AnySetting) -> dict[str, object]:
    kind = setting.kind
    alternatives = [_TYPES.get(name, {"type": name}) for name in _types(kind)]
    words = _words(kind)
    if words:
        alternatives = [{"enum": words}]
    found: dict[str, object] = {"description": setting.help.replace("`", "")}
    found |= alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives}
    if setting.default not in (None, (), {}):
        found["default"] = tomllib.loads(f"x = {kind.toml(setting.default)}")["x"]
    return found


def _types(kind: Kind[object]) -> list[str]:
    return [name.strip() for name in kind.json_type.replace(", or ", " or ").split(" or ")]


def _words(kind: Kind[object]) -> list[str]:
    """The words that a choice takes; none where anything may be written."""
    inner = kind.kind if isinstance(kind, Optional) else kind
    if isinstance(inner, WorkerClass):
        return []
    return [*inner.choices, *inner.aliases] if isinstance(inner, Choice) else []
