"""Kinds that are one word or one text: booleans, choices, texts and paths."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from types import MappingProxyType

from canter.settings.kinds.kind import Kind, quoted

_TRUTH = MappingProxyType(
    {
        "true": True,
        "yes": True,
        "y": True,
        "on": True,
        "1": True,
        "false": False,
        "no": False,
        "n": False,
        "off": False,
        "0": False,
    }
)
_NO_ALIASES: Mapping[str, str] = MappingProxyType({})


class Boolean(Kind[bool]):
    """Yes or no. As an option it takes no value: the flag is yes, `--no-` before its name is no."""

    @property
    def annotation(self) -> str:
        return "bool"

    @property
    def json_type(self) -> str:
        return "boolean"

    @property
    def expects(self) -> str:
        return "`true` or `false`; in a variable also `yes`, `no`, `on`, `off`, `1`, `0`"

    @property
    def metavar(self) -> str:
        return ""

    def parse(self, value: object) -> bool:
        if isinstance(value, bool):
            return value
        truth = _TRUTH.get(value.strip().lower()) if isinstance(value, str) else None
        if truth is None:
            raise ValueError(f"{quoted(value)} is neither true nor false")
        return truth

    def render(self, value: bool) -> str:  # noqa: FBT001 - the value is the boolean
        return "true" if value else "false"


class Text(Kind[str]):
    """A text that is not empty; white space around it is not part of it."""

    def __init__(self, metavar: str = "TEXT", *, numbers: bool = False) -> None:
        self._metavar = metavar
        self._numbers = numbers

    @property
    def annotation(self) -> str:
        return "str"

    @property
    def json_type(self) -> str:
        return "string or integer" if self._numbers else "string"

    @property
    def expects(self) -> str:
        return "text"

    @property
    def metavar(self) -> str:
        return self._metavar

    def parse(self, value: object) -> str:
        if self._numbers and isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise ValueError(f"{quoted(value)} is not a text")  # noqa: TRY004 - one kind of error
        text = value.strip()
        if not text:
            raise ValueError("it is empty")
        if "\0" in text:
            raise ValueError(f"{quoted(value)} has a NUL byte in it")
        return text

    def render(self, value: str) -> str:
        return value


class UrlPath(Text):
    """A path as requests have it, after decoding: it begins with a slash."""

    def __init__(self) -> None:
        super().__init__("/PATH")

    @property
    def expects(self) -> str:
        return "a path that begins with `/`, without query"

    def parse(self, value: object) -> str:
        path = super().parse(value)
        if not path.startswith("/"):
            raise ValueError(f"{quoted(value)} does not begin with /")
        if "?" in path or "#" in path or "//" in path or not path.isprintable():
            raise ValueError(f"{quoted(value)} is not the path of a URL")
        return path


class Path(Kind[str]):
    """A path of the file system, kept as it was written."""

    def __init__(self, metavar: str = "PATH") -> None:
        self._metavar = metavar

    @property
    def annotation(self) -> str:
        return "str"

    @property
    def json_type(self) -> str:
        return "string"

    @property
    def expects(self) -> str:
        return "a path"

    @property
    def metavar(self) -> str:
        return self._metavar

    def parse(self, value: object) -> str:
        if isinstance(value, PurePath):
            value = str(value)
        if not isinstance(value, str):
            raise ValueError(f"{quoted(value)} is not a path")  # noqa: TRY004 - one kind of error
        if not value.strip():
            raise ValueError("the path is empty")
        if "\0" in value:
            raise ValueError(f"{quoted(value)} has a NUL byte in it")
        return value

    def render(self, value: str) -> str:
        return value


class Choice(Kind[str]):
    """One of a few words; `aliases` are other spellings that mean one of them.

    numbers: aliases may come as numbers, as constants of some module do.
    """

    def __init__(
        self, *choices: str, aliases: Mapping[str, str] = _NO_ALIASES, numbers: bool = False
    ) -> None:
        self.choices = choices
        self.aliases = aliases
        self._numbers = numbers

    @property
    def annotation(self) -> str:
        words = ", ".join(f'"{choice}"' for choice in self.choices)
        return f"Literal[{words}]"

    @property
    def json_type(self) -> str:
        return "string or integer" if self._numbers else "string"

    @property
    def expects(self) -> str:
        words = ", ".join(f"`{choice}`" for choice in self.choices)
        if not self.aliases:
            return words
        return f"{words} (or {', '.join(f'`{alias}`' for alias in self.aliases)})"

    @property
    def metavar(self) -> str:
        return "|".join(self.choices)

    def parse(self, value: object) -> str:
        if self._numbers and isinstance(value, int) and not isinstance(value, bool):
            value = str(int(value))
        word = value.strip() if isinstance(value, str) else ""
        # Class paths are case-sensitive, words are not.
        word = self.aliases.get(word, self.aliases.get(word.lower(), word.lower()))
        if word not in self.choices:
            raise ValueError(f"{quoted(value)} is not {_either(self.choices)}")
        return word

    def render(self, value: str) -> str:
        return value


def _either(words: tuple[str, ...]) -> str:
    quoted_words = [repr(word) for word in words]
    if len(quoted_words) == 1:
        return quoted_words[0]
    return f"one of {', '.join(quoted_words[:-1])} and {quoted_words[-1]}"


class SwitchedChoice(Choice):
    """A choice that may also be yes or no: `yes` and `no` are the words that these mean."""

    def __init__(self, *choices: str, yes: str, no: str) -> None:
        super().__init__(*choices)
        self._words = {True: yes, False: no}

    @property
    def json_type(self) -> str:
        return "string or boolean"

    def parse(self, value: object) -> str:
        if isinstance(value, bool):
            return self._words[value]
        if isinstance(value, str) and value.strip().lower() in ("true", "false"):
            return self._words[value.strip().lower() == "true"]
        return super().parse(value)
