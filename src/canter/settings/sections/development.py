"""Help while developing, and ways to look before starting."""

from __future__ import annotations

from canter.settings.kinds import Boolean, TextList
from canter.settings.setting import AnySetting, Section, Setting

SECTION = Section("Development", "Help while developing, and ways to look before starting.")

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="reload",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--reload",),
        help="Whether workers are replaced when a file of the application changes.",
    ),
    Setting(
        name="reload_extra_files",
        section=SECTION,
        kind=TextList("FILE"),
        default=(),
        flags=("--reload-extra-file",),
        help="Further files to watch for `reload`; patterns with `*` are understood.",
    ),
    Setting(
        name="check_config",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--check-config",),
        in_files=False,
        help=(
            "Whether to check the settings, import the application, and leave without serving. "
            "The exit status is that of the first error, or 0."
        ),
    ),
    Setting(
        name="print_config",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--print-config",),
        in_files=False,
        help=(
            "Whether to print every setting with where its value came from, and leave. "
            "What is printed is itself a valid `canter.toml`."
        ),
        gunicorn="It does not import the application; `--check-config` does.",
    ),
)
