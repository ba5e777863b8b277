"""Completion scripts: made from the declarations, and shells understand them."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from canter.settings.completion import SHELLS, completion_script
from canter.settings.registry import SETTINGS

COMMANDS = ["serve", "check", "status"]
BASH = shutil.which("bash")


def completed(*words):
    script = completion_script("bash", COMMANDS) + (
        f"COMP_WORDS=(canter {' '.join(words)}); COMP_CWORD={len(words)}; _canter;"
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        [str(BASH), "--norc", "-c", script], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.mark.skipif(BASH is None, reason="bash is not installed")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--max-requests-"], ["--max-requests-jitter"]),
        (["--log-level", "d"], ["debug"]),
        (["-k", "''"], ["threads", "gevent"]),
        (["st"], ["status"]),
        (["--no-rel"], ["--no-reload"]),
        (["--workers", "''"], []),
    ],
)
def test_bash_completes_options_values_and_commands(words, found):
    assert completed(*words) == found


@pytest.mark.parametrize("shell", SHELLS)
def test_every_option_and_command_is_in_every_script(shell):
    script = completion_script(shell, COMMANDS)
    flags = [flag for setting in SETTINGS.values() for flag in setting.flags]
    for word in [*COMMANDS, *(flag.lstrip("-") for flag in flags)]:
        assert word in script, word


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_itself_finds_nothing_wrong_with_its_script(shell, tmp_path):
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(completion_script(shell, COMMANDS))
    subprocess.run([program, "-n", str(script)], check=True)
