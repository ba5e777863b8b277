"""All that there is to say of one setting: what holds, who said what else, what it means. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from canter.errors import ConfigError
from canter.settings.gunicorn.names import FOREIGN, Foreign
from canter.settings.kinds.kind import quoted
from canter.settings.layers import Layer
from canter.settings.registry import SETTINGS, nearest_name
from canter.settings.settings import Settings

_WIDTH = 98


@dataclass(frozen=True, slots=True)
class Explanation:
    """One setting as it stands. `lost` are other values, with their places, the weakest first."""

    name: str
    value: str
    source: str
    lost: tuple[tuple[str, str], ...]
    default: str
    options: tuple[str, ...]
    variables: tuple[str, ...]
    expects: str
    help: str
    gunicorn: str


def find_setting(word: str) -> str:
    """The name of the setting that `word` means: its name, its option, or its variable.

    Raises ConfigError, with the nearest name, where it means none.
    """
    plain = word.strip().lstrip("-").replace("-", "_")
    for name, setting in SETTINGS.items():
        flags = {flag.lstrip("-").replace("-", "_") for flag in setting.flags}
        if plain == name or word == setting.variable or (plain in flags and len(plain) > 1):
            return name
    foreign = _foreign(word, plain)
    if foreign is not None:
        note = f": {foreign.note}" if foreign.note else ""
        raise ConfigError(f"{foreign.name} is a Gunicorn setting without effect here{note}")
    nearest = nearest_name(plain)
    raise ConfigError(
        f"there is no setting {word}" + (f"; did you mean {nearest}?" if nearest else "")
    )


def _foreign(word: str, plain: str) -> Foreign | None:
    return next((it for it in FOREIGN.values() if plain == it.name or word in it.flags), None)


def explain(name: str, settings: Settings, layers: Sequence[Layer]) -> Explanation:
    """Everything about the setting `name`; `layers` are what its sources said."""
    setting = SETTINGS[name]
    source = settings.source(name)
    said = [entry for layer in layers for entry in layer.entries if entry.name == name]
    lost = tuple((quoted(it.value), str(it.source)) for it in said if it.source != source)
    variables = [setting.variable]
    if setting.platform is not None:
        variables.append(setting.platform.name)
    value = getattr(settings, name)
    return Explanation(
        name=name,
        value="not set" if value is None else setting.kind.render(value),
        source=str(source),
        lost=lost,
        default="not set" if setting.default is None else setting.kind.render(setting.default),
        options=(*setting.flags, *setting.negative_flags),
        variables=tuple(variables),
        expects=setting.kind.expects.replace("`", ""),
        help=setting.help.replace("`", ""),
        gunicorn=" ".join(filter(None, (setting.gunicorn, setting.gunicorn_default))),
    )


def explanation_text(it: Explanation) -> str:
    """The explanation for a person, with a line end."""
    lines = [f"{it.name} = {it.value}", f"  from {it.source}"]
    lines += [f"  lost: {value} from {place}" for value, place in reversed(it.lost)]
    lines.append(f"  default: {it.default}")
    if it.options:
        lines.append(f"  options: {', '.join(it.options)}")
    lines.append(f"  variables: {', '.join(it.variables)}")
    lines.append(f"  takes: {it.expects}")
    lines += ["", textwrap.fill(it.help, _WIDTH)]
    if it.gunicorn:
        lines += ["", textwrap.fill(f"Difference from Gunicorn: {it.gunicorn}", _WIDTH)]
    return "\n".join(lines) + "\n"
