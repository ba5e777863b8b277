"""Directories by the path below which they are found."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from canter.settings.kinds.kind import Kind, quoted


class Mounts(Kind[Mapping[str, str]]):
    """Directories by path: `/PREFIX=DIRECTORY`, or a table in a file. Prefixes end in no slash."""

    repeatable: ClassVar[bool] = True

    @property
    def annotation(self) -> str:
        return "Mapping[str, str]"

    @property
    def json_type(self) -> str:
        return "object of strings, or string"

    @property
    def expects(self) -> str:
        return "`/PREFIX=DIRECTORY`, separated by commas; in a file a table"

    @property
    def metavar(self) -> str:
        return "/PREFIX=DIRECTORY"

    @property
    def accepts_empty(self) -> bool:
        return True

    def parse(self, value: object) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for prefix, directory in _pairs(value):
            path = _prefix(prefix)
            if path in found:
                raise ValueError(f"{path} is given twice")
            if not isinstance(directory, str) or not directory.strip():
                raise ValueError(f"{path} needs a directory, not {quoted(directory)}")
            if "\0" in directory or "," in directory:
                raise ValueError(f"{quoted(directory)} has a NUL byte or a comma in it")
            found[path] = directory.strip()
        return MappingProxyType(found)

    def render(self, value: Mapping[str, str]) -> str:
        return ",".join(f"{prefix}={directory}" for prefix, directory in value.items())


def _prefix(text: str) -> str:
    names = text.rstrip("/").split("/")
    if not text.startswith("/") or not text.isprintable() or any(mark in text for mark in "?#,\\="):
        raise ValueError(f"{quoted(text)} is not the path of a URL")
    if any(name in {"", ".", ".."} for name in names[1:]):
        raise ValueError(f"{quoted(text)} is not the path of a URL")
    return text.rstrip("/") or "/"


def _pairs(value: object) -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [(str(prefix).strip(), directory) for prefix, directory in value.items()]
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise ValueError(  # noqa: TRY004 - one kind of error
            f"{quoted(value)} is neither a text nor a table"
        )
    pairs: list[tuple[str, object]] = []
    for item in items:
        for text in str(item).split(","):
            if text.strip():
                prefix, equals, directory = text.partition("=")
                if not equals:
                    raise ValueError(f"{quoted(text)} is not of the form /PREFIX=DIRECTORY")
                pairs.append((prefix.strip(), directory))
    return pairs
