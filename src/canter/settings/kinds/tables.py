"""Tables of texts: `NAME=TEXT`, separated by commas, or a table in a file."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from canter.settings.kinds.kind import Kind, quoted
from canter.settings.kinds.lists import header_name, pieces

_HOST_NAME = re.compile(r"(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*)?\.?", re.ASCII)


class _Table(Kind[Mapping[str, str]]):
    """Texts by name. form: one entry, as the user writes it. needs: what a name must have."""

    repeatable: ClassVar[bool] = True
    form: ClassVar[str]
    needs: ClassVar[str]

    @property
    def annotation(self) -> str:
        return "Mapping[str, str]"

    @property
    def json_type(self) -> str:
        return "object of strings, or string"

    @property
    def expects(self) -> str:
        return f"`{self.form}`, separated by commas; in a file a table"

    @property
    def metavar(self) -> str:
        return self.form

    @property
    def accepts_empty(self) -> bool:
        return True

    def parse(self, value: object) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for name, text in self._pairs(value):
            key = self._key(name)
            if key in found:
                raise ValueError(f"{key} is given twice")
            if not isinstance(text, str) or not self._is_whole(text):
                raise ValueError(f"{key} needs {self.needs}, not {quoted(text)}")
            if "\0" in text or "," in text:
                raise ValueError(f"{quoted(text)} has a NUL byte or a comma in it")
            found[key] = text.strip()
        return MappingProxyType(found)

    def render(self, value: Mapping[str, str]) -> str:
        return ",".join(f"{name}={text}" for name, text in value.items())

    def _pairs(self, value: object) -> list[tuple[str, object]]:
        if isinstance(value, Mapping):
            return [(str(name).strip(), text) for name, text in value.items()]
        if not isinstance(value, str | list | tuple):
            raise ValueError(  # noqa: TRY004 - one kind of error
                f"{quoted(value)} is neither a text nor a table"
            )
        pairs: list[tuple[str, object]] = []
        for item in pieces(value, ","):
            name, equals, text = item.partition("=")
            if not equals:
                raise ValueError(f"{quoted(item)} is not of the form {self.form}")
            pairs.append((name.strip(), text))
        return pairs

    @abstractmethod
    def _key(self, name: str) -> str:
        """The name as it is kept. Raises ValueError."""

    def _is_whole(self, text: str) -> bool:
        """Whether an entry's text has all its parts."""
        return bool(text.strip())


class HeaderMapping(_Table):
    """Header names, each with a value. Names in upper case."""

    form: ClassVar[str] = "NAME=VALUE"
    needs: ClassVar[str] = "a text without commas"

    def _key(self, name: str) -> str:
        return header_name(name)

    def _is_whole(self, text: str) -> bool:
        return bool(text.strip()) and "," not in text


class CertificateMapping(_Table):
    """Host names, each with the file of its certificate."""

    form: ClassVar[str] = "NAME=CERTIFICATE[:KEY]"
    needs: ClassVar[str] = "CERTIFICATE[:KEY]"

    def _key(self, name: str) -> str:
        if not _HOST_NAME.fullmatch(name):
            raise ValueError(f"{quoted(name)} is not a host name")
        return name.lower().rstrip(".")

    def _is_whole(self, text: str) -> bool:
        return all(part.strip() for part in text.split(":", 1))


class Mounts(_Table):
    """Directories by the path below which they are found. Prefixes end in no slash."""

    form: ClassVar[str] = "/PREFIX=DIRECTORY"
    needs: ClassVar[str] = "a directory"

    def _key(self, name: str) -> str:
        names = name.rstrip("/").split("/")
        is_plain = name.isprintable() and not any(mark in name for mark in "?#,\\=")
        if (
            not name.startswith("/")
            or not is_plain
            or any(part in {"", ".", ".."} for part in names[1:])
        ):
            raise ValueError(f"{quoted(name)} is not the path of a URL")
        return name.rstrip("/") or "/"
