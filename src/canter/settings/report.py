"""`--print-config`: every value and where it came from, as a TOML file that canter can read."""

from __future__ import annotations

from canter.settings.kinds import Optional
from canter.settings.registry import by_section
from canter.settings.setting import AnySetting
from canter.settings.settings import Settings

_WIDEST = 44
"""Longer lines do not push the column of sources to the right."""


def settings_report(settings: Settings) -> str:
    """The text, under the headings of the help; the sources are comments in a column of their own.

    What has no value, or cannot stand in a file, is a comment.
    """
    blocks = []
    for section, declared in by_section():
        lines = [(_assignment(setting, settings), setting.name) for setting in declared]
        blocks.append((section.title, lines))
    lengths = [len(text) for _, lines in blocks for text, _ in lines]
    column = max((length for length in lengths if length <= _WIDEST), default=0)
    printed = []
    for title, lines in blocks:
        printed.append(f"# {title}")
        printed += [f"{text:<{column}}  # {settings.source(name)}" for text, name in lines]
        printed.append("")
    return "\n".join(printed)


def _assignment(setting: AnySetting, settings: Settings) -> str:
    value = getattr(settings, setting.name)
    if isinstance(setting.kind, Optional) and value is None:
        return f"# {setting.name} is not set"
    if callable(value):
        return f"# {setting.name} is {setting.kind.render(value)}"
    text = f"{setting.name} = {setting.kind.toml(value)}"
    return text if setting.in_files else f"# {text}"
