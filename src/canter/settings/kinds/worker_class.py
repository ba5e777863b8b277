"""The kind of `worker_class`: the engines there are, and every name that Gunicorn has for a worker.

A class of somebody else's cannot be run here, but a start that worked with Gunicorn should not end
because of it: what can be served by threads is, with one line that says what to use instead.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from canter.settings.kinds.kind import Kind, quoted
from canter.settings.spelling import hint

_CLASS_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+(:[A-Za-z_]\w*)?", re.ASCII)
_ENTRY_POINT = re.compile(r"egg:gunicorn#(\w+)", re.ASCII)


class WorkerClass(Kind[str]):
    """One of `engines`; `aliases` are Gunicorn's names for them.

    `strangers` are the beginnings of names that stand for something else, each with what to use
    instead; `otherwise` is what to say of classes that nobody knows. The first engine serves then.
    """

    def __init__(
        self,
        *engines: str,
        aliases: Mapping[str, str],
        strangers: Mapping[str, str],
        otherwise: str,
    ) -> None:
        self.engines = engines
        self.aliases = aliases
        self.strangers = strangers
        self.otherwise = otherwise

    @property
    def annotation(self) -> str:
        words = ", ".join(f'"{engine}"' for engine in self.engines)
        return f"Literal[{words}]"

    @property
    def json_type(self) -> str:
        return "string"

    @property
    def expects(self) -> str:
        short = [f"`{alias}`" for alias in self.aliases if "." not in alias]
        return f"{', '.join(f'`{it}`' for it in self.engines)} (or {', '.join(short)})"

    @property
    def metavar(self) -> str:
        return "|".join(self.engines)

    def parse(self, value: object) -> str:
        name = _name(value)
        engine = self._engine(name)
        if engine is not None:
            return engine
        if self._advice(name) is None:
            known = (*self.engines, *self.aliases, *self.strangers)
            raise ValueError(f"{quoted(value)} is no class of workers{hint(name, known)}")
        return self.engines[0]

    def remark(self, value: object) -> str:
        name = _name(value)
        advice = self._advice(name) if self._engine(name) is None else None
        return f"{quoted(name)} cannot be run: {advice}" if advice is not None else ""

    def render(self, value: str) -> str:
        return value

    def _engine(self, name: str) -> str | None:
        name = self.aliases.get(name, self.aliases.get(name.lower(), name.lower()))
        return name if name in self.engines else None

    def _advice(self, name: str) -> str | None:
        """What to say of a name that is no engine; None where it is no name of a class at all."""
        for beginning, advice in self.strangers.items():
            if name == beginning or name.startswith(f"{beginning}."):
                return advice
        return self.otherwise if _CLASS_PATH.fullmatch(name) else None


def _name(value: object) -> str:
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    name = value.strip() if isinstance(value, str) else ""
    entry_point = _ENTRY_POINT.fullmatch(name)
    return entry_point[1] if entry_point is not None else name
