"""All declared settings, found by name, and the names to suggest where one is misspelt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from canter.settings.sections import EVERY_SETTING, hooks
from canter.settings.setting import AnySetting, Section
from canter.settings.spelling import nearest

SETTINGS: Mapping[str, AnySetting] = MappingProxyType(
    {setting.name: setting for setting in EVERY_SETTING}
)
"""Every setting by its name, in the order of the help text."""

OUR_HOOKS = frozenset(
    name for name, setting in SETTINGS.items() if setting.section is hooks.SECTION
)
"""The settings whose value is a function."""

OTHER_VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "CANTER_EXTENSIONS": (
            "Which core runs: `auto` takes the compiled one where it is there, `off` the plain "
            "one, `require` refuses to start without the compiled one. It is read when canter is "
            "imported, and by its build."
        ),
        "CANTER_HANDOVER": (
            "What a supervisor leaves to the successor that SIGUSR2 starts; nobody else sets it."
        ),
    }
)
"""Variables with canter's prefix that are not settings, because they act before settings do."""


def by_section() -> Iterator[tuple[Section, list[AnySetting]]]:
    """The settings under their headings, in order."""
    sections = dict.fromkeys(setting.section for setting in SETTINGS.values())
    for section in sections:
        yield section, [setting for setting in SETTINGS.values() if setting.section is section]


def nearest_name(word: str, *, at_most: int = 3) -> str | None:
    """The name of the setting that `word` was meant to be, also if it is spelt like its option."""
    spellings = {name: name for name in SETTINGS}
    for setting in SETTINGS.values():
        for flag in setting.flags:
            if flag.startswith("--"):
                spellings.setdefault(flag[2:].replace("-", "_"), setting.name)
    found = nearest(word, spellings, at_most=at_most)
    return spellings[found] if found is not None else None
