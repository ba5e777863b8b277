"""One layer over the other: what is stronger wins, and nothing wrong slips through below it."""

from __future__ import annotations

import dataclasses

import pytest

from canter.errors import ConfigError, UsageError
from canter.settings import settings_from
from canter.settings.layers import Entry, Layer, merge, settle
from canter.settings.provenance import Source, SourceKind

FILE = Source(SourceKind.FILE, "canter.toml:1")
OPTION = Source(SourceKind.OPTION, "--threads")


def layer(name, value, source, *warnings):
    return Layer((Entry(name, value, source),), warnings)


def test_the_stronger_layer_wins_and_is_the_source():
    settings = settle(merge([layer("threads", 2, FILE), layer("threads", "4", OPTION)]))
    assert settings.threads == 4
    assert settings.source("threads") is OPTION


def test_a_list_is_replaced_by_the_stronger_layer_and_not_added_to():
    layers = [layer("bind", ["a:1", "b:2"], FILE), layer("bind", ["c:3"], OPTION)]
    assert settle(merge(layers)).bind == ("c:3",)


def test_the_last_entry_of_a_layer_counts():
    both = Layer((Entry("threads", 2, FILE), Entry("threads", 3, FILE)))
    assert settle(merge([both])).threads == 3
    found = both.find("threads")
    assert found is not None
    assert found.value == 3
    assert both.find("bind") is None


def test_a_wrong_value_is_an_error_even_where_a_stronger_one_overrides_it():
    with pytest.raises(ConfigError, match=r"^canter\.toml:1: threads: 'x' is not a whole number$"):
        merge([layer("threads", "x", FILE), layer("threads", 4, OPTION)])


def test_a_wrong_value_on_the_command_line_is_a_wrong_command_line():
    with pytest.raises(UsageError, match=r"^--threads: 0 is out of bounds"):
        merge([layer("threads", 0, OPTION)])


def test_warnings_of_all_layers_are_kept_in_order():
    layers = [layer("threads", 2, FILE, "one"), layer("threads", 2, OPTION, "two")]
    assert settle(merge(layers)).warnings == ("one", "two")


def test_settings_cannot_be_changed():
    settings = settings_from()
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.threads = 4  # type: ignore[misc]  # that is the point


def test_a_setting_that_is_none_has_no_source():
    with pytest.raises(KeyError):
        settings_from().source("treads")


def test_settings_can_be_made_from_values_alone():
    settings = settings_from({"threads": 4, "bind": "unix:/x"})
    assert (settings.threads, settings.bind) == (4, ("unix:/x",))
    assert settings_from() == settings_from({})
