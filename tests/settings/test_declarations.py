"""The declarations agree with themselves, with what is made from them, and with Gunicorn."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest

from canter.observe.access_format import DEFAULT_FORMAT
from canter.settings.gunicorn.names import FOREIGN, GUNICORN_FLAGS, HOOKS
from canter.settings.options import parse_options
from canter.settings.reference import reference_page
from canter.settings.registry import OUR_HOOKS, SETTINGS, by_section
from canter.settings.sections import EVERY_SETTING
from canter.settings.typed import values_source
from canter.settings.values import Values

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=EVERY_SETTING, ids=lambda it: it.name)
def setting(request):
    return request.param


def test_every_name_is_declared_once():
    assert [
        name for name, count in Counter(it.name for it in EVERY_SETTING).items() if count > 1
    ] == []


def test_every_flag_belongs_to_one_setting():
    flags = [flag for it in EVERY_SETTING for flag in (*it.flags, *it.negative_flags)]
    flags += [flag for it in FOREIGN.values() for flag in it.flags]
    flags += ["-h", "--help", "-v", "--version"]
    assert [flag for flag, count in Counter(flags).items() if count > 1] == []


def test_every_setting_is_under_one_heading():
    assert [it for _, settings in by_section() for it in settings] == list(EVERY_SETTING)


def test_the_default_is_a_value_of_its_kind(setting):
    kind = setting.kind
    assert kind.parse(kind.render(setting.default)) == setting.default
    assert kind.parse(tomllib.loads(f"x = {kind.toml(setting.default)}")["x"]) == setting.default


def test_the_help_is_made_of_sentences(setting):
    assert setting.help.endswith(".")
    assert setting.help[0].isupper()
    assert setting.summary.endswith(".")
    assert not setting.gunicorn or setting.gunicorn.endswith(".")
    assert not setting.gunicorn_default or setting.gunicorn_default.endswith(".")


def test_every_setting_has_an_option_but_the_application_and_what_only_files_can_say(setting):
    without = {"wsgi_app", "logconfig_dict"} | OUR_HOOKS
    assert bool(setting.flags) == (setting.name not in without)
    assert all(flag.startswith("-") for flag in setting.flags)


def test_the_typed_class_has_every_setting_in_order():
    assert [field.name for field in fields(Values)] == [it.name for it in EVERY_SETTING]


def test_what_is_made_from_the_declarations_is_up_to_date():
    made = (ROOT / "src/canter/settings/values.py").read_text()
    page = (ROOT / "docs/settings.md").read_text()
    assert made == values_source(), "run python -m canter.settings"
    assert page == reference_page(), "run python -m canter.settings"


def test_the_page_tells_every_setting_option_variable_and_hook():
    page = reference_page()
    for setting in EVERY_SETTING:
        assert f"\n### {setting.name}\n" in page
        assert f"`{setting.variable}`" in page
        assert all(f"`{flag}" in page for flag in (*setting.flags, *setting.negative_flags))
    assert all(f"`{name}`" in page for name in [*FOREIGN, *HOOKS])


def generate(*words):
    command = [sys.executable, "-m", "canter.settings", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT / "src")


def test_the_generator_writes_and_checks_its_files(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "src/canter/settings").mkdir(parents=True)
    assert generate(tmp_path).returncode == 0
    assert generate("--check", tmp_path).returncode == 0
    (tmp_path / "docs/settings.md").write_text("# Settings by hand\n")
    stale = generate("--check", tmp_path)
    assert stale.returncode == 1
    assert stale.stderr == "docs/settings.md is not what the declarations make\n"


@pytest.mark.parametrize("flag", sorted(GUNICORN_FLAGS - {"--help", "--version"}))
def test_every_option_of_gunicorn_s_is_known(flag):
    values = {"--bind": ["127.0.0.1:1"], "--env": ["A=1"]}
    for words in ([flag, *values.get(flag, ["1"])], [flag]):
        try:
            parse_options(words)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is shown
            failure = error
        else:
            return
    pytest.fail(f"{flag}: {failure}")


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("bind", ("127.0.0.1:8000",)),
        ("backlog", 2048),
        ("workers", 1),
        ("threads", 1),
        ("worker_connections", 1000),
        ("max_requests", 0),
        ("max_requests_jitter", 0),
        ("timeout", 30),
        ("graceful_timeout", 30),
        ("limit_request_line", 4094),
        ("limit_request_fields", 100),
        ("limit_request_field_size", 8190),
        ("umask", 0),
        ("accesslog", None),
        ("errorlog", "-"),
        ("loglevel", "info"),
        ("forwarded_allow_ips", ("127.0.0.1", "::1")),
        ("forwarder_headers", ("SCRIPT_NAME", "PATH_INFO")),
        ("header_map", "drop"),
    ],
)
def test_these_defaults_are_gunicorn_s(name, default):
    assert SETTINGS[name].default == default


def test_the_access_log_s_default_format_is_the_log_s_own():
    assert SETTINGS["access_log_format"].default == DEFAULT_FORMAT


def test_every_leniency_is_off():
    assert not any(SETTINGS[name].default for name in SETTINGS if name.startswith("permit_"))
    assert not SETTINGS["strip_header_spaces"].default
    assert not SETTINGS["casefold_http_method"].default
