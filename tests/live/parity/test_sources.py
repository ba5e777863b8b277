"""Where the configuration and the application are looked for, and the exit status of mistakes."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.live.parity.sides import APP, Side

if TYPE_CHECKING:
    from pathlib import Path


def threads(side: Side, directory: Path, *words: str, **environment: str) -> int:
    """The number of threads that holds; every file of these tests says another one."""
    number: int = side.settings(directory, *words, environment=environment)["threads"]
    return number


# ---- the configuration file


def test_the_file_of_the_working_directory_is_read_unless_another_is_named(
    side: Side, tmp_path: Path
) -> None:
    (tmp_path / "gunicorn.conf.py").write_text("threads = 2\n")
    (tmp_path / "other.py").write_text("threads = 3\n")
    (tmp_path / "strongest.py").write_text("threads = 4\n")
    assert threads(side, tmp_path) == 2
    arguments = {"GUNICORN_CMD_ARGS": "-c other.py"}
    assert threads(side, tmp_path, **arguments) == 3
    assert threads(side, tmp_path, "-c", "file:strongest.py", **arguments) == 4


def test_chdir_does_not_change_where_the_file_is_looked_for(side: Side, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "gunicorn.conf.py").write_text("threads = 2\n")
    (tmp_path / "sub" / "gunicorn.conf.py").write_text("threads = 3\n")
    assert threads(side, tmp_path, "--chdir", "sub") == 2


def test_a_module_may_be_the_configuration(side: Side, tmp_path: Path) -> None:
    package = tmp_path / "deploy"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "serving.py").write_text("threads = 5\n")
    assert threads(side, tmp_path, "-c", "python:deploy.serving") == 5


def test_another_suffix_is_read_as_python_with_a_warning(side: Side, tmp_path: Path) -> None:
    (tmp_path / "site.conf").write_text("threads = 6\n")
    done = side.run(tmp_path, "-c", "site.conf", "--check-config", APP)
    assert done.status == 0
    assert "xtension" in done.errors or "name ends in neither" in done.errors
    assert threads(side, tmp_path, "-c", "site.conf") == 6


def test_the_file_runs_as_a_module_that_can_be_imported_from(side: Side, tmp_path: Path) -> None:
    lines = [
        "import sys, helper",
        "assert __name__ == '__config__' and __file__.endswith('gunicorn.conf.py')",
        "assert sys.modules['__config__'].helper is helper",
        "my_own = 3",
        "_threads = 9",
        "threads = helper.COUNT",
    ]
    (tmp_path / "gunicorn.conf.py").write_text("\n".join(lines))
    (tmp_path / "helper.py").write_text("COUNT = 7\n")
    assert threads(side, tmp_path) == 7


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("threads = 1 +\n", "gunicorn.conf.py"),
        ("import os\nraise RuntimeError('no database')\n", "no database"),
        ("workers = 'many'\n", "many"),
    ],
)
def test_a_file_that_is_wrong_ends_the_start_with_1_and_is_named(
    side: Side, tmp_path: Path, text: str, told: str
) -> None:
    (tmp_path / "gunicorn.conf.py").write_text(text)
    done = side.run(tmp_path, "--check-config", APP)
    assert done.status == 1
    assert told in done.errors


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["-c", "missing.py"], 1),
        (["--chdir", "missing"], 1),
        (["--no-such-option"], 2),
        (["--workers", "many"], 2),
        (["--backlog"], 2),
    ],
)
def test_a_command_line_that_is_wrong_ends_with(
    side: Side, tmp_path: Path, words: list[str], status: int
) -> None:
    done = side.run(tmp_path, *words, *([] if words[-1] == "--backlog" else [APP]))
    assert done.status == status, done.errors


# ---- the application


@pytest.mark.parametrize(
    "target",
    [
        APP,
        f"{APP}:app",
        f"{APP}:make()",
        f"{APP}:make('hi', times=2)",
    ],
)
def test_an_application_is_named_so(side: Side, tmp_path: Path, target: str) -> None:
    assert side.run(tmp_path, "--check-config", target).status == 0


def test_an_application_may_be_named_in_the_file(side: Side, tmp_path: Path) -> None:
    (tmp_path / "gunicorn.conf.py").write_text(f"wsgi_app = '{APP}:app'\n")
    assert side.run(tmp_path, "--check-config").status == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "application"),
        (["no_such_module"], "no_such_module"),
        ([f"{APP}:no_such_name"], "no_such_name"),
        ([f"{APP}:not_callable"], "callable"),
        ([f"{APP}:make(__import__('os'))"], "literal"),
    ],
)
def test_a_check_of_what_cannot_be_served_ends_with_1(
    side: Side, tmp_path: Path, words: list[str], told: str
) -> None:
    done = side.run(tmp_path, "--check-config", *words)
    assert done.status == 1, done.errors
    assert told in done.errors


@pytest.mark.parametrize(
    ("target", "status"), [("no_such_module:app", 3), (f"{APP}:no_such_name", 4)]
)
def test_a_start_of_what_cannot_be_served_ends_with(
    side: Side, tmp_path: Path, target: str, status: int
) -> None:
    done = side.run(tmp_path, "--bind", "127.0.0.1:0", target)
    assert done.status == status, done.errors


def test_an_address_that_is_taken_ends_the_start_with_1(side: Side, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        done = side.run(tmp_path, "--bind", address, APP)
    assert done.status == 1
    assert address in done.errors or "127.0.0.1" in done.errors


def test_a_paste_file_names_the_application(side: Side, tmp_path: Path) -> None:
    text = f"[app:site]\npaste.app_factory = {APP}:make_with_paste\n"
    (tmp_path / "site.ini").write_text(text)
    words = ("--paste", "site.ini#site", "--paste-global", "greeting=hi")
    assert side.run(tmp_path, "--check-config", *words).status == 0
    assert side.run(tmp_path, "--check-config", "--paste", "missing.ini").status == 1


def test_a_path_of_a_file_gets_a_hint(side: Side, tmp_path: Path) -> None:
    (tmp_path / "site_app.py").write_text("application = print\n")
    done = side.run(tmp_path, "--bind", "127.0.0.1:0", "site_app.py")
    assert done.status == 3, done.errors
    assert "did you mean" in done.errors.lower()
    assert "site_app:" in done.errors
