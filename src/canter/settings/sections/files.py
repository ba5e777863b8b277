"""Files that the server sends without the application, or for it."""

from __future__ import annotations

from types import MappingProxyType

from canter.settings.kinds import Duration, Mounts
from canter.settings.setting import AnySetting, Section, Setting

SECTION = Section(
    "Files",
    "Files that are sent without the application, or in its name: see [static.md](static.md).",
)

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="static",
        section=SECTION,
        kind=Mounts(),
        default=MappingProxyType({}),
        flags=("--static",),
        help=(
            "Directories whose files are sent without the application, each with the path that "
            "they are below, such as `/static=/srv/site/static`. What is not there is answered "
            "404; below `/`, the application is asked. The path is below `script_name`; a "
            "relative directory starts at `chdir`. The option may be repeated."
        ),
    ),
    Setting(
        name="static_max_age",
        section=SECTION,
        kind=Duration(),
        default=0.0,
        flags=("--static-max-age",),
        help=(
            "For how long a client may use a file of `static` without asking whether it has "
            "changed (`Cache-Control: max-age`). 0 sends no such field. Give a year, `8760h`, "
            "where every name changes with its content."
        ),
    ),
    Setting(
        name="sendfile_roots",
        section=SECTION,
        kind=Mounts(),
        default=MappingProxyType({}),
        flags=("--sendfile-root",),
        help=(
            "Directories whose files the application may hand over: `X-Accel-Redirect` names one "
            "by the prefix, `X-Sendfile` by its absolute path, and the server sends it instead of "
            "the body. Without it both headers are passed on, for a web server in front. The "
            "option may be repeated."
        ),
    ),
)
