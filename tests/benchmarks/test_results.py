"""The results' JSON form."""

from __future__ import annotations

import json

import pytest

from benchmarks import results
from tests.benchmarks.records import report, result, series


def test_a_report_survives_its_json():
    made = report(result(series("canter", 1.5, 2.5), series("bjoern", 3.0, errors={"read": 2})))
    assert results.from_json(results.to_json(made)) == made


def test_a_report_survives_a_file(tmp_path):
    made = report(result(series("canter", 1.0)))
    path = tmp_path / "new" / "results.json"
    results.save(made, path)
    assert results.load(path) == made


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', '{"format": 1}'])
def test_what_is_no_whole_result_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the JSON reader has a message of its own
        results.from_json(text)


def test_a_result_with_a_strange_field_is_refused():
    data = json.loads(results.to_json(report()))
    data["surprise"] = 1
    with pytest.raises(ValueError, match="not a whole result"):
        results.from_json(json.dumps(data))


def test_errors_are_summed_over_the_rounds():
    assert series("x", 1.0, 2.0, errors={"read": 3}).errors() == {"read": 6}
