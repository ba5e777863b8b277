"""What a log is set up with: a class, and a configuration that is a table."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from canter.settings.kinds.kind import Kind, quoted, toml_literal

_USUAL = frozenset(
    {
        "gunicorn.glogging.Logger",
        "gunicorn.instrument.statsd.Statsd",
        "egg:gunicorn#simple",
        "simple",
    }
)
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*(?:\.|:)[^\W\d]\w*")


class LoggerClass(Kind[str | type]):
    """A class, or its dotted name; Gunicorn's own are "", which is the usual one."""

    @property
    def annotation(self) -> str:
        return "str | type"

    @property
    def json_type(self) -> str:
        return "string"

    @property
    def expects(self) -> str:
        return "`module.Class`; a class in a configuration in Python"

    @property
    def metavar(self) -> str:
        return "CLASS"

    def parse(self, value: object) -> str | type:
        if isinstance(value, type):
            return "" if f"{value.__module__}.{value.__qualname__}" in _USUAL else value
        text = value.strip() if isinstance(value, str) else None
        if text is not None and text in _USUAL:
            return ""
        if text is None or _DOTTED.fullmatch(text) is None:
            raise ValueError(f"{quoted(value)} does not name a class as module.Class")
        return text

    def render(self, value: str | type) -> str:
        if isinstance(value, type):
            return f"{value.__module__}.{value.__qualname__}"
        return value or "simple"

    def toml(self, value: str | type) -> str:
        return super().toml(self.render(value))


class Table(Kind[Mapping[str, Any]]):
    """A table of tables and values; as text it is a JSON object."""

    @property
    def annotation(self) -> str:
        return "Mapping[str, Any]"

    @property
    def json_type(self) -> str:
        return "object"

    @property
    def expects(self) -> str:
        return "a table; in a variable a JSON object"

    @property
    def metavar(self) -> str:
        return "JSON"

    @property
    def accepts_empty(self) -> bool:
        return True

    def parse(self, value: object) -> Mapping[str, Any]:
        if isinstance(value, str):
            try:
                value = json.loads(value) if value.strip() else {}
            except ValueError as error:
                raise ValueError(f"{quoted(value)} is not JSON: {error}") from None
        if not isinstance(value, Mapping):
            raise ValueError(f"{quoted(value)} is not a table")  # noqa: TRY004 - one kind of error
        return dict(value)

    def render(self, value: Mapping[str, Any]) -> str:
        return json.dumps(value, default=repr)

    def toml(self, value: Mapping[str, Any]) -> str:
        try:
            return toml_literal(value)
        except TypeError:
            return toml_literal(self.render(value))
