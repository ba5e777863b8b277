"""The socket that `canter status`, `canter reload` and their like talk to."""

from __future__ import annotations

from canter.settings.kinds import Boolean, OctalMode, Optional, Path
from canter.settings.setting import AnySetting, Section, Setting

SECTION = Section(
    "Control",
    "The socket that `canter status`, `canter reload` and their like talk to: see "
    "[control.md](control.md).",
)

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="control_socket",
        section=SECTION,
        kind=Optional(Path()),
        default=None,
        flags=("--control-socket",),
        help=(
            "The path of the control socket. Where it is not set, it is a file in "
            "`$XDG_RUNTIME_DIR/canter/`, or in `~/.canter/` where there is no such directory, "
            "named after the pid file or else the working directory, so that several servers of "
            "one user do not meet. A change takes effect at the next start."
        ),
        gunicorn=(
            "Gunicorn's default is one path for all servers of a user, and it speaks another "
            "protocol: `gunicornc` cannot talk to canter."
        ),
    ),
    Setting(
        name="control_socket_mode",
        section=SECTION,
        kind=OctalMode(),
        default=0o600,
        flags=("--control-socket-mode",),
        help=(
            "The permission bits of the control socket. On Linux only the server's own user and "
            "root are answered, whatever they say."
        ),
    ),
    Setting(
        name="control_socket_disable",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--no-control-socket",),
        help="Whether to have no control socket.",
    ),
)
