"""`canter config` and `canter completion`, as they are typed."""

from __future__ import annotations

import json

import pytest

from tests.cli.commands import ROOT, canter


def test_explain_tells_where_a_value_came_from_and_what_was_lost(tmp_path):
    (tmp_path / "gunicorn.conf.py").write_text("timeout = 60\n")
    done = canter(tmp_path, "config", "explain", "--timeout", "-t", "90")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(
        "timeout = 90s\n  from option -t\n  lost: 60 from gunicorn.conf.py:1\n  default: 30s\n"
    )
    told = json.loads(canter(tmp_path, "config", "explain", "timeout", "--json").stdout)
    assert (told["value"], told["source"]) == ("60s", "gunicorn.conf.py:1")


def test_schema_prints_the_committed_schema(tmp_path):
    committed = (ROOT / "docs" / "canter.schema.json").read_text(encoding="utf-8")
    assert canter(tmp_path, "config", "schema").stdout == committed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_with_every_command(tmp_path, shell):
    script = canter(tmp_path, "completion", shell).stdout
    assert "log-level" in script
    assert "completion" in script


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["config", "frobnicate"], "frobnicate is none of explain, diff, schema"),
        (["config", "explain"], "name a setting"),
        (["completion", "tcsh"], "name one shell: bash, zsh, fish"),
    ],
)
def test_what_cannot_be_understood_ends_with_2(tmp_path, words, told):
    done = canter(tmp_path, *words)
    assert done.returncode == 2
    assert told in done.stderr
