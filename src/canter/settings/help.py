"""Makes the text of `canter --help` from the declarations: every option under its heading."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from canter.settings.kinds import Boolean
from canter.settings.options import HELP_FLAGS, VERSION_FLAGS
from canter.settings.registry import by_section
from canter.settings.setting import AnySetting

_HEAD = """\
usage: canter [OPTIONS] module:attribute

Serve a WSGI application. canter check tells what becomes of a configuration for Gunicorn,
canter config about settings; canter front prints a configuration for nginx and its like;
canter completion is for shells. To a server that runs talk: canter status, reload, stop, scale,
stacks and log-level. Each command has a --help of its own."""

_FOOT = """\
An option without a value is overridden by --no- before its name: --reload, --no-reload. Every
option is also a variable (CANTER_THREADS) and a key in canter.toml (threads).
canter --print-config shows what holds, and where each value came from."""

_INDENT = 2
_COLUMN = 34
_WIDTH = 98
_LONGEST_DEFAULT = 24
"""A longer default would drown the sentence; the reference page has it."""


def help_text() -> str:
    """The whole text, ending with a line end."""
    lines = [_HEAD]
    for section, settings in by_section():
        listed = [setting for setting in settings if setting.flags]
        if listed:
            lines += ["", f"{section.title}:"]
        for setting in listed:
            lines += _entry(_flags(setting), setting.summary + _default(setting))
    lines += ["", "Information:"]
    lines += _entry(", ".join(HELP_FLAGS), "Show this text.")
    lines += _entry(", ".join(VERSION_FLAGS), "Show the versions, and which core runs.")
    return "\n".join([*lines, "", _FOOT, ""])


def _flags(setting: AnySetting) -> str:
    if not isinstance(setting.kind, Boolean):
        return f"{', '.join(setting.flags)} {setting.placeholder}"
    # The flag that changes something; the other is only there to override a file.
    return ", ".join(setting.negative_flags if setting.default else setting.flags)


def _default(setting: AnySetting) -> str:
    text = setting.kind.render(setting.default)
    obvious = not text or setting.default is False
    return "" if obvious or len(text) > _LONGEST_DEFAULT else f" [{text}]"


def _entry(flags: str, text: str) -> Iterator[str]:
    lines = textwrap.wrap(text, _WIDTH - _COLUMN, break_on_hyphens=False)
    start = " " * _INDENT + flags
    if len(start) + _INDENT > _COLUMN:
        yield start
        start = ""
    for line in lines:
        yield f"{start:<{_COLUMN}}{line}"
        start = ""
