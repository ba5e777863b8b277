"""The quick comparison's table and verdict."""

from __future__ import annotations

import pytest

from benchmarks.quick import Row, regression_percent, table


def test_a_regression_is_told_from_instructions_where_they_were_counted():
    rows = [Row("tree", 10_300.0, 9.0, 0.9), Row("commit", 10_000.0, 10.0, 1.0)]
    assert regression_percent(rows) == pytest.approx(3.0)


def test_without_instructions_processor_time_decides():
    rows = [Row("tree", None, 11.0, 1.1), Row("commit", None, 10.0, 1.0)]
    assert regression_percent(rows) == pytest.approx(10.0)


def test_nothing_measured_is_no_regression():
    assert regression_percent([Row("tree"), Row("commit")]) is None


def test_the_table_has_a_line_for_each_build_with_ratios_to_the_last():
    lines = table([Row("tree", 20_000.0, 9.0, 0.9), Row("commit", 10_000.0)]).splitlines()
    assert lines[1].split() == ["tree", "20,000", "2.000", "9.00", "0.900"]
    assert lines[2].split() == ["commit", "10,000", "1.000", "-", "-"]
