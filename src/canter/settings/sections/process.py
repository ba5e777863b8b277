"""The processes as the system sees them."""

from __future__ import annotations

from canter.settings.kinds import Optional, Path, Text
from canter.settings.setting import AnySetting, Section, Setting

SECTION = Section("Process", "The processes as the system sees them.")

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="pidfile",
        section=SECTION,
        kind=Optional(Path("FILE")),
        default=None,
        flags=("-p", "--pid"),
        help="The file that holds the supervisor's process number while it runs.",
    ),
    Setting(
        name="user",
        section=SECTION,
        kind=Optional(Text("USER", numbers=True)),
        default=None,
        flags=("-u", "--user"),
        help=(
            "The user that workers run as, by name or number. Where it is not set, they run as "
            "whoever started the server."
        ),
    ),
    Setting(
        name="group",
        section=SECTION,
        kind=Optional(Text("GROUP", numbers=True)),
        default=None,
        flags=("-g", "--group"),
        help="The group that workers run as, by name or number.",
    ),
    Setting(
        name="proc_name",
        section=SECTION,
        kind=Optional(Text("NAME")),
        default=None,
        flags=("-n", "--name"),
        help="The name that the processes show in `ps` and `top`, where the system allows it.",
    ),
)
