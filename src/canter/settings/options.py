"""The command line: an option for each setting that has flags, and Gunicorn's for what it has not.

Long names may be shortened to what no other begins with. That is worked out here and not by
argparse, so that what is unique among Gunicorn's options stays so however many canter adds.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NoReturn

from canter.errors import UsageError
from canter.settings.gunicorn.names import FOREIGN, GUNICORN_FLAGS, Arity
from canter.settings.kinds import Boolean
from canter.settings.layers import Entry, Layer
from canter.settings.provenance import Source, SourceKind
from canter.settings.registry import SETTINGS
from canter.settings.spelling import hint

HELP_FLAGS = ("-h", "--help")
VERSION_FLAGS = ("-v", "--version")


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What a command line says: the settings, and whether it only asks for help or the version."""

    layer: Layer
    wants_help: bool
    wants_version: bool


def parse_options(
    words: Sequence[str], kind: SourceKind = SourceKind.OPTION, *, prefix: str = ""
) -> CommandLine:
    """What the words of a command line say, as raw values with the option each came from.

    `kind` and `prefix` are of the sources. Raises UsageError for what is no option.
    """
    parser = _parser()
    found, rest = parser.parse_known_args(_spell_out(words), _Found())
    for word in rest:
        if word.startswith("-") and word not in ("-", "--"):
            raise UsageError(f"unknown option {word}{hint(word, _LONG_FLAGS)}")
    applications = [word for word in (*found.applications, *rest) if word != "--"]
    if len(applications) > 1:
        raise UsageError(
            f"unexpected argument {applications[1]!r}: the application is {applications[0]!r}"
        )
    return CommandLine(
        _layer(found, applications, kind, prefix), found.wants_help, found.wants_version
    )


class _Found(argparse.Namespace):
    """What the parser saw, in order."""

    def __init__(self) -> None:
        self.applications: list[str] = []
        self.occurrences: list[tuple[str, str, object]] = []
        self.wants_help = False
        self.wants_version = False


class _Record(argparse.Action):
    """Notes an occurrence of an option with its raw value; `const` stands for a flag's value."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - argparse's interface
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        assert isinstance(namespace, _Found)
        assert option_string is not None
        value = self.const if self.nargs == 0 else values
        if option_string in _NEGATIVE_FLAGS:
            value = False
        namespace.occurrences.append((self.dest, option_string, value))


class _Parser(argparse.ArgumentParser):
    """argparse with our errors."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def _layer(found: _Found, applications: Sequence[str], kind: SourceKind, prefix: str) -> Layer:
    entries: list[Entry] = []
    foreign: list[Entry] = []
    repeated: dict[str, list[object]] = {}
    for name, flag, value in found.occurrences:
        source = Source(kind, prefix + flag)
        if name in FOREIGN:
            foreign.append(Entry(name, value, source))
        elif SETTINGS[name].kind.repeatable:
            values = repeated.setdefault(name, [])
            values.append(value)
            entries.append(Entry(name, tuple(values), source))
        else:
            entries.append(Entry(name, value, source))
    if applications:
        entries.append(Entry("wsgi_app", applications[0], Source(kind, f"{prefix}argument")))
    return Layer(tuple(entries), (), tuple(foreign))


_SWITCH: Mapping[str, Any] = MappingProxyType({"nargs": 0, "const": True})
_ONE_VALUE: Mapping[str, Any] = MappingProxyType({})
_FOREIGN_VALUES: Mapping[Arity, Mapping[str, Any]] = MappingProxyType(
    {
        Arity.NONE: {"nargs": 0, "const": "true"},
        Arity.ONE: _ONE_VALUE,
    }
)


def _parser() -> _Parser:
    parser = _Parser(prog="canter", add_help=False, allow_abbrev=False)
    parser.add_argument("applications", nargs="*")
    parser.add_argument(*HELP_FLAGS, dest="wants_help", action="store_true")
    parser.add_argument(*VERSION_FLAGS, dest="wants_version", action="store_true")
    for setting in SETTINGS.values():
        if setting.flags:
            flags = (*setting.flags, *setting.negative_flags)
            values = _SWITCH if isinstance(setting.kind, Boolean) else _ONE_VALUE
            if setting.bare:
                values = {"nargs": "?", "const": setting.bare}
            parser.add_argument(*flags, dest=setting.name, action=_Record, **values)
    for foreign in FOREIGN.values():
        if foreign.flags:
            values = _FOREIGN_VALUES[foreign.arity]
            parser.add_argument(*foreign.flags, dest=foreign.name, action=_Record, **values)
    return parser


def _spell_out(words: Sequence[str]) -> list[str]:
    """The words with shortened option names made whole.

    Raises UsageError for a long option that is none, or that could be several.
    """
    whole: list[str] = []
    for position, word in enumerate(words):
        if word == "--":
            return [*whole, *words[position:]]
        name, equals, value = word.partition("=")
        # argparse, too, takes a word with a space before any "=" for a value.
        if not word.startswith("--") or " " in name:
            whole.append(word)
            continue
        whole.append(_full_flag(name) + equals + value)
    return whole


def _full_flag(name: str) -> str:
    if name in _LONG_FLAGS:
        return name
    candidates = [flag for flag in _LONG_FLAGS if flag.startswith(name)]
    shared = [flag for flag in candidates if flag in GUNICORN_FLAGS]
    for flags in (candidates, shared):
        if len({_LONG_FLAGS[flag] for flag in flags}) == 1:
            return flags[0]
    if candidates:
        raise UsageError(f"option {name} could be {', '.join(sorted(candidates))}")
    raise UsageError(f"unknown option {name}{hint(name, _LONG_FLAGS)}")


def _long_flags() -> dict[str, tuple[str, bool]]:
    """Every long flag with what it does: two flags that do the same are no ambiguity."""
    flags = {"--help": ("help", True), "--version": ("version", True)}
    for setting in SETTINGS.values():
        flags |= dict.fromkeys(setting.flags, (setting.name, True))
        flags |= dict.fromkeys(setting.negative_flags, (setting.name, False))
    for foreign in FOREIGN.values():
        flags |= dict.fromkeys(foreign.flags, (foreign.name, True))
    return {flag: meaning for flag, meaning in flags.items() if flag.startswith("--")}


_LONG_FLAGS = MappingProxyType(_long_flags())
_NEGATIVE_FLAGS = frozenset(
    flag for setting in SETTINGS.values() for flag in setting.negative_flags
)
