"""A function that the server calls at some moment: from a configuration in Python, or named."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from canter.settings.kinds.kind import Kind, quoted

HookValue: TypeAlias = Callable[..., object] | str

_NAMED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*[:.][^\W\d]\w*(?:\.[^\W\d]\w*)*")


class Hook(Kind[HookValue]):
    """A callable, or `module:attribute` for one; a name is followed when the hook is first called.

    `parameters` is how many arguments it is called with; `fewest` is how few it may also take.
    """

    def __init__(self, parameters: int, fewest: int | None = None) -> None:
        self.parameters = parameters
        self.fewest = parameters if fewest is None else fewest

    @property
    def annotation(self) -> str:
        return "Callable[..., object] | str"

    @property
    def json_type(self) -> str:
        return "string"

    @property
    def expects(self) -> str:
        return "a function, in a configuration in Python; elsewhere `module:attribute`"

    @property
    def metavar(self) -> str:
        return "MODULE:FUNCTION"

    def parse(self, value: object) -> HookValue:
        if isinstance(value, str):
            text = value.strip()
            if _NAMED.fullmatch(text) is None:
                raise ValueError(f"{quoted(value)} does not name a function as module:attribute")
            return text
        if not callable(value):
            raise ValueError(f"{quoted(value)} is not a function")  # noqa: TRY004 - one kind
        if arguments_taken(value, self.parameters, self.fewest) is None:
            raise ValueError(f"{quoted(value)} cannot be called with {self._count()}")
        return value

    def _count(self) -> str:
        if self.fewest != self.parameters:
            return f"{self.fewest} to {self.parameters} arguments"
        return "1 argument" if self.parameters == 1 else f"{self.parameters} arguments"

    def render(self, value: HookValue) -> str:
        if isinstance(value, str):
            return value
        name = getattr(value, "__qualname__", type(value).__qualname__)
        return f"{getattr(value, '__module__', None) or type(value).__module__}:{name}"

    def toml(self, value: HookValue) -> str:
        return super().toml(self.render(value))


def arguments_taken(function: Callable[..., Any], most: int, fewest: int) -> int | None:
    """With how many positional arguments, as many as may be, it can be called; None = not at all.

    What has no signature that can be looked at is called with all of them.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return most
    for count in range(most, fewest - 1, -1):
        try:
            signature.bind(*[None] * count)
        except TypeError:
            continue
        return count
    return None
