"""`canter check [-c FILE] [--json] [APP] [-- OPTIONS]`: what becomes of a Gunicorn configuration.

Nothing is started, and the application is not imported; a configuration in Python is run, as it is
at every start.
"""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import NoReturn

from canter.cli.workplace import Workplace
from canter.errors import CanterError, UsageError
from canter.settings import Settings, Surroundings, load, parse_options
from canter.settings.gunicorn.mistakes import Mistake, Sources, find_mistakes
from canter.settings.gunicorn.verdicts import FATAL, Line, Verdict, error_line, judge_layers
from canter.settings.sources import read_layers, read_text


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}")


def run(words: Sequence[str]) -> int:
    """Print a verdict for each line and the mistakes; 1 where something would not work."""
    parser = _Parser(
        prog="canter check",
        description="Say what becomes of each line of a Gunicorn configuration: its file, "
        "GUNICORN_CMD_ARGS, and the options after --.",
        allow_abbrev=False,
    )
    parser.add_argument("-c", "--config", metavar="FILE", help="the configuration file")
    parser.add_argument("--json", action="store_true", help="print it for a program")
    parser.add_argument("app", metavar="APP", nargs="?", help="the application")
    own, options = _split(list(words))
    given = parser.parse_args(own)
    top = [*(("-c", given.config) if given.config else ()), *([given.app] if given.app else ())]
    lines, mistakes = examine(Surroundings.here(), [*top, *options])
    is_ok = not any(line.verdict in FATAL for line in lines)
    print(_json(lines, mistakes, is_ok=is_ok) if given.json else _text(lines, mistakes))
    return 0 if is_ok else 1


def examine(surroundings: Surroundings, words: Sequence[str]) -> tuple[list[Line], list[Mistake]]:
    """The verdicts and the mistakes of what these words and the surroundings configure."""
    lines: list[Line] = []
    try:
        # A configuration in Python may import from the project.
        Workplace(surroundings).make_importable()
        top = parse_options(words).layer
        layers = read_layers(surroundings, top)
        lines = [it for it in judge_layers(layers) if it.name not in {"config", "wsgi_app"}]
        settings = load(surroundings, top)
    except CanterError as error:
        # What a line is to blame for need not be told again.
        told = any(line.verdict in FATAL for line in lines)
        return lines if told else [*lines, error_line(error)], []
    return lines, find_mistakes(settings, _sources(surroundings, settings))


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """The words before the first `--`, and those behind it."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _sources(surroundings: Surroundings, settings: Settings) -> Sources:
    """The texts of the configuration in Python and of the application's module, where they are."""
    label = settings.config or "gunicorn.conf.py"
    label = label.removeprefix("file:")
    module = (settings.wsgi_app or "").partition(":")[0].replace(".", "/")
    directory = os.path.join(surroundings.directory, settings.chdir or "")
    app = next((it for it in (f"{module}.py", f"{module}/__init__.py") if module), "")
    return Sources(
        config=_read(os.path.join(surroundings.directory, label)),
        config_label=label,
        app=_read(os.path.join(directory, app)) if app else "",
        app_label=app,
    )


def _read(path: str) -> str:
    try:
        return read_text(path, path) if path.endswith(".py") else ""
    except (OSError, CanterError):
        return ""


def _json(lines: Sequence[Line], mistakes: Sequence[Mistake], *, is_ok: bool) -> str:
    verdicts = [asdict(line) | {"verdict": line.verdict.value} for line in lines]
    report = {"ok": is_ok, "verdicts": verdicts, "mistakes": [asdict(it) for it in mistakes]}
    return json.dumps(report, indent=2)


def _text(lines: Sequence[Line], mistakes: Sequence[Mistake]) -> str:
    heads = [f"{line.name} = {line.value}" if line.name else line.note for line in lines]
    width = min(max((len(head) for head in heads), default=0), 44)
    printed = []
    for head, line in zip(heads, lines, strict=True):
        verdict = line.verdict.value
        if line.name and line.note:
            verdict += f": {line.note}"
        place = f"  [{line.place}]" if line.place else ""
        printed.append(f"{head:<{width}}  {verdict}{place}")
    if mistakes:
        printed += ["", "Mistakes that are known to hurt:"]
        printed += [f"- {it.name}: {it.text}  [{it.place}]" for it in mistakes]
    counts = Counter(line.verdict for line in lines)
    summary = ", ".join(f"{counts[it]} {it.value}" for it in Verdict if counts[it])
    mistaken = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    return "\n".join(
        [*printed, *([""] if printed else []), f"{summary or 'nothing set'}; {mistaken}"]
    )
