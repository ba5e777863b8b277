"""The processes as the system sees them."""

from __future__ import annotations

from canter.settings.kinds import Boolean, Optional, Path, Text
from canter.settings.setting import AnySetting, Section, Setting

SECTION = Section("Process", "The processes as the system sees them.")

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="daemon",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("-D", "--daemon"),
        help=(
            "Leave the terminal and serve in the background. The command ends when the server "
            "serves, or with what went wrong and its exit status. Standard input, output and error "
            "are closed; the error log should be a file. Not for systemd or containers."
        ),
        gunicorn="Gunicorn's command ends with 0 whatever becomes of the server.",
    ),
    Setting(
        name="enable_stdio_inheritance",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("-R", "--enable-stdio-inheritance"),
        help="Keep standard output and error with `daemon`.",
    ),
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
        name="initgroups",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--initgroups",),
        help=(
            "Give workers all the groups that `user` is a member of. Where it is not set, they "
            "have `group` only."
        ),
    ),
    Setting(
        name="proc_name",
        section=SECTION,
        kind=Optional(Text("NAME")),
        default=None,
        flags=("-n", "--name"),
        help=(
            "The name that the processes show in `ps` and `top`. With the package setproctitle "
            "(`pip install canter[title]`) role and generation are shown too; without it, on "
            "Linux, the first 15 bytes, and a worker's end with its generation."
        ),
    ),
)
