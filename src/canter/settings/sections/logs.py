"""What is written down, and where."""

from __future__ import annotations

from canter.settings.kinds import Boolean, Choice, Optional, Text
from canter.settings.setting import AnySetting, Section, Setting

SECTION = Section("Logs", "What is written down, and where.")

SETTINGS: tuple[AnySetting, ...] = (
    Setting(
        name="accesslog",
        section=SECTION,
        kind=Optional(Text("FILE")),
        default=None,
        flags=("--access-logfile",),
        help=(
            "The file for one line about every request; `-` is standard output. "
            "Where it is not set, none is written."
        ),
    ),
    Setting(
        name="access_log_format",
        section=SECTION,
        kind=Text("FORMAT"),
        default='%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" %(D)s %(outcome)s',
        flags=("--access-logformat",),
        help=(
            "The format of that line, in Gunicorn's notation with Gunicorn's atoms. Further atoms "
            "are `%(outcome)s`, how the request ended (`ok`, `aborted`, `timeout`, `refused`, "
            "`malformed`, `failed`, `cut`, `shed`), `%(queue)s` and `%(app)s`, the microseconds "
            "it waited and ran, and `%(request_id)s`."
        ),
        gunicorn="The default ends with the duration in microseconds and the outcome.",
    ),
    Setting(
        name="errorlog",
        section=SECTION,
        kind=Text("FILE"),
        default="-",
        flags=("--error-logfile", "--log-file"),
        help="The file for everything else that is logged; `-` is standard error.",
    ),
    Setting(
        name="loglevel",
        section=SECTION,
        kind=Choice(
            "debug",
            "info",
            "warning",
            "error",
            "critical",
            aliases={"warn": "warning", "fatal": "critical"},
        ),
        default="info",
        flags=("--log-level",),
        help="The least severe level that is written to the error log.",
    ),
    Setting(
        name="capture_output",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--capture-output",),
        help="Whether what the application prints goes to the error log.",
    ),
)
