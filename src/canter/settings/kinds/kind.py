"""The contract of a kind, and the one kind that wraps another: a value that may be absent."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, Generic, TypeVar

T = TypeVar("T")


class Kind(ABC, Generic[T]):
    """One family of values.

    Invariant: `parse(render(value)) == value`, and the same through `toml`, for every value that
    `parse` gives.
    """

    repeatable: ClassVar[bool] = False
    """Whether the option may be given several times, and then adds up."""

    @property
    @abstractmethod
    def annotation(self) -> str:
        """The type of the values, as source text for the typed class of all settings."""

    @property
    @abstractmethod
    def json_type(self) -> str:
        """The type in a file, in JSON's words: integer, number, string, boolean, array, object."""

    @property
    @abstractmethod
    def expects(self) -> str:
        """What may be written, as a phrase for the reference page."""

    @property
    def metavar(self) -> str:
        """What stands for the value in the help text."""
        return "TEXT"

    @property
    def accepts_empty(self) -> bool:
        """Whether an empty text is a value of its own, and not a value that was left out."""
        return False

    @abstractmethod
    def parse(self, value: object) -> T:
        """The value meant by a text or by a value of a file's own type.

        Raises ValueError with the problem as a phrase that can follow the setting's name.
        """

    def remark(self, value: object) -> str:  # noqa: ARG002 - for kinds that have something to tell
        """What to tell of a value that `parse` takes but that means less than it says, or nothing.

        It is a phrase that can follow the setting's name.
        """
        return ""

    @abstractmethod
    def render(self, value: T) -> str:
        """The text that an option or a variable would give for this value."""

    def toml(self, value: T) -> str:
        """The value as it is written in a TOML file."""
        return toml_literal(value)


class Optional(Kind[T | None]):
    """A value of another kind, or none; an empty text means none."""

    def __init__(self, kind: Kind[T]) -> None:
        self.kind = kind

    @property
    def annotation(self) -> str:
        return f"{self.kind.annotation} | None"

    @property
    def json_type(self) -> str:
        return self.kind.json_type

    @property
    def expects(self) -> str:
        return self.kind.expects

    @property
    def metavar(self) -> str:
        return self.kind.metavar

    @property
    def accepts_empty(self) -> bool:
        return True

    def parse(self, value: object) -> T | None:
        return None if value is None or value == "" else self.kind.parse(value)

    def remark(self, value: object) -> str:
        return "" if value is None else self.kind.remark(value)

    def render(self, value: T | None) -> str:
        return "" if value is None else self.kind.render(value)

    def toml(self, value: T | None) -> str:
        return '""' if value is None else self.kind.toml(value)


def quoted(value: object) -> str:
    """A value as a message shows it: cut, so that one wrong paste does not fill the terminal."""
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def toml_literal(value: object) -> str:
    """A plain value in TOML's notation.

    Raises TypeError for what is not made of texts, numbers, booleans, sequences and mappings.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for DEL, which TOML wants escaped.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        pairs = [f"{toml_literal(key)} = {toml_literal(item)}" for key, item in value.items()]
        return f"{{ {', '.join(pairs)} }}" if pairs else "{}"
    if isinstance(value, Sequence):
        return f"[{', '.join(toml_literal(item) for item in value)}]"
    raise TypeError(f"{quoted(value)} cannot be written in TOML")
