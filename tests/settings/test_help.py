"""The help text shows every option, under its heading, within the width of a terminal."""

from __future__ import annotations

from canter.settings import help_text
from canter.settings.registry import SETTINGS, by_section


def test_every_option_is_shown_under_its_heading():
    text = help_text()
    for section, settings in by_section():
        if not any(setting.flags for setting in settings):
            assert f"\n{section.title}:\n" not in text
            continue
        block = text.split(f"\n{section.title}:\n")[1].split("\n\n")[0]
        for setting in settings:
            if setting.flags:
                shown = setting.negative_flags if setting.default is True else setting.flags
                assert all(flag in block for flag in shown)


def test_lines_fit_into_a_terminal_of_a_hundred_columns():
    assert max(map(len, help_text().splitlines())) < 100


def test_the_usual_default_is_shown():
    assert "[127.0.0.1:8000]" in help_text()
    assert "[30s]" in help_text()
    assert "[false]" not in help_text()


def test_options_that_have_no_effect_are_not_advertised():
    assert "--worker-tmp-dir" not in help_text()
    assert "wsgi_app" in SETTINGS
    assert "--wsgi" not in help_text()
