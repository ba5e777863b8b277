"""What --print-config shows is readable, complete, and a file that gives the same settings."""

from __future__ import annotations

import pytest

from canter.settings import Layer, Surroundings, arguments_layer, load, settings_from
from canter.settings import settings_report as report
from canter.settings.registry import SETTINGS
from tests.settings.samples import SAMPLES


def test_every_setting_has_a_line_with_its_source():
    lines = report(settings_from({"threads": 4})).splitlines()
    for name in SETTINGS:
        (line,) = [it for it in lines if it.removeprefix("# ").split(" ")[0] == name]
        assert line.endswith("# argument" if name == "threads" else "# default")


def test_sources_stand_in_a_column():
    lines = report(settings_from()).splitlines()
    columns = [line.rindex("  #") for line in lines if line.endswith("# default")]
    assert columns.count(min(columns)) >= len(columns) - 3


def test_what_is_printed_for_the_defaults_gives_the_defaults(tmp_path):
    (tmp_path / "canter.toml").write_text(report(settings_from()))
    settings = load(Surroundings(str(tmp_path), {}), Layer())
    assert {name: getattr(settings, name) for name in SETTINGS} == {
        name: setting.default for name, setting in SETTINGS.items()
    }


@pytest.mark.parametrize("name", [name for name, it in SETTINGS.items() if it.in_files])
def test_what_is_printed_gives_the_same_settings(tmp_path, name):
    first = load(Surroundings(str(tmp_path), {}), arguments_layer({name: SAMPLES[name].raw}))
    (tmp_path / "canter.toml").write_text(report(first))
    second = load(Surroundings(str(tmp_path), {}), Layer())
    assert all(getattr(first, name) == getattr(second, name) for name in SETTINGS)


def test_what_is_asked_of_one_start_is_not_in_the_file():
    lines = report(settings_from({"print_config": True})).splitlines()
    assert [line.split("  ")[0] for line in lines if "print_config" in line] == [
        "# print_config = true"
    ]
