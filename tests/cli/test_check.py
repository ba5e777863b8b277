"""`canter check`: verdicts and mistakes, for a person and for a program."""

from __future__ import annotations

import json

import pytest

from tests.cli.commands import canter


@pytest.fixture
def directory(tmp_path):
    lines = ["timeout = 30", "spew = True", "max_requests = 100"]
    (tmp_path / "gunicorn.conf.py").write_text("\n".join(lines))
    return tmp_path


def test_it_prints_a_verdict_for_each_line_and_the_mistakes(directory):
    done = canter(directory, "check")
    assert done.returncode == 0, done.stderr
    assert "timeout = 30" in done.stdout
    assert "[gunicorn.conf.py:1]" in done.stdout
    assert "without effect" in done.stdout
    assert "- max_requests: without max_requests_jitter" in done.stdout
    assert done.stdout.endswith("1 the same, 1 better, 1 without effect; 1 mistake\n")


def test_what_would_not_work_ends_with_1(directory):
    assert canter(directory, "check", "--", "-k", "tornado").returncode == 1
    done = canter(directory, "check", "-c", "missing.py")
    assert done.returncode == 1
    assert "cannot read missing.py" in done.stdout


def test_it_prints_json_for_a_program(directory):
    done = canter(directory, "check", "--json", "site:app", "--", "--threads", "4")
    report = json.loads(done.stdout)
    assert report["ok"] is True
    assert [it["name"] for it in report["verdicts"]] == [
        "timeout",
        "spew",
        "max_requests",
        "threads",
    ]
    assert report["verdicts"][0]["verdict"] == "better"
    assert report["mistakes"][0]["place"] == "gunicorn.conf.py:3"


def test_it_does_not_import_the_application(directory):
    (directory / "site_app.py").write_text("raise SystemExit('imported')")
    assert canter(directory, "check", "site_app").returncode == 0
