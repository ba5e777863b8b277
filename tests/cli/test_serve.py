"""What the command shows without serving."""

from __future__ import annotations

import platform
import re

import canter as package
from tests.cli.commands import canter


def test_the_version_says_what_runs(tmp_path):
    done = canter(tmp_path, "--version")
    expected = rf"canter {re.escape(package.__version__)} \(CPython {platform.python_version()}, "
    assert done.returncode == 0
    assert re.fullmatch(expected + r"(compiled|plain) core\)\n", done.stdout)


def test_the_plain_core_says_so(tmp_path):
    done = canter(tmp_path, "--version", CANTER_EXTENSIONS="off")
    assert "plain core" in done.stdout


def test_an_unknown_core_is_an_error_before_anything_starts(tmp_path):
    done = canter(tmp_path, "site:app", CANTER_EXTENSIONS="sometimes")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "canter: error: CANTER_EXTENSIONS must be one of auto, off, require, not 'sometimes'\n"
    )


def test_the_core_that_is_asked_for_is_settled_before_any_of_it_is_imported(tmp_path):
    program = """if True:
        import sys
        from canter.cli.launch import Launch
        early = [name for name in sys.modules if name.startswith(("canter.protocol", "canter.eng"))]
        print(early, "canter.extensions" in sys.modules)
    """
    assert canter(tmp_path, python=("-c", program)).stdout == "[] True\n"


def test_print_config_shows_values_and_their_sources_and_leaves(tmp_path):
    (tmp_path / "canter.toml").write_text("# ours\nworkers = 3\n")
    done = canter(
        tmp_path,
        "--print-config",
        "--threads",
        "4",
        "site:app",
        CANTER_TIMEOUT="2m",
        GUNICORN_CMD_ARGS="--keep-alive 5",
        PORT="9000",
    )
    assert (done.returncode, done.stderr) == (0, "")
    shown = re.findall(r"^(\w+) = (.*?) +# (.*)$", done.stdout, re.MULTILINE)
    assert [line for line in shown if line[2] != "default"] == [
        ("wsgi_app", '"site:app"', "command line"),
        ("bind", '["0.0.0.0:9000"]', "env PORT"),
        ("workers", "3", "canter.toml:2"),
        ("threads", "4", "option --threads"),
        ("timeout", "120", "env CANTER_TIMEOUT"),
        ("keepalive", "5", "env GUNICORN_CMD_ARGS --keep-alive"),
    ]


def test_print_config_needs_no_application(tmp_path):
    assert canter(tmp_path, "--print-config").returncode == 0


def test_a_gunicorn_start_command_is_understood_and_the_rest_is_named(tmp_path):
    (tmp_path / "gunicorn.conf.py").write_text(
        "workers = 2\n\ndef dirty_post_fork(arbiter, worker): pass\n"
    )
    done = canter(
        tmp_path, "-k", "gthread", "--threads=8", "--worker-tmp-dir=/x", "--print-config", "site"
    )
    assert done.returncode == 0
    assert done.stderr == (
        "canter: warning: gunicorn.conf.py:3: the hook dirty_post_fork is not called by canter\n"
        "canter: warning: --worker-tmp-dir: Gunicorn's worker_tmp_dir has no effect: "
        "canter keeps no heartbeat file\n"
    )


def test_a_configuration_in_python_may_import_from_the_project(tmp_path):
    (tmp_path / "project.py").write_text("THREADS = 5\n")
    (tmp_path / "gunicorn.conf.py").write_text("import project\nthreads = project.THREADS\n")
    done = canter(tmp_path, "--print-config")
    assert re.search(r"^threads = 5 +# gunicorn\.conf\.py:2$", done.stdout, re.MULTILINE)


def test_who_names_no_application_is_shown_a_likely_one(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/wsgi.py").touch()
    done = canter(tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "canter: error: no application is given; "
        "name it as module:attribute, as in: canter shop.wsgi\n"
    )
