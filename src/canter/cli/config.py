"""`canter config explain|diff|schema`: ask about settings, here and of the running server."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

from canter.cli.talking import SOON_SECONDS, CommandParser, RefusedError, ask
from canter.cli.workplace import Workplace
from canter.errors import UsageError
from canter.settings import Surroundings, parse_options
from canter.settings.comparing import Difference, compare, fixed_layers
from canter.settings.explain import explain, explanation_text, find_setting
from canter.settings.layers import Layer
from canter.settings.schema import schema_text
from canter.settings.sources import read_layers, settle_layers

_USAGE = """\
usage: canter config explain NAME [OPTIONS]   what a setting is, where it came from, what was lost
       canter config diff [-c FILE] [--json]  what a reload of the running server would change
       canter config schema                   a JSON Schema for canter.toml
"""


def run(words: Sequence[str]) -> int:
    """Do what the first word asks for; the exit status. Raises CanterError."""
    if not words or words[0] in {"-h", "--help"}:
        print(_USAGE, end="")
        return 0
    if words[0] not in _COMMANDS:
        raise UsageError(f"canter config: {words[0]} is none of {', '.join(_COMMANDS)}")
    return _COMMANDS[words[0]](words[1:])


def _explain(words: Sequence[str]) -> int:
    """Of the settings that a start with the same options would have."""
    rest = [word for word in words if word != "--json"]
    if not rest:
        raise UsageError("canter config explain: name a setting")
    name = find_setting(rest[0])
    surroundings = Surroundings.here()
    Workplace(surroundings).make_importable()
    layers = read_layers(surroundings, parse_options(rest[1:]).layer)
    explanation = explain(name, settle_layers(layers), layers)
    if len(rest) < len(words):
        print(json.dumps(asdict(explanation), indent=2))
    else:
        print(explanation_text(explanation), end="")
    return 0


def _diff(words: Sequence[str]) -> int:
    """0 where a reload would change nothing, else 1."""
    parser = CommandParser("config diff", "Say what a reload of the running server would change.")
    options = parser.parse_args(words)
    reply = ask(options, {"command": "settings"}, SOON_SECONDS)
    if reply.get("ok") is not True:
        raise RefusedError(str(reply.get("error")))
    told: Mapping[str, Any] = reply["data"]["settings"]
    below, above = fixed_layers(told)
    surroundings = Surroundings(Surroundings.here().directory, {})
    Workplace(surroundings).make_importable()
    top = above
    if options.config is not None:
        top = Layer((*above.entries, *parse_options(["-c", options.config]).layer.entries))
    now = settle_layers([below, *read_layers(surroundings, top)])
    differences = compare(told, now)
    if options.json:
        print(json.dumps([asdict(it) for it in differences], indent=2))
    else:
        sys.stdout.write("".join(_lines(it) for it in differences) or "nothing differs\n")
    return 1 if differences else 0


def _lines(it: Difference) -> str:
    return (
        f"{it.name}\n"
        f"  running: {it.running} ({it.running_source})\n"
        f"  now:     {it.now} ({it.now_source})\n"
    )


def _schema(words: Sequence[str]) -> int:
    if words:
        raise UsageError("canter config schema takes no words")
    print(schema_text(), end="")
    return 0


_COMMANDS: Mapping[str, Callable[[Sequence[str]], int]] = MappingProxyType(
    {"explain": _explain, "diff": _diff, "schema": _schema}
)
