"""What is served, and the surroundings it is imported in."""

from __future__ import annotations

from canter.settings.kinds import Assignments, Optional, Path, Text
from canter.settings.setting import AnySetting, PlatformVariable, Section, Setting

SECTION = Section("Application", "What is served, and the surroundings it is imported in.")

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="wsgi_app",
        section=SECTION,
        kind=Optional(Text("APP")),
        default=None,
        help=(
            "The application: `module`, `module:attribute` or `module:factory()`. "
            "On the command line it is the argument without an option. Without an attribute, "
            "`application` is looked for, then `app`; attributes may be dotted, and a factory "
            "may take literal arguments."
        ),
    ),
    Setting(
        name="config",
        section=SECTION,
        kind=Optional(Path("FILE")),
        default=None,
        flags=("-c", "--config"),
        in_files=False,
        help=(
            "The configuration file to read. A name that ends in `.toml` is a file of canter's, "
            "or a `pyproject.toml` with a table `[tool.canter]`; any other is a Gunicorn file in "
            "Python, also written `file:PATH` or `python:MODULE`. Without it, the first of "
            "`canter.toml`, `pyproject.toml` (if it has that table) and `gunicorn.conf.py` in the "
            "working directory is read."
        ),
    ),
    Setting(
        name="chdir",
        section=SECTION,
        kind=Optional(Path("DIRECTORY")),
        default=None,
        flags=("--chdir",),
        help=(
            "The directory to change to before the application is imported. It is importable, and "
            "relative paths of other settings start there; configuration files are looked for in "
            "the directory of the start."
        ),
    ),
    Setting(
        name="pythonpath",
        section=SECTION,
        kind=Optional(Text("DIRECTORY,...")),
        default=None,
        flags=("--pythonpath",),
        help="Directories to import from, ahead of the others. They are separated by commas.",
    ),
    Setting(
        name="script_name",
        section=SECTION,
        kind=Optional(Text("PATH")),
        default=None,
        flags=("--script-name",),
        platform=PlatformVariable("SCRIPT_NAME", in_raw_env=True),
        help=(
            "The path that the application is mounted at, such as `/shop`. It is taken off the "
            "front of every request's path and becomes `SCRIPT_NAME`; a request for another path "
            "is answered 400. A header `SCRIPT_NAME` of a trusted front goes before it."
        ),
    ),
    Setting(
        name="raw_env",
        section=SECTION,
        kind=Assignments(),
        default=(),
        flags=("-e", "--env"),
        help=(
            "Environment variables to set before the application is imported. "
            "The option may be repeated."
        ),
    ),
    Setting(
        name="paste",
        section=SECTION,
        kind=Optional(Text("INI[#SECTION]")),
        default=None,
        flags=("--paste", "--paster"),
        help=(
            "The PasteDeploy file, and the section of it, whose application is served instead of "
            "`wsgi_app`. It needs the extra `canter[paste]`. A relative path starts at `chdir`."
        ),
    ),
    Setting(
        name="raw_paste_global_conf",
        section=SECTION,
        kind=Assignments(),
        default=(),
        flags=("--paste-global",),
        help=(
            "Values for the global configuration of the PasteDeploy file. The option may be "
            "repeated."
        ),
    ),
)
