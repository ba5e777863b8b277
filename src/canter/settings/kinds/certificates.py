"""Certificates by host name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from canter.settings.kinds.kind import Kind, quoted

_NAME = re.compile(r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*)?\.?", re.ASCII)


class CertificateMapping(Kind[Mapping[str, str]]):
    """Host names, each with the file of its certificate: `NAME=CERTIFICATE[:KEY]`."""

    repeatable: ClassVar[bool] = True

    @property
    def annotation(self) -> str:
        return "Mapping[str, str]"

    @property
    def json_type(self) -> str:
        return "object of strings, or string"

    @property
    def expects(self) -> str:
        return "`NAME=CERTIFICATE[:KEY]`, separated by commas; in a file a table"

    @property
    def metavar(self) -> str:
        return "NAME=CERTIFICATE[:KEY]"

    @property
    def accepts_empty(self) -> bool:
        return True

    def parse(self, value: object) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for name, files in _pairs(value):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{quoted(name)} is not a host name")
            key = name.lower().rstrip(".")
            if key in found:
                raise ValueError(f"{key} is given twice")
            if not isinstance(files, str) or not all(part.strip() for part in files.split(":", 1)):
                raise ValueError(f"{key} needs CERTIFICATE[:KEY], not {quoted(files)}")
            if "\0" in files or "," in files:
                raise ValueError(f"{quoted(files)} has a NUL byte or a comma in it")
            found[key] = files.strip()
        return MappingProxyType(found)

    def render(self, value: Mapping[str, str]) -> str:
        return ",".join(f"{name}={files}" for name, files in value.items())


def _pairs(value: object) -> list[tuple[str, object]]:
    if isinstance(value, Mapping):
        return [(str(name), files) for name, files in value.items()]
    items = [value] if isinstance(value, str) else value
    if not isinstance(items, list | tuple):
        raise ValueError(  # noqa: TRY004 - one kind of error
            f"{quoted(value)} is neither a text nor a table"
        )
    pairs: list[tuple[str, object]] = []
    for item in items:
        for text in str(item).split(","):
            if text.strip():
                name, equals, files = text.partition("=")
                if not equals:
                    raise ValueError(f"{quoted(text)} is not of the form NAME=CERTIFICATE[:KEY]")
                pairs.append((name.strip(), files))
    return pairs
