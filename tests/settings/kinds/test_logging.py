"""Classes of loggers, and tables."""

from __future__ import annotations

import logging

import pytest

from canter.settings.kinds import LoggerClass, Table


class Own:
    pass


@pytest.mark.parametrize(
    "name", ["simple", "gunicorn.glogging.Logger", "gunicorn.instrument.statsd.Statsd"]
)
def test_gunicorn_s_own_classes_mean_the_usual_one(name):
    assert LoggerClass().parse(name) == ""
    assert LoggerClass().render("") == "simple"


def test_a_class_is_taken_as_it_is_and_shown_by_its_name():
    kind = LoggerClass()
    assert kind.parse(Own) is Own
    assert kind.render(Own) == f"{__name__}.Own"
    assert kind.toml(Own) == f'"{__name__}.Own"'


@pytest.mark.parametrize("value", ["Logger", "a b.C", "", 5, None, Own()])
def test_what_names_no_class_is_refused(value):
    with pytest.raises(ValueError, match="does not name a class"):
        LoggerClass().parse(value)


def test_a_table_is_a_mapping_or_json():
    kind = Table()
    assert kind.parse({"version": 1}) == kind.parse('{"version": 1}') == {"version": 1}
    assert kind.parse("  ") == {}
    assert kind.toml({"version": 1}) == '{ "version" = 1 }'


def test_a_table_with_objects_in_it_can_be_shown():
    assert "StreamHandler" in Table().toml({"()": logging.StreamHandler})


@pytest.mark.parametrize(
    ("value", "problem"), [("{", "is not JSON"), ("[1]", "is not a table"), (5, "is not a table")]
)
def test_what_is_no_table_is_refused(value, problem):
    with pytest.raises(ValueError, match=problem):
        Table().parse(value)
