"""Words lead to a command, errors to one line on standard error and an exit status."""

from __future__ import annotations

import subprocess
import sys

import pytest

from canter.cli import main
from canter.cli.dispatch import COMMANDS
from tests.cli.commands import canter, clean_environment


@pytest.fixture(autouse=True)
def _in_a_directory_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"], ["serve", "-h", "site:app"]])
def test_serve_is_the_default_command(words, capsys):
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("usage: canter [OPTIONS] module:attribute\n")


def test_a_command_s_name_counts_only_as_the_first_word(capsys):
    assert main(["--print-config", "serve"]) == 0
    assert 'wsgi_app = "serve"' in capsys.readouterr().out


def test_every_command_s_module_is_named_after_it():
    names = {name: name.replace("-", "_") for name in COMMANDS}
    names["import"] = "importing"  # a module cannot have a name that Python keeps for itself
    assert {name: module.rpartition(".")[2] for name, module in COMMANDS.items()} == names


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--treads", "4"], 2, "unknown option --treads; did you mean --threads?"),
        (["--threads", "four"], 2, "--threads: 'four' is not a whole number"),
        (["--threads"], 2, "argument --threads: expected one argument"),
        (["-c", "none.toml"], 1, "-c: cannot read none.toml: No such file or directory"),
        (["--threads", "4", "--worker-connections", "2"], 1, "worker_connections (2, option --wor"),
        (["-b", "[::1", "x:y"], 1, "-b: cannot bind to '[::1': an IPv6 address is written [ADD"),
        (["--chdir", "none", "x:y"], 1, "--chdir: cannot change to "),
        ([], 1, "no application is given; name it as module:attribute, as in: canter myproject"),
    ],
)
def test_what_is_wrong_is_one_line_and_a_status(words, status, message, capsys):
    assert main(words) == status
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith(f"canter: error: {message}")
    assert output.err.count("\n") == 1


def test_a_wrong_file_is_told_with_its_line(tmp_path, capsys):
    (tmp_path / "canter.toml").write_text("workers = 2\nthraeds = 4\n")
    assert main(["x:y"]) == 1
    assert capsys.readouterr().err == (
        "canter: error: canter.toml:2: unknown setting thraeds; did you mean threads?\n"
    )


def test_the_module_can_be_run(tmp_path):
    done = canter(tmp_path, "--treads", "4", "site:app")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "canter: error: unknown option --treads; did you mean --threads?\n"


def test_a_reader_that_leaves_early_is_no_traceback(tmp_path):
    command = f"{sys.executable} -m canter --help | true"
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""


def test_closed_standard_streams_are_no_traceback(tmp_path):
    command = f"exec {sys.executable} -m canter --print-config >&- 2>&- <&-"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=clean_environment(), check=False)
    assert done.returncode == 0


def test_an_interrupt_while_starting_is_no_traceback(tmp_path):
    (tmp_path / "gunicorn.conf.py").write_text("raise KeyboardInterrupt")
    done = canter(tmp_path, "site:app")
    assert (done.returncode, done.stderr) == (130, "")
