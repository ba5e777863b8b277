"""One setting explained: its value, who said what else and lost, and what it means."""

from __future__ import annotations

import pytest

from canter.errors import ConfigError
from canter.settings import Surroundings, parse_options
from canter.settings.explain import explain, explanation_text, find_setting
from canter.settings.sources import read_layers, settle_layers


def explained(tmp_path, name, *words, **environment):
    layers = read_layers(Surroundings(str(tmp_path), environment), parse_options(words).layer)
    return explain(name, settle_layers(layers), layers)


def test_what_was_said_elsewhere_and_lost_is_told(tmp_path):
    (tmp_path / "canter.toml").write_text("threads = 2\n")
    found = explained(tmp_path, "threads", "--threads", "4", CANTER_THREADS="3")
    assert (found.value, found.source) == ("4", "option --threads")
    assert found.lost == (("2", "canter.toml:1"), ("'3'", "env CANTER_THREADS"))
    text = explanation_text(found)
    assert text.startswith("threads = 4\n  from option --threads\n  lost: '3' from env CANTER_TH")
    assert "default: 1" in text


def test_a_default_is_told_with_how_it_differs_from_gunicorn_s(tmp_path):
    found = explained(tmp_path, "keepalive")
    assert (found.value, found.source, found.lost) == ("75s", "default", ())
    assert "Difference from Gunicorn: Gunicorn's default is 2 seconds." in explanation_text(found)


@pytest.mark.parametrize(
    "word", ["keepalive", "--keep-alive", "keep-alive", "keep_alive", "CANTER_KEEPALIVE"]
)
def test_a_setting_is_found_by_its_name_option_or_variable(word):
    assert find_setting(word) == "keepalive"


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("treads", "no setting treads; did you mean threads?"),
        ("zzz", "no setting zzz$"),
        ("--spew", "spew is a Gunicorn setting without effect here"),
    ],
)
def test_what_is_no_setting_is_one_clear_error(word, told):
    with pytest.raises(ConfigError, match=told):
        find_setting(word)
