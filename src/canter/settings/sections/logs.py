"""What is written down, and where."""

from __future__ import annotations

import sys

from canter.settings.kinds import Boolean, Choice, LoggerClass, Optional, Path, Table, Text
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
            "`malformed`, `failed`, `cut`, `shed`, `taken`), `%(queue)s` and `%(app)s`, the "
            "microseconds it waited and ran, `%(request_id)s` and `%(trace_id)s`."
        ),
        gunicorn_default="The default ends with the duration in microseconds and the outcome.",
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
    Setting(
        name="log_format",
        section=SECTION,
        kind=Choice("text", "json", "otel"),
        default="text",
        flags=("--log-format",),
        help=(
            "How lines of both logs are written: as text, as JSON objects with keys of the "
            "Elastic Common Schema, or with `otel` as records of OpenTelemetry's log data model. "
            "`access_log_format` has an effect on text only. "
            "[logging.md](logging.md) shows such lines."
        ),
    ),
    Setting(
        name="log_split",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--log-split",),
        help=(
            "Whether, where the error log is standard error, what is less severe than a warning "
            "goes to standard output: some platforms take every line on standard error for an "
            "error."
        ),
    ),
    Setting(
        name="logger_class",
        section=SECTION,
        kind=Optional(LoggerClass()),
        default=None,
        flags=("--logger-class",),
        metavar="CLASS",
        help=(
            "A class that writes the logs, as `module.Class`. It derives from "
            "`canter.observe.logger.Logger`, which has the methods of Gunicorn's; see "
            "[logging.md](logging.md#a-class-of-your-own). Gunicorn's own names mean the usual one."
        ),
    ),
    Setting(
        name="logconfig_dict",
        section=SECTION,
        kind=Table(),
        default={},
        help=(
            "A logging configuration as `logging.config.dictConfig` takes it. Loggers that it "
            "names are left to it: `gunicorn.error` and `gunicorn.access`, or `canter.error` and "
            "`canter.access`. Before `logconfig_json`, which is before `logconfig`."
        ),
        gunicorn=(
            "The loggers that are not named keep the server's own handlers; with handlers for the "
            "root logger alone, everything goes to those, once."
        ),
    ),
    Setting(
        name="logconfig_json",
        section=SECTION,
        kind=Optional(Path("FILE")),
        default=None,
        flags=("--log-config-json",),
        help="A JSON file with such a configuration.",
    ),
    Setting(
        name="logconfig",
        section=SECTION,
        kind=Optional(Path("FILE")),
        default=None,
        flags=("--log-config",),
        help="An ini file with a logging configuration, as `logging.config.fileConfig` takes it.",
    ),
    Setting(
        name="syslog",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--log-syslog",),
        help="Whether both logs go to syslog, too; the access log then needs no file.",
    ),
    Setting(
        name="syslog_addr",
        section=SECTION,
        kind=Text("ADDRESS"),
        default="unix:///var/run/syslog" if sys.platform == "darwin" else "udp://localhost:514",
        flags=("--log-syslog-to",),
        help=(
            "Where syslog listens: `udp://HOST:PORT`, `tcp://HOST:PORT`, or `unix://PATH` with "
            "`#dgram` or `#stream` behind it."
        ),
    ),
    Setting(
        name="syslog_prefix",
        section=SECTION,
        kind=Optional(Text("NAME")),
        default=None,
        flags=("--log-syslog-prefix",),
        help="The program's name in syslog, which begins with `gunicorn.`; else `proc_name`.",
    ),
    Setting(
        name="syslog_facility",
        section=SECTION,
        kind=Text("FACILITY"),
        default="user",
        flags=("--log-syslog-facility",),
        metavar="FACILITY",
        help="The facility of what is sent to syslog.",
    ),
    Setting(
        name="disable_redirect_access_to_syslog",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--disable-redirect-access-to-syslog",),
        help="Whether the access log is kept out of syslog.",
    ),
    Setting(
        name="request_id",
        section=SECTION,
        kind=Choice("auto", "on", "off"),
        default="auto",
        flags=("--request-id",),
        help=(
            "Whether each request has an id: `auto` where a log has a place for it, "
            "`%(request_id)s` in `access_log_format` or another `log_format` than `text`. It is "
            "the `X-Request-Id` of a peer in `forwarded_allow_ips`, else a new one. The "
            "application finds it as `canter.request_id` and `HTTP_X_REQUEST_ID`, the error log "
            "has it in what the request causes."
        ),
    ),
    Setting(
        name="statsd_host",
        section=SECTION,
        kind=Optional(Text("ADDRESS")),
        default=None,
        flags=("--statsd-host",),
        help=(
            "The statsd daemon to send metrics to: `HOST:PORT`, or `unix://PATH`. "
            "[logging.md](logging.md#statsd) lists them."
        ),
    ),
    Setting(
        name="statsd_prefix",
        section=SECTION,
        kind=Optional(Text("NAME")),
        default=None,
        flags=("--statsd-prefix",),
        help="What the names of these metrics begin with; a dot follows it.",
    ),
    Setting(
        name="dogstatsd_tags",
        section=SECTION,
        kind=Optional(Text("TAGS")),
        default=None,
        flags=("--dogstatsd-tags",),
        help="Tags that follow each of these metrics, as `name:value,name:value`.",
    ),
    Setting(
        name="enable_backlog_metric",
        section=SECTION,
        kind=Boolean(),
        default=False,
        flags=("--enable-backlog-metric",),
        help=(
            "Whether the number of connections that wait to be accepted is among these metrics; "
            "on Linux, for TCP."
        ),
    ),
)
