"""From real files and an environment: which file is read, and who wins."""

from __future__ import annotations

import os
import sys

import pytest

from canter.errors import ConfigError
from canter.settings import Layer, Surroundings, arguments_layer, load, parse_options
from canter.settings.sources import read_text


def loaded(directory, *words, **environment):
    return load(Surroundings(str(directory), environment), parse_options(words).layer)


def test_every_source_is_stronger_than_the_one_before_it(tmp_path):
    steps = [
        ({}, "", 1, "default"),
        ({"WEB_CONCURRENCY": "2"}, "", 2, "env WEB_CONCURRENCY"),
        ({}, "workers = 3", 3, "canter.toml:1"),
        ({"GUNICORN_CMD_ARGS": "-w 4"}, "workers = 3", 4, "env GUNICORN_CMD_ARGS -w"),
        ({"CANTER_WORKERS": "5"}, "workers = 3", 5, "env CANTER_WORKERS"),
    ]
    environment: dict[str, str] = {}
    for variables, text, workers, source in steps:
        (tmp_path / "canter.toml").write_text(text)
        environment |= variables
        settings = load(Surroundings(str(tmp_path), environment), Layer())
        assert (settings.workers, str(settings.source("workers"))) == (workers, source)
    assert loaded(tmp_path, "-w6", **environment).workers == 6
    argument = load(Surroundings(str(tmp_path), environment), arguments_layer({"workers": 7}))
    assert argument.workers == 7


def test_the_surroundings_are_those_of_the_process(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANTER_THREADS", "3")
    here = Surroundings.here()
    monkeypatch.setenv("CANTER_THREADS", "4")
    assert os.path.samefile(here.directory, tmp_path)
    assert here.environment["CANTER_THREADS"] == "3", "a copy, taken then"


def test_a_directory_that_is_gone_is_one_clear_error(monkeypatch, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ConfigError, match=r"^the working directory cannot be used: "):
        Surroundings.here()


def write(directory, *names):
    text = {
        "canter.toml": "threads = 2",
        "pyproject.toml": "[tool.canter]\nthreads = 3",
        "gunicorn.conf.py": "threads = 4",
    }
    for name in names:
        (directory / name).write_text(text[name])


@pytest.mark.parametrize(
    ("present", "threads"),
    [
        ([], 1),
        (["canter.toml"], 2),
        (["pyproject.toml"], 3),
        (["gunicorn.conf.py"], 4),
        (["canter.toml", "pyproject.toml"], 2),
        (["pyproject.toml", "gunicorn.conf.py"], 3),
        (["canter.toml", "pyproject.toml", "gunicorn.conf.py"], 2),
    ],
)
def test_the_first_of_the_usual_files_is_read_and_the_others_are_named(tmp_path, present, threads):
    write(tmp_path, *present)
    settings = loaded(tmp_path)
    assert settings.threads == threads
    assert settings.warnings == tuple(
        f"{it} is not read: there is {present[0]}" for it in present[1:]
    )


def test_a_pyproject_of_somebody_else_s_is_passed_over(tmp_path):
    write(tmp_path, "gunicorn.conf.py")
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 100")
    settings = loaded(tmp_path)
    assert (settings.threads, settings.warnings) == (4, ())


@pytest.mark.parametrize(
    ("chosen", "threads"),
    [
        ("canter.toml", 2),
        ("pyproject.toml", 3),
        ("gunicorn.conf.py", 4),
        ("./gunicorn.conf.py", 4),
        ("file:gunicorn.conf.py", 4),
        ("conf/site.toml", 5),
    ],
)
def test_a_chosen_file_is_read_and_no_other(tmp_path, chosen, threads):
    write(tmp_path, "canter.toml", "pyproject.toml", "gunicorn.conf.py")
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/site.toml").write_text("threads = 5")
    for settings in (
        loaded(tmp_path, "-c", chosen),
        loaded(tmp_path, CANTER_CONFIG=chosen),
        loaded(tmp_path, GUNICORN_CMD_ARGS=f"--config {chosen}"),
    ):
        assert (settings.threads, settings.warnings) == (threads, ())


def test_a_file_is_chosen_by_the_strongest_source(tmp_path):
    for number in (2, 3, 4):
        (tmp_path / f"{number}.toml").write_text(f"threads = {number}")
    environment = {"GUNICORN_CMD_ARGS": "-c 2.toml", "CANTER_CONFIG": "3.toml"}
    assert loaded(tmp_path, **environment).threads == 3
    assert loaded(tmp_path, "-c", "4.toml", **environment).threads == 4


def test_an_absolute_path_is_not_below_the_directory(tmp_path):
    (tmp_path / "site.toml").write_text("threads = 5")
    assert loaded("/", "-c", str(tmp_path / "site.toml")).threads == 5


def test_a_python_module_can_be_the_configuration(tmp_path, monkeypatch):
    (tmp_path / "site_settings_here.py").write_text("threads = 6")
    monkeypatch.syspath_prepend(str(tmp_path))
    settings = loaded(tmp_path, "-c", "python:site_settings_here")
    assert (settings.threads, str(settings.source("threads"))) == (6, "python:site_settings_here")
    monkeypatch.delitem(sys.modules, "site_settings_here")


def test_another_ending_is_run_as_python_with_a_warning(tmp_path):
    (tmp_path / "gunicorn.conf").write_text("threads = 7")
    settings = loaded(tmp_path, "-c", "gunicorn.conf")
    assert settings.threads == 7
    assert settings.warnings == (
        "gunicorn.conf is run as Python, although its name ends in neither .py nor .toml",
    )


def test_a_chosen_file_that_is_missing_is_named_with_who_chose_it(tmp_path):
    with pytest.raises(ConfigError, match=r"^-c: cannot read none.toml: No such file"):
        loaded(tmp_path, "-c", "none.toml")
    with pytest.raises(ConfigError, match=r"^CANTER_CONFIG: cannot read none.py: No such file"):
        loaded(tmp_path, CANTER_CONFIG="none.py")
    (tmp_path / "sub.toml").mkdir()
    with pytest.raises(ConfigError, match=r"^CANTER_CONFIG: cannot read sub.toml: Is a directory"):
        loaded(tmp_path, CANTER_CONFIG="sub.toml")


def test_a_usual_file_that_may_not_be_read_is_named(tmp_path):
    write(tmp_path, "canter.toml")
    (tmp_path / "canter.toml").unlink()
    (tmp_path / "canter.toml").symlink_to("/proc/self/mem")
    with pytest.raises(ConfigError, match=r"^cannot read .*"):
        loaded(tmp_path)


def test_a_file_that_is_not_text_is_named(tmp_path):
    (tmp_path / "canter.toml").write_bytes(b"threads = 4 # \xff")
    with pytest.raises(ConfigError, match=r"^canter\.toml is not in UTF-8$"):
        loaded(tmp_path)
    assert read_text(__file__, "this").startswith('"""From real files')


def test_files_are_read_again_for_a_reload(tmp_path):
    write(tmp_path, "canter.toml")
    surroundings = Surroundings(str(tmp_path), {})
    assert load(surroundings, Layer()).threads == 2
    (tmp_path / "canter.toml").write_text("threads = 9")
    assert load(surroundings, Layer()).threads == 9
