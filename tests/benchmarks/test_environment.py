"""The peers' environment: requirements, reasons for what fails, who is present."""

from __future__ import annotations

from benchmarks.environment import (
    BUILDERS,
    REQUIREMENTS,
    failure_reason,
    present_sides,
    requirements,
)
from benchmarks.sides import SIDES, sides_named


def names_of_requirements():
    return {line.partition("==")[0] for line in requirements(REQUIREMENTS.read_text())}


def test_comments_and_blank_lines_are_no_requirements():
    assert requirements("# peers\n\ngunicorn==27.0.1  # the first\n") == ["gunicorn==27.0.1"]


def test_every_requirement_is_pinned():
    assert all("==" in line for line in requirements(REQUIREMENTS.read_text()))


def test_what_sides_and_builds_need_is_required():
    needed = {name for side in SIDES for name in side.distributions}
    assert needed | set(BUILDERS) <= names_of_requirements()


def test_the_reason_is_the_line_that_names_the_error():
    output = (
        "building\nbjoern.c:1:10: fatal error: ev.h: No such file\nERROR: Failed building wheel"
    )
    assert failure_reason(output) == "bjoern.c:1:10: fatal error: ev.h: No such file"
    assert failure_reason("one\ntwo\n") == "two"
    assert failure_reason("") == "no reason given"


def test_a_side_without_its_distribution_is_left_out_by_name():
    present, left_out = present_sides(sides_named(["floor", "bjoern"]), {"granian": "2.8.7"})
    assert [side.key for side in present] == ["floor"]
    assert left_out == {"bjoern": "not installed: bjoern"}
