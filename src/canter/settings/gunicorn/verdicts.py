"""What becomes of each line of a Gunicorn configuration: the same, better, no effect, or no.

Pure: layers in, verdicts out. What is known of a setting stands with its declaration (`gunicorn=`)
or in its row of `names`; nothing is told twice.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from canter.errors import CanterError
from canter.settings.gunicorn.names import DIRTY, FOREIGN, asks_for_nothing
from canter.settings.kinds.kind import quoted
from canter.settings.layers import Entry, Layer
from canter.settings.registry import SETTINGS


class Verdict(enum.Enum):
    """What holds of a value here."""

    SAME = "the same"
    BETTER = "better"
    NO_EFFECT = "without effect"
    UNSUPPORTED = "not supported"
    WRONG = "wrong"


FATAL = frozenset({Verdict.UNSUPPORTED, Verdict.WRONG})
"""Verdicts after which a start is not what it was."""


@dataclass(frozen=True, slots=True)
class Line:
    """One value that a source gives, and what becomes of it; `note` says how, why, or what else."""

    name: str
    value: str
    place: str
    verdict: Verdict
    note: str = ""


def judge_layers(layers: Iterable[Layer]) -> list[Line]:
    """A line for everything that is said, in the order it is said."""
    lines: list[Line] = []
    for layer in layers:
        found = [_judge_foreign(entry) for entry in layer.foreign]
        # An option that may be repeated is noted once for each time, the last one has them all.
        found += [_judge(entry) for entry in _last_of_repeated(layer.entries)]
        found.sort(key=_line_number)
        found += [Line("", "", "", Verdict.NO_EFFECT, text) for text in layer.warnings]
        lines += found
    return lines


def _line_number(line: Line) -> int:
    number = line.place.rpartition(":")[2]
    return int(number) if number.isdecimal() else 0


def _last_of_repeated(entries: Sequence[Entry]) -> Iterable[Entry]:
    last = {
        entry.name: position
        for position, entry in enumerate(entries)
        if SETTINGS[entry.name].kind.repeatable
    }
    return (entry for at, entry in enumerate(entries) if last.get(entry.name, at) == at)


def _judge(entry: Entry) -> Line:
    setting = SETTINGS[entry.name]
    try:
        setting.kind.parse(entry.value)
    except ValueError as error:
        return _line(entry, Verdict.WRONG, str(error))
    remark = setting.kind.remark(entry.value)
    if remark:
        return _line(entry, Verdict.UNSUPPORTED, remark)
    return _line(entry, Verdict.BETTER if setting.gunicorn else Verdict.SAME, setting.gunicorn)


def _judge_foreign(entry: Entry) -> Line:
    foreign = FOREIGN.get(entry.name)
    if foreign is None:
        return _line(entry, Verdict.NO_EFFECT, DIRTY)
    if asks_for_nothing(foreign, entry.value):
        return _line(entry, Verdict.SAME, "")
    return _line(entry, Verdict.NO_EFFECT, foreign.note)


def _line(entry: Entry, verdict: Verdict, note: str) -> Line:
    name = getattr(entry.value, "__qualname__", None)
    return Line(entry.name, name or quoted(entry.value), str(entry.source), verdict, note)


def error_line(error: CanterError) -> Line:
    """A line for what no single value is to blame for."""
    return Line("", "", "", Verdict.WRONG, str(error))
