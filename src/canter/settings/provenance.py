"""Where a value came from, and how a message about it names the place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from canter.errors import CanterError, ConfigError, UsageError


class SourceKind(Enum):
    """The families of places a value can come from."""

    DEFAULT = auto()
    FILE = auto()
    ENVIRONMENT = auto()
    OPTION = auto()
    ARGUMENT = auto()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value came from. `place` is `file:line`, a variable, an option or a keyword."""

    kind: SourceKind
    place: str = ""

    def __str__(self) -> str:
        match self.kind:
            case SourceKind.DEFAULT:
                return "default"
            case SourceKind.FILE:
                return self.place
            case SourceKind.ENVIRONMENT:
                return f"env {self.place}"
            case SourceKind.OPTION:
                return f"option {self.place}" if self.place.startswith("-") else "command line"
            case SourceKind.ARGUMENT:
                return "argument"

    def blame(self, name: str, problem: str) -> CanterError:
        """The error for a value from here: its message names the place, and what is wrong."""
        family = UsageError if self.kind is SourceKind.OPTION else ConfigError
        return family(f"{self.where(name)}: {problem}")

    def where(self, name: str) -> str:
        """The place of the value of `name`, as a message about it begins."""
        return f"{self.place}: {name}" if self.kind is SourceKind.FILE else self.place or name


DEFAULT = Source(SourceKind.DEFAULT)
