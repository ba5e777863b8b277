"""From a Gunicorn configuration in Python, whose names have been read into a layer."""

from __future__ import annotations

from canter.settings.gunicorn.names import foreign_warnings
from canter.settings.importing.equivalents import Equivalents
from canter.settings.layers import Layer
from canter.settings.registry import SETTINGS


def from_gunicorn(layer: Layer, into: Equivalents) -> None:
    """Fill `into` with what `layer` says."""
    for entry in layer.entries:
        remark = SETTINGS[entry.name].kind.remark(entry.value)
        if remark:
            into.note(entry.source.where(entry.name), remark)
        elif callable(entry.value):
            into.note(
                entry.source.where(entry.name),
                f'a hook; move it to a module and write {entry.name} = "module:{entry.name}"',
            )
        elif entry.value is not None:
            into.give(entry.name, entry.value, entry.source.where(entry.name))
    for entry in layer.foreign:
        try:
            into.notes += foreign_warnings(entry.name, entry.value, entry.source)
        except Exception as error:  # noqa: BLE001 - refused ones are notes here
            into.notes.append(str(error))
    into.notes += layer.warnings
