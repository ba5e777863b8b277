"""`canter import`, as it is typed."""

from __future__ import annotations

import pytest

from tests.cli.commands import canter


def test_what_it_prints_can_be_used_at_once(tmp_path):
    (tmp_path / "site.ini").write_text(
        "[uwsgi]\nmodule = site_app\nthreads = 4\nplugin = python3\n"
    )
    done = canter(tmp_path, "import", "uwsgi", "site.ini")
    assert done.returncode == 0, done.stderr
    (tmp_path / "canter.toml").write_text(done.stdout)
    printed = canter(tmp_path, "--print-config").stdout
    assert "threads = 4" in printed
    assert 'wsgi_app = "site_app:application"' in printed


def test_gunicorn_s_file_is_run_as_at_a_start(tmp_path):
    (tmp_path / "ours.py").write_text("COUNT = 3\n")
    (tmp_path / "site.py").write_text("import ours\nworkers = ours.COUNT\n")
    assert canter(tmp_path, "import", "gunicorn", "site.py").stdout == "workers = 3\n"


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["import", "apache", "x"], 2, "usage: canter import"),
        (["import", "uwsgi"], 2, "usage: canter import"),
        (["import", "uwsgi", "missing.ini"], 1, "cannot read missing.ini"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(tmp_path, words, status, told):
    done = canter(tmp_path, *words)
    assert done.returncode == status
    assert told in done.stderr
