"""Configuration files in TOML: `canter.toml`, and the table `[tool.canter]` of a pyproject.toml.

Pure: the text is given. The standard parser tells no lines, and a message without one sends people
searching, so the line of a key is found by parsing the text up to where the key may stand.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping

from canter.errors import ConfigError
from canter.settings.gunicorn.names import DIRTY, FOREIGN, HOOKS
from canter.settings.layers import Entry, Layer
from canter.settings.provenance import Source, SourceKind
from canter.settings.registry import SETTINGS, nearest_name

PYPROJECT_TABLE = ("tool", "canter")


def toml_layer(text: str, label: str, table: tuple[str, ...] = ()) -> Layer:
    """What a TOML file says in `table` (of the whole file: an empty tuple).

    `label` is the file's name in messages. Raises ConfigError, naming file and line, when the text
    is not TOML, there is no such table, or a key is unknown.
    """
    found = _table(_parse(text, label), table)
    if not isinstance(found, Mapping):
        raise ConfigError(f"{_place(text, label, table)}: there is no table [{'.'.join(table)}]")
    entries = []
    for key, value in found.items():
        place = _place(text, label, (*table, key))
        _check_key(key, place)
        entries.append(Entry(key, value, Source(SourceKind.FILE, place)))
    return Layer(tuple(entries))


def has_table(text: str, label: str, table: tuple[str, ...]) -> bool:
    """Whether a file that is others' too has something for us.

    Raises ConfigError when it may have, but is not TOML; a file that does not even mention the
    table is not parsed, so that its errors are not ours.
    """
    return table[-1] in text and _table(_parse(text, label), table) is not None


def _table(document: Mapping[str, object], table: tuple[str, ...]) -> object:
    found: object = document
    for name in table:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _parse(text: str, label: str) -> Mapping[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        at = re.search(r" \(at line ([0-9]+), column [0-9]+\)", message)
        place = f"{label}:{at.group(1)}" if at is not None else label
        raise ConfigError(
            f"{place}: {message.replace(at.group(0), '') if at else message}"
        ) from None


def _check_key(key: str, place: str) -> None:
    setting = SETTINGS.get(key)
    if setting is not None:
        if not setting.in_files:
            raise ConfigError(f"{place}: {key} cannot be set in a file")
        return
    if key in FOREIGN or key in HOOKS:
        note = FOREIGN[key].note if key in FOREIGN else DIRTY
        instead = f": {note}" if note else ""
        raise ConfigError(
            f"{place}: {key} is a Gunicorn setting that canter does not have{instead}"
        )
    nearest = nearest_name(key)
    raise ConfigError(
        f"{place}: unknown setting {key}" + (f"; did you mean {nearest}?" if nearest else "")
    )


def _place(text: str, label: str, path: tuple[str, ...]) -> str:
    line = line_of_key(text, path) if path else None
    return f"{label}:{line}" if line is not None else label


def line_of_key(text: str, path: tuple[str, ...]) -> int | None:
    """The line, from 1, on which the last key of `path` stands in valid TOML; None if not found.

    A line that looks right may be in another table or inside a multi-line text. It is the right one
    if the text that ends with it, or with the lines of its value, is the first to have the key.
    """
    key = r"[\"']?" + re.escape(path[-1]) + r"[\"']?"
    looks_right = re.compile(rf"\s*\[*[^=#\[]*?(?<![\w-]){key}\s*[\].=]")
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if not looks_right.match(line) or _has(lines[:number], path):
            continue
        # A value may go on in the next lines; until they are there too, the text is not TOML.
        verdicts = (_has(lines[:end], path) for end in range(number + 1, len(lines) + 1))
        if next((verdict for verdict in verdicts if verdict is not None), False):
            return number + 1
    return None


def _has(lines: list[str], path: tuple[str, ...]) -> bool | None:
    """Whether these lines have the key; None when they are not TOML."""
    try:
        document = tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return None
    return _table(document, path) is not None
