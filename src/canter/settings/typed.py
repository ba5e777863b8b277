"""Makes `values.py`: the frozen class with an attribute, and its type, for every setting."""

from __future__ import annotations

import textwrap

from canter.settings.registry import by_section

_HEAD = '''\
"""The value of every setting, typed. Made from the declarations in `sections`; do not edit.

`python -m canter.settings` makes it anew, and a test compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What each setting is set to. Durations are in seconds, sizes in bytes."""
'''


def values_source() -> str:
    """The source text of the module."""
    lines = [_HEAD.rstrip("\n")]
    for section, settings in by_section():
        lines += ["", f"    # {section.title}"]
        for setting in settings:
            lines.append(f"    {setting.name}: {setting.kind.annotation}")
            doc = textwrap.wrap(f'"""{setting.summary}"""', 96)
            lines += [f"    {line}" for line in doc]
    return "\n".join(lines) + "\n"
