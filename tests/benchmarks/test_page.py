"""The page and its plots, rendered from results made by hand."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from benchmarks import page, svg
from benchmarks.results import ScenarioResult
from tests.benchmarks.records import report, result, series

MEASURED = result(
    series("canter", 10.0, 11.0),
    series("floor", 8.0, 8.5),
    series("fastwsgi", 9.0, 9.5),
    series("gunicorn", 200.0, 190.0),
    series("flawed", 0.5, 0.5, errors={"read": 1200}),
)


def rows_of(text, name):
    """The cells of the table row of this server."""
    [line] = [line for line in text.splitlines() if line.startswith(f"| {name} ")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_says_what_is_lost_and_to_whom():
    text = page.render(report(MEASURED))
    assert "Fastwsgi (1.13 times better)" in text
    assert "Flawed (" not in text


def test_says_so_when_nothing_is_lost():
    text = page.render(report(result(series("canter", 1.0), series("gunicorn", 20.0))))
    assert "Nothing by more than the 3% that count as level." in text


def test_errors_of_canter_are_among_the_losses():
    text = page.render(report(result(series("canter", 1.0, errors={"status": 7}))))
    assert "canter had errors (7 status)" in text


def test_a_side_with_errors_is_last_without_ratio_and_with_its_errors():
    text = page.render(report(MEASURED))
    cells = rows_of(text, "Flawed")
    assert cells[-2:] == ["-", "2,400 read"]
    table = [line for line in text.splitlines() if line.startswith(("| Gunicorn ", "| Flawed "))]
    assert table[0].startswith("| Gunicorn ")


def test_ratios_of_a_table_are_to_canter():
    cells = rows_of(page.render(report(MEASURED)), "Gunicorn")
    assert cells[1] == "195 ±3%"
    assert cells[-2:] == ["18.6", "-"] or cells[-2:] == ["18.64", "-"]


def test_names_who_is_left_out_and_why():
    partial = ScenarioResult("small-9", [series("canter", 1.0)], {"bjoern": "does not build here"})
    text = page.render(report(partial, left_out=["uWSGI"]))
    assert "Left out: bjoern: does not build here." in text
    assert "- uWSGI: not installed" in text


def test_renders_a_run_without_canter():
    text = page.render(report(result(series("bjoern", 1.0))))
    assert "not measured" in text


@pytest.mark.parametrize(
    ("value", "shown"), [(12345.6, "12,346"), (42.06, "42.1"), (1.234, "1.23"), (0.0, "0.00")]
)
def test_figures_are_shown_with_three_digits_that_mean_something(value, shown):
    assert page.number(value) == shown


def test_writes_a_page_whose_plots_are_there(tmp_path):
    written = page.write(report(MEASURED), tmp_path)
    text = (tmp_path / "benchmarks.md").read_text()
    for path in written:
        if path.suffix == ".svg":
            assert str(path.relative_to(tmp_path)) in text
    assert (tmp_path / "benchmarks" / "small-9.svg") in written


def test_plots_are_xml_with_a_title_and_fit_both_colour_schemes(tmp_path):
    plots = [path for path in page.write(report(MEASURED), tmp_path) if path.suffix == ".svg"]
    assert len(plots) == 2
    for path in plots:
        root = ET.fromstring(path.read_text())
        assert root.findtext("{http://www.w3.org/2000/svg}title")
        assert "prefers-color-scheme: dark" in path.read_text()


def test_bars_are_in_proportion():
    text = svg.bars(
        "T", [svg.Bar("a", 50.0, "50", svg.Kind.OURS), svg.Bar("b", 100.0, "100", svg.Kind.PEER)]
    )
    root = ET.fromstring(text)
    widths = [float(bar.attrib["width"]) for bar in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert widths[1] == pytest.approx(2 * widths[0], rel=0.01)


def test_labels_are_escaped():
    text = svg.bars("<&>", [svg.Bar("<b>", 1.0, "&", svg.Kind.PEER)])
    assert ET.fromstring(text) is not None


def test_the_axis_of_ratios_covers_all_of_them_and_one():
    scale = svg.ticks(0.7, 33.0)
    assert scale == [0.5, 1, 2, 5, 10, 20, 50]
