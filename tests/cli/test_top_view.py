"""The picture of `canter top`: what stands where, at every width, and what is coloured."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from canter.cli.top_view import STYLES, Line, View, picture
from canter.observe.meter import BUCKETS


def a_snapshot(**changes: Any) -> dict[str, Any]:
    running = [
        {"thread": 0, "request": "GET /report", "age_seconds": 4.9},
        {"thread": 1, "request": "POST /" + "long/" * 40, "age_seconds": 0.2},
    ]
    workers = [
        {
            "pid": pid,
            "state": "serving",
            "requests": 10 * pid,
            "connections": 3,
            "queued": 0,
            "threads": 4,
            "resident_bytes": (40 - index) << 20,
            "age_seconds": 61.0 + index,
            "running": running if index else [],
            "leaves_because": None,
        }
        for index, pid in enumerate((101, 102))
    ]
    return {
        "version": "0.1",
        "phase": "running",
        "application": "shop",
        "addresses": ["http://127.0.0.1:8000"],
        "age_seconds": 100.0,
        "at": 1700000000.0,
        "generations": [{"number": 1, "workers": workers}],
        "totals": {
            "requests": {"GET": {"2xx": 300, "5xx": 20}},
            "times": {"application": {"counts": [1000, *[0] * (BUCKETS - 1)]}},
        },
        "load": {"busy": 2, "threads": 8, "queued": 0, "connections": {"idle": 4, "running": 2}},
        "noted": [
            {
                "at": 1700000000.0,
                "pid": 101,
                "request": "GET /fails",
                "status": 500,
                "outcome": "failed",
                "seconds": 0.25,
            }
        ],
        "events": [{"at": 1700000000.0, "kind": "death", "text": "worker 100 was killed"}],
        **changes,
    }


def plain(lines: list[Line]) -> list[str]:
    return ["".join(text for text, _ in line) for line in lines]


def styles_of(lines: list[Line], part: str) -> set[str]:
    return {style for line in lines for text, style in line if part in text}


@pytest.mark.parametrize("width", [60, 80, 100, 200])
@pytest.mark.parametrize("height", [5, 24, 60])
def test_a_live_picture_has_the_size_of_its_terminal(width: int, height: int):
    lines = picture(a_snapshot(), None, View(width=width, height=height, is_live=True))
    assert len(lines) == height
    assert {style for line in lines for _, style in line} <= set(STYLES)
    assert plain(lines)[-1].startswith("q quit")
    tables = [line for line in plain(lines) if " 102 " in line]
    assert all(len(line) <= max(width, 80) for line in tables)


def test_columns_stand_where_their_headings_are_and_numbers_do_not_move():
    before = plain(picture(a_snapshot(), None, View()))
    grown = a_snapshot()
    grown["generations"][0]["workers"][0].update(requests=987654321, connections=4321)
    after = plain(picture(grown, None, View()))
    head = next(i for i, line in enumerate(before) if "worker  deploy" in line)
    assert before[head] == after[head]
    assert len(before[head + 1]) == len(after[head + 1]) == len(before[head]) == 100
    end = before[head].index("memory") + len("memory")
    assert before[head + 1][:end].endswith("40.0 MiB") is after[head + 1][:end].endswith("40.0 MiB")
    assert after[head + 1][:end].endswith("MiB")


def test_rates_come_from_two_snapshots():
    before, now = a_snapshot(), copy.deepcopy(a_snapshot())
    now["at"] += 2.0
    now["totals"]["requests"]["GET"] = {"2xx": 380, "5xx": 30}
    now["totals"]["times"]["application"]["counts"][20] += 10
    (line,) = [it for it in plain(picture(now, before, View())) if it.startswith("requests/s")]
    assert line.split() == ["requests/s", "45.0", "failed/s", "5.0", "median", *line.split()[5:]]
    assert "since the start" not in line
    (first,) = [it for it in plain(picture(now, None, View())) if it.startswith("requests/s")]
    assert "requests/s 4.1" in first
    assert "since the start" in first


def test_the_longest_call_is_first_and_the_chosen_one_is_marked():
    lines = plain(picture(a_snapshot(), None, View(chosen=(102, 1))))
    calls = [line for line in lines if "GET /report" in line or "POST /" in line]
    assert calls[0].startswith("  GET /report")
    assert calls[1].startswith("> POST /long")
    assert "..." in calls[1]
    assert len(calls[0]) == len(calls[1]) == 100


def test_workers_are_sorted_by_what_is_asked_for():
    def order(**how: Any) -> list[str]:
        lines = plain(picture(a_snapshot(noted=[]), None, View(**how)))
        return [line.split()[0] for line in lines if " serving " in line]

    assert order() == ["101", "102"]
    assert order(reverse=True) == ["102", "101"]
    assert order(order="b") == ["102", "101"]
    assert order(order="n") == ["102", "101"]
    assert order(order="m") == ["101", "102"]
    assert order(order="a") == ["102", "101"]
    assert order(order="a", reverse=True) == ["101", "102"]


def test_only_what_means_something_has_a_colour():
    lines = picture(a_snapshot(), None, View())
    assert styles_of(lines, "GET /report") == {""}
    assert styles_of(lines, "4.9 s") == {"yellow"}
    assert styles_of(lines, "failed ") == {"red", "dim"}, "the outcome, and the heading"
    assert styles_of(lines, "was killed") == {"red"}
    assert styles_of(lines, "serving") == {"green"}
    crowded = a_snapshot()
    crowded["load"]["queued"] = 5
    assert styles_of(picture(crowded, None, View()), "5  ") == {"yellow"}


def test_a_stack_takes_the_place_of_the_tables_and_shows_its_end():
    stack = "\n".join(f"frame {number}" for number in range(200))
    view = View(height=20, is_live=True, stack=stack)
    lines = plain(picture(a_snapshot(), None, view))
    assert lines[-2] == "frame 199"
    assert len(lines) == 20
    assert lines[-1].startswith("Esc back")


def test_trouble_is_told_at_the_top_and_the_last_figures_stay():
    lines = picture(a_snapshot(), None, View(trouble="no answer", is_live=True, height=24))
    assert styles_of(lines[:1], "no answer") == {"red"}
    assert any("GET /report" in line for line in plain(lines))


def test_bars_can_be_plain():
    lines = plain(picture(a_snapshot(), None, View(bars=("#", "."))))
    assert any("##.." in line for line in lines)
    assert all(line.isascii() for line in lines)
