"""Every setting of Gunicorn's: its options, its values in files and variables, its default."""

from __future__ import annotations

import functools
import shlex
from typing import TYPE_CHECKING, Any

import pytest

from canter.settings.gunicorn.names import FOREIGN, GUNICORN_FLAGS, HOOKS
from canter.settings.registry import SETTINGS
from tests.live.parity.differences import DEFAULTS, SAME_DEFAULT_IN_OTHER_WORDS
from tests.live.parity.rows import FILE, HARMLESS, OPTIONS, Row, real_rows
from tests.live.parity.sides import APP, Side
from tests.live.programs import needs

if TYPE_CHECKING:
    from pathlib import Path

HELD_IN_OTHER_WORDS = {"chdir", "user", "group", "sendfile"}
"""Gunicorn prints the full path, the number, and None; tests of a running server look at these."""

PRINTED = sorted(set(OPTIONS) - HELD_IN_OTHER_WORDS)
EVERY_OPTION = [word for words in OPTIONS.values() for word in words]


def meant(name: str, value: object) -> Any:
    return SETTINGS[name].kind.parse(value)


def said(name: str) -> Any:
    """The value that the words of a row mean."""
    words = OPTIONS[name]
    if len(words) == 1:
        return name != "sendfile"
    return meant(name, tuple(words[1::2]) if SETTINGS[name].kind.repeatable else words[1])


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A directory with what the settings name."""
    for name in ("sub", "lib", "uploads"):
        (tmp_path / name).mkdir()
    (tmp_path / "extra.html").touch()
    return tmp_path


# ---- given as an option, in GUNICORN_CMD_ARGS, in a file


def test_every_option_says_the_same(side: Side, place: Path) -> None:
    held = side.settings(place, *EVERY_OPTION)
    assert {name: held[name] for name in PRINTED} == {name: said(name) for name in PRINTED}


def test_gunicorn_cmd_args_says_the_same(side: Side, place: Path) -> None:
    environment = {"GUNICORN_CMD_ARGS": shlex.join(EVERY_OPTION)}
    held = side.settings(place, environment=environment)
    assert {name: held[name] for name in PRINTED} == {name: said(name) for name in PRINTED}


def test_a_file_says_the_same(side: Side, place: Path) -> None:
    lines = [f"{name} = {value!r}" for name, value in FILE.items()]
    (place / "settings.py").write_text("\n".join(["helper = 3", *lines, ""]))
    held = side.settings(place, "-c", "settings.py", app=None)
    names = set(FILE) - HELD_IN_OTHER_WORDS
    assert {name: held[name] for name in names} == {name: meant(name, FILE[name]) for name in names}


def test_options_without_a_meaning_are_accepted(side: Side, place: Path) -> None:
    words = [word for row in HARMLESS.values() for word in row]
    done = side.run(place, "--check-config", *words, APP)
    assert done.status == 0, done.output + done.errors


# ---- what stands above what


def test_a_file_is_below_gunicorn_cmd_args_and_that_is_below_options(
    side: Side, tmp_path: Path
) -> None:
    (tmp_path / "gunicorn.conf.py").write_text("workers = 2\nthreads = 2\nbacklog = 2\n")
    environment = {
        "GUNICORN_CMD_ARGS": "--threads 3 --backlog 3",
        "WEB_CONCURRENCY": "7",
        "PORT": "9000",
        "FORWARDED_ALLOW_IPS": "*",
    }
    held = side.settings(tmp_path, "--backlog", "4", environment=environment)
    assert (held["workers"], held["threads"], held["backlog"]) == (2, 3, 4)
    assert held["bind"] == ("0.0.0.0:9000",)
    assert held["forwarded_allow_ips"] == ("*",)


def test_web_concurrency_is_the_number_of_workers(side: Side, tmp_path: Path) -> None:
    assert side.settings(tmp_path, environment={"WEB_CONCURRENCY": "3"})["workers"] == 3


def test_a_long_option_may_be_shortened_while_it_is_plain_which(side: Side, tmp_path: Path) -> None:
    held = side.settings(tmp_path, "--access-logfi", "access.log", "--forwarded-allow", "*")
    assert held["accesslog"] == "access.log"
    assert held["forwarded_allow_ips"] == ("*",)
    done = side.run(tmp_path, "--check-config", "--work", "3", APP)
    assert done.status == 2, "--workers or --worker-class"


@pytest.mark.parametrize(("first", "second"), [("0", "0600"), ("0o27", "0x180")])
def test_a_mode_may_be_written_in_octal_and_hexadecimal(
    side: Side, tmp_path: Path, first: str, second: str
) -> None:
    held = side.settings(tmp_path, "--umask", first, "--control-socket-mode", second)
    assert held["umask"] == int(first, 0)
    assert held["control_socket_mode"] == 0o600


# ---- the list as a whole, against the Gunicorn that is installed


@functools.cache
def rows() -> dict[str, Row]:
    return {row.name: row for row in real_rows()}


@needs("gunicorn")
def test_every_setting_of_gunicorn_is_known_and_no_other_is_called_gunicorn_s() -> None:
    known = {name for name in rows() if name in SETTINGS}
    assert set(rows()) - known == set(FOREIGN) | (HOOKS - known)


@needs("gunicorn")
def test_every_option_of_gunicorn_is_known_under_the_same_setting() -> None:
    for row in rows().values():
        declared = SETTINGS.get(row.name)
        if declared is not None:
            assert set(row.flags) <= {*declared.flags, *declared.negative_flags}, row
        elif row.name in FOREIGN:
            assert set(row.flags) == set(FOREIGN[row.name].flags), row
    long = {flag for row in rows().values() for flag in row.flags if flag.startswith("--")}
    ours = {flag for flag in GUNICORN_FLAGS if flag.startswith("--")}
    assert ours == long | {"--help", "--version"}


@needs("gunicorn")
def test_every_option_that_takes_a_value_is_tried_on_both() -> None:
    tried = {*OPTIONS, *HARMLESS, *FILE, *TRIED_ELSEWHERE}
    assert [row.name for row in rows().values() if row.flags and row.name not in tried] == []


TRIED_ELSEWHERE = {
    # tests of where a file is looked for, of TLS, wire protocols and the process
    "config", "check_config", "print_config", "control_socket", "spew", "dirty_apps",
    "logconfig", "logconfig_json", "syslog", "keyfile", "certfile", "ca_certs", "ciphers",
    "daemon", "paste", "proxy_protocol",
}  # fmt: skip
"""Settings that a check of the configuration does not try, because it would act on them."""


@needs("gunicorn")
def test_every_default_is_gunicorn_s_or_a_documented_difference() -> None:
    changed = set()
    for row in rows().values():
        declared = SETTINGS.get(row.name)
        if declared is None or row.name in HOOKS or row.name in SAME_DEFAULT_IN_OTHER_WORDS:
            continue
        if row.default is None and declared.default in (None, (), "", False):
            continue
        if meant(row.name, row.default) != declared.default:
            changed.add(row.name)
    assert changed == set(DEFAULTS)


@needs("gunicorn")
def test_gunicorn_s_default_of_a_setting_that_is_not_here_asks_for_nothing() -> None:
    for name, foreign in FOREIGN.items():
        default = rows()[name].default
        text = ",".join(default) if isinstance(default, list) else str(default).lower()
        harmless = {str(value).lower() for value in foreign.harmless} | {"", "none", "()", "{}"}
        assert text in harmless or name == "ssl_version", name
