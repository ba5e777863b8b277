"""Every setting can be set from every source, and says where it was."""

from __future__ import annotations

import pytest

from canter.errors import ConfigError
from canter.settings import Surroundings, arguments_layer, load, parse_options
from canter.settings.kinds import Boolean
from canter.settings.kinds.kind import toml_literal
from canter.settings.layers import Layer
from canter.settings.registry import SETTINGS
from tests.settings.samples import SAMPLES

IN_FILES = [name for name, setting in SETTINGS.items() if setting.in_files]
ONLY_OUTSIDE_FILES = [name for name, setting in SETTINGS.items() if not setting.in_files]


@pytest.fixture(autouse=True)
def _file_that_config_names(tmp_path):
    (tmp_path / "other.toml").touch()


def loaded(tmp_path, top=None, **environment):
    return load(Surroundings(str(tmp_path), environment), top or Layer())


def holds(settings, name, source):
    assert getattr(settings, name) == SAMPLES[name].value
    assert str(settings.source(name)) == source
    # The application is then that of the PasteDeploy file.
    same = {name, "wsgi_app"} if name == "paste" else {name}
    others = {other: str(it) for other, it in settings.sources.items() if other not in same}
    assert set(others.values()) == {"default"}


def test_there_is_a_sample_for_every_setting_that_is_not_its_default():
    assert list(SAMPLES) == list(SETTINGS)
    assert all(SAMPLES[name].value != SETTINGS[name].default for name in SAMPLES)


@pytest.mark.parametrize("name", SETTINGS)
def test_from_the_default(tmp_path, name):
    settings = loaded(tmp_path)
    assert getattr(settings, name) == SETTINGS[name].default
    assert str(settings.source(name)) == "default"


@pytest.mark.parametrize("name", IN_FILES)
def test_from_canter_toml(tmp_path, name):
    (tmp_path / "canter.toml").write_text(f"\n\n{name} = {toml_literal(SAMPLES[name].raw)}\n")
    holds(loaded(tmp_path), name, "canter.toml:3")


@pytest.mark.parametrize("name", IN_FILES)
def test_from_text_in_canter_toml(tmp_path, name):
    (tmp_path / "canter.toml").write_text(f"{name} = {toml_literal(SAMPLES[name].text)}\n")
    holds(loaded(tmp_path), name, "canter.toml:1")


@pytest.mark.parametrize("name", IN_FILES)
def test_from_pyproject_toml(tmp_path, name):
    value = toml_literal(SAMPLES[name].raw)
    (tmp_path / "pyproject.toml").write_text(
        f'[tool.other]\n{name} = "no"\n[tool.canter]\n{name} = {value}\n'
    )
    holds(loaded(tmp_path), name, "pyproject.toml:4")


@pytest.mark.parametrize("name", IN_FILES)
def test_from_gunicorn_conf_py(tmp_path, name):
    (tmp_path / "gunicorn.conf.py").write_text(f"# ours\n{name} = {SAMPLES[name].raw!r}\n")
    holds(loaded(tmp_path), name, "gunicorn.conf.py:2")


@pytest.mark.parametrize("name", ONLY_OUTSIDE_FILES)
def test_not_from_a_file_what_has_no_meaning_there(tmp_path, name):
    (tmp_path / "canter.toml").write_text(f"{name} = {toml_literal(SAMPLES[name].raw)}\n")
    with pytest.raises(ConfigError, match=rf"^canter\.toml:1: {name} cannot be set in a file$"):
        loaded(tmp_path)


@pytest.mark.parametrize("name", SETTINGS)
def test_from_its_variable(tmp_path, name):
    variable = f"CANTER_{name.upper()}"
    holds(loaded(tmp_path, **{variable: SAMPLES[name].text}), name, f"env {variable}")


@pytest.mark.parametrize(
    ("name", "flag"),
    [(name, flag) for name, setting in SETTINGS.items() for flag in setting.flags],
)
def test_from_its_option(tmp_path, name, flag):
    if isinstance(SETTINGS[name].kind, Boolean):
        words = [flag if SAMPLES[name].value else f"--no-{flag[2:]}"]
    else:
        words = [flag, SAMPLES[name].text]
    holds(loaded(tmp_path, parse_options(words).layer), name, f"option {words[0]}")


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        (name, flag)
        for name, setting in SETTINGS.items()
        for flag in setting.flags
        if flag.startswith("--") and not isinstance(setting.kind, Boolean)
    ],
)
def test_from_its_option_and_value_in_one_word(tmp_path, name, flag):
    layer = parse_options([f"{flag}={SAMPLES[name].text}"]).layer
    holds(loaded(tmp_path, layer), name, f"option {flag}")


def test_the_application_from_the_command_line(tmp_path):
    holds(loaded(tmp_path, parse_options(["site:app"]).layer), "wsgi_app", "command line")


@pytest.mark.parametrize(
    ("name", "flag"),
    [(name, setting.flags[-1]) for name, setting in SETTINGS.items() if setting.flags],
)
def test_from_gunicorn_cmd_args(tmp_path, name, flag):
    if isinstance(SETTINGS[name].kind, Boolean):
        words = flag if SAMPLES[name].value else f"--no-{flag[2:]}"
    else:
        words = f"{flag} '{SAMPLES[name].text}'"
    settings = loaded(tmp_path, GUNICORN_CMD_ARGS=words)
    holds(settings, name, f"env GUNICORN_CMD_ARGS {words.split()[0]}")


@pytest.mark.parametrize("name", SETTINGS)
def test_from_an_embedding_program(tmp_path, name):
    holds(loaded(tmp_path, arguments_layer({name: SAMPLES[name].raw})), name, "argument")


@pytest.mark.parametrize(
    ("variable", "text", "name", "value"),
    [
        ("PORT", "9000", "bind", ("0.0.0.0:9000",)),
        ("WEB_CONCURRENCY", "3", "workers", 3),
        ("FORWARDED_ALLOW_IPS", "10.0.0.0/8", "forwarded_allow_ips", ("10.0.0.0/8",)),
        ("FORWARDED_ALLOW_IPS", "", "forwarded_allow_ips", ()),
        ("SENDFILE", "no", "sendfile", False),
    ],
)
def test_from_the_variables_of_platforms(tmp_path, variable, text, name, value):
    settings = loaded(tmp_path, **{variable: text})
    assert getattr(settings, name) == value
    assert str(settings.source(name)) == f"env {variable}"
