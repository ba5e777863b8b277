"""The equivalent of a configuration: values under our names, and notes of what has none."""

from __future__ import annotations

from dataclasses import dataclass, field

from canter.settings.kinds.kind import quoted
from canter.settings.registry import SETTINGS


@dataclass(slots=True)
class Equivalents:
    """Filled line by line. `always` are names of what canter always does, or never needs."""

    values: dict[str, object] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    always: list[str] = field(default_factory=list)

    def give(self, name: str, value: object, place: str) -> None:
        """`name` is to be `value`; what the setting refuses becomes a note. Lists add up."""
        setting = SETTINGS.get(name)
        if setting is None or not setting.in_files:
            self.note(place, f"this version has no {name}")
            return
        if setting.kind.repeatable and name in self.values and isinstance(value, str):
            before = self.values[name]
            value = [*(before if isinstance(before, list) else [before]), value]
        try:
            setting.kind.parse(value)
        except ValueError as error:
            self.note(place, f"{name}: {error}")
            return
        self.values[name] = value

    def note(self, place: str, text: str) -> None:
        """`place` has no equivalent, because of `text`."""
        self.notes.append(f"{place}: {text}")

    def toml(self) -> str:
        """The canter.toml, with what has no equivalent in comments, and a line end."""
        lines = []
        for name, setting in SETTINGS.items():
            if name in self.values:
                value = setting.kind.parse(self.values[name])
                if callable(value):
                    self.notes.append(f"{name}: name the function as {quoted('module:' + name)}")
                else:
                    lines.append(f"{name} = {setting.kind.toml(value)}")
        if self.notes:
            lines += ["", "# Without an equivalent:", *(f"# - {note}" for note in self.notes)]
        if self.always:
            names = ", ".join(dict.fromkeys(self.always))
            lines += ["", f"# Always so, or never needed: {names}"]
        return "\n".join(lines).lstrip("\n") + "\n"
