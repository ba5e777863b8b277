"""--check-config rehearses a start: settings and application, without serving."""

from __future__ import annotations

import re

import pytest

from tests.cli.commands import canter

APPLICATION = """\
import os

def application(environ, start_response):
    start_response("204 No Content", [])
    return []

def from_environment():
    return {"yes": application}[os.environ["READY"]]
"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "site_app.py").write_text(APPLICATION)
    return tmp_path


@pytest.mark.parametrize("path", ["site_app", "site_app:application"])
def test_what_can_be_served_is_status_0_and_says_which_core(site, path):
    done = canter(site, "--check-config", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(
        rf"canter .*\(.*, (compiled|plain) core\): the configuration is right and {path} can be "
        r"served\n",
        done.stdout,
    )


def test_the_application_is_imported_with_the_variables_of_raw_env(site):
    path = "site_app:from_environment()"
    assert canter(site, "--check-config", "-e", "READY=yes", path).returncode == 0
    assert canter(site, "--check-config", path).returncode == 1


def test_the_application_is_imported_from_the_directory_of_chdir(site):
    (site / "elsewhere").mkdir()
    assert canter(site / "elsewhere", "--check-config", "--chdir", "..", "site_app").returncode == 0


def test_the_application_is_imported_from_pythonpath(site):
    (site / "elsewhere").mkdir()
    directory = site / "elsewhere"
    assert canter(directory, "--check-config", "site_app").returncode == 1
    assert canter(directory, "--check-config", "--pythonpath", "..", "site_app").returncode == 0


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("no_such_module", 1, "there is no module 'no_such_module'"),
        ("site_app:nothing", 1, "'site_app' has no 'nothing'"),
        ("site_app:__name__", 1, "'site_app:__name__' is not callable"),
        ("site_app.py", 1, "did you mean 'site_app:application'?"),
    ],
)
def test_what_cannot_be_served_is_one_message_and_its_status(site, path, status, message):
    done = canter(site, "--check-config", path)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith("canter: error: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_application_that_fails_is_shown_with_its_own_traceback(site):
    (site / "broken.py").write_text("def fail():\n    1 / 0\n\nfail()\n")
    done = canter(site, "--check-config", "broken")
    assert done.returncode == 1
    assert 'broken.py", line 2, in fail' in done.stderr
    assert "site-packages" not in done.stderr
    assert "importlib" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("canter: error: cannot import 'broken': ZeroDivisionError")


def test_settings_are_checked_before_the_application(site):
    done = canter(site, "--check-config", "--tmp-upload-dir", "none", "no_such_module")
    assert done.returncode == 1
    assert done.stderr == "canter: error: --tmp-upload-dir: none is not a directory\n"


def test_print_config_and_check_config_go_together(site):
    done = canter(site, "--print-config", "--check-config", "site_app")
    assert done.returncode == 0
    assert done.stdout.startswith("# Application\n")
    assert done.stdout.endswith("site_app can be served\n")
