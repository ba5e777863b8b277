"""What a running server has, beside what its files say now: what a reload would change.

Pure. A server tells its settings as texts with their sources; what did not come from a file is not
changed by a reload, so it is laid around the files as it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from canter.settings.kinds import Kind
from canter.settings.layers import Entry, Layer
from canter.settings.provenance import Source, SourceKind
from canter.settings.registry import SETTINGS
from canter.settings.settings import Settings

_NOT_SET = "not set"


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting whose value a reload would change; values as texts."""

    name: str
    running: str
    running_source: str
    now: str
    now_source: str


def settings_told(settings: Settings) -> dict[str, dict[str, str | None]]:
    """Every setting as JSON takes it: its value as text, its source's family and place."""
    return {
        name: {
            "value": _text(setting.kind, getattr(settings, name)),
            "kind": settings.source(name).kind.name.lower(),
            "place": settings.source(name).place,
        }
        for name, setting in SETTINGS.items()
    }


def fixed_layers(told: Mapping[str, Any]) -> tuple[Layer, Layer]:
    """What a server was told by others than files: below them, and above them."""
    platforms = {setting.platform.name for setting in SETTINGS.values() if setting.platform}
    below: list[Entry] = []
    above: list[Entry] = []
    for name, it in told.items():
        kind = SourceKind[it["kind"].upper()]
        if name not in SETTINGS or kind in {SourceKind.DEFAULT, SourceKind.FILE}:
            continue
        entry = Entry(name, it["value"], Source(kind, it["place"]))
        (below if it["place"] in platforms else above).append(entry)
    return Layer(tuple(below)), Layer(tuple(above))


def compare(told: Mapping[str, Any], now: Settings) -> Sequence[Difference]:
    """The settings that differ, in the order of the help."""
    found = []
    for name, setting in SETTINGS.items():
        if name not in told:
            continue  # An older server does not know it.
        running = told[name]["value"]
        text = _text(setting.kind, getattr(now, name))
        if running != text:
            source = Source(SourceKind[told[name]["kind"].upper()], told[name]["place"])
            found.append(
                Difference(
                    name, running or _NOT_SET, str(source), text or _NOT_SET, str(now.source(name))
                )
            )
    return found


def _text(kind: Kind[Any], value: Any) -> str | None:
    return None if value is None else kind.render(value)
