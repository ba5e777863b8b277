"""One setting, declared: everything that is known of it, in one record.

The options, the variables, the files' keys, the reference page and the typed class of all values
are made from these records, so that adding a setting is adding one record to a file in `sections`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from canter.settings.kinds import Boolean, Kind

T = TypeVar("T")

VARIABLE_PREFIX = "CANTER_"


@dataclass(frozen=True, slots=True)
class Section:
    """A heading that groups settings, in the help text and on the reference page."""

    title: str
    intro: str


@dataclass(frozen=True, slots=True)
class PlatformVariable:
    """A variable of another name that hosting platforms or Gunicorn set, weaker than any file.

    `template` makes the setting's text from the variable's, which replaces `{}`. `in_raw_env` says
    that `raw_env` may set it too, because Gunicorn looks it up only while it serves.
    """

    name: str
    template: str = "{}"
    in_raw_env: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting(Generic[T]):
    """The declaration of one setting.

    `flags` are the option's spellings, the usual one first; none means there is no option.
    `help` is one paragraph; its first sentence stands alone in `--help`.
    `gunicorn` says how it differs from Gunicorn's setting of that name, where it does;
    `gunicorn_default` how its default does.
    `bare` is what the option means without a value; none means that it needs one.
    `in_files` is False for what must be known before a file is read, and for what is asked of one
    start only.
    """

    name: str
    section: Section
    kind: Kind[T]
    default: T
    help: str
    flags: tuple[str, ...] = ()
    metavar: str = ""
    platform: PlatformVariable | None = None
    since: str = "0.1"
    gunicorn: str = ""
    gunicorn_default: str = ""
    in_files: bool = True
    bare: str = ""

    @property
    def variable(self) -> str:
        """The environment variable of this setting."""
        return VARIABLE_PREFIX + self.name.upper()

    @property
    def placeholder(self) -> str:
        """What stands for the value in the help text."""
        return self.metavar or self.kind.metavar

    @property
    def negative_flags(self) -> tuple[str, ...]:
        """The options that switch a boolean off: `--no-` before each long name.

        A name that begins with it already has none: who wants the opposite leaves the option out.
        """
        if not isinstance(self.kind, Boolean):
            return ()
        long = (flag for flag in self.flags if flag.startswith("--"))
        return tuple(f"--no-{flag[2:]}" for flag in long if not flag.startswith("--no-"))

    @property
    def summary(self) -> str:
        """The first sentence of the help."""
        head, dot, _ = self.help.partition(". ")
        return head + dot.strip() if dot else self.help


AnySetting = Setting[Any]
