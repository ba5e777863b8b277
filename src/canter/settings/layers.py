"""From what each source says to one frozen result: Layer, Draft, Settings, in this order.

A `Layer` is what one source says, raw, each value with the place it was found. `merge` lays one
over the other, parses every value, also one that is overridden (a mistake is a mistake), and gives
a `Draft`; `settle` applies the rules that concern several settings and gives the `Settings`.
Nothing outside this package sees the first two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from canter.settings.gunicorn.names import foreign_warnings
from canter.settings.provenance import DEFAULT, Source
from canter.settings.registry import SETTINGS
from canter.settings.rules import check_rules
from canter.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class Entry:
    """One value as a source gives it, not yet parsed."""

    name: str
    value: object
    source: Source


@dataclass(frozen=True, slots=True)
class Layer:
    """Everything that one source says, and what it wants the operator to know.

    `foreign` are settings and hooks of Gunicorn's that are none here.
    """

    entries: tuple[Entry, ...] = ()
    warnings: tuple[str, ...] = ()
    foreign: tuple[Entry, ...] = ()

    def find(self, name: str) -> Entry | None:
        """The entry of this name that counts: the last one."""
        return next((entry for entry in reversed(self.entries) if entry.name == name), None)


@dataclass(frozen=True, slots=True)
class Draft:
    """All values, each parsed and each alone right; whether they fit together is not known."""

    values: Mapping[str, Any]
    sources: Mapping[str, Source]
    warnings: tuple[str, ...]


def merge(layers: Sequence[Layer]) -> Draft:
    """Lay the layers over the defaults, the weakest first.

    Raises ConfigError, or UsageError for the command line, for the first value that is wrong.
    """
    values: dict[str, Any] = {name: setting.default for name, setting in SETTINGS.items()}
    sources = dict.fromkeys(SETTINGS, DEFAULT)
    warnings: list[str] = []
    for layer in layers:
        warnings += layer.warnings
        for entry in layer.foreign:
            warnings += foreign_warnings(entry.name, entry.value, entry.source)
        for entry in layer.entries:
            kind = SETTINGS[entry.name].kind
            try:
                values[entry.name] = kind.parse(entry.value)
            except ValueError as error:
                raise entry.source.blame(entry.name, str(error)) from None
            sources[entry.name] = entry.source
            remark = kind.remark(entry.value)
            if remark:
                warnings.append(f"{entry.source.where(entry.name)}: {remark}")
    return Draft(values, sources, tuple(warnings))


def settle(draft: Draft) -> Settings:
    """The frozen result.

    Raises ConfigError when values that are right alone do not fit together.
    """
    values = dict(draft.values)
    sources = dict(draft.sources)
    if values["paste"] is not None:
        values["wsgi_app"] = _paste_target(values["paste"], values["raw_paste_global_conf"])
        sources["wsgi_app"] = sources["paste"]
    found = Settings(**values, sources=MappingProxyType(sources), warnings=draft.warnings)
    warnings = check_rules(found)
    return found.with_warnings(warnings) if warnings else found


def _paste_target(file: str, values: Sequence[str]) -> str:
    """The one text that names an application of a PasteDeploy file."""
    query = urlencode(dict(pair.split("=", 1) for pair in values))
    return f"paste:{file}?{query}" if query else f"paste:{file}"
