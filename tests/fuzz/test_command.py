"""The command: replays a kept input, says what is broken, and says when it cannot fuzz."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz import __main__ as command
from fuzz.inputs import harness, write_seeds

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments, path=""):
    places = os.pathsep.join(filter(None, [str(path), str(ROOT / "src"), str(ROOT)]))
    return subprocess.run(
        [sys.executable, "-m", "fuzz", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_kept_input_is_replayed_without_atheris(tmp_path):
    (tmp_path / "atheris.py").write_text("raise ImportError('not here')\n")
    kept = tmp_path / "kept"
    kept.write_bytes(b"\0\0\0\0GET / HTTP/1.1\r\n\r\n")
    ended = run("http1", kept, path=tmp_path)
    assert (ended.returncode, ended.stdout) == (0, f"{kept}: holds\n"), ended.stderr


def test_an_input_that_breaks_the_invariant_is_named_and_fails(tmp_path, capsys):
    kept = tmp_path / "kept"
    kept.write_bytes(b"x")

    def check(data):
        assert data != b"x", "the planted difference"

    broken = harness("http1")._replace(check=check)
    assert command.replay(broken, [str(kept)]) == 1
    said = capsys.readouterr()
    assert f"{kept}: broken: what a peer sends" in said.out
    assert "the planted difference" in said.err


def test_a_file_that_is_not_there_is_a_clear_error(tmp_path, capsys):
    assert command.main(["http1", str(tmp_path / "none")]) == 2
    assert "canter: cannot read " in capsys.readouterr().err


def test_an_unknown_target_is_a_clear_error(capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["http9"])
    assert ended.value.code == 2
    assert "invalid choice: 'http9'" in capsys.readouterr().err


def test_fuzzing_without_atheris_says_what_is_missing_and_fails(tmp_path):
    (tmp_path / "atheris.py").write_text("raise ImportError('no wheel for this one')\n")
    ended = run("http1", "--seconds", 1, "--folder", tmp_path / "out", path=tmp_path)
    assert ended.returncode == 2
    assert "canter: cannot fuzz: atheris is not there for Python 3." in ended.stderr
    assert "no wheel for this one" in ended.stderr
    assert not (tmp_path / "out").exists()


FINDING = """
import os, sys
prefix = [a.partition("=")[2] for a in sys.argv if a.startswith("-artifact_prefix=")][0]
open(prefix + "crash-1", "wb").write(b"x")
os._exit(77)
"""


def test_what_is_found_is_kept_and_told_how_to_replay(tmp_path, monkeypatch, capfd):
    """Whatever ends the fuzzer's process, a crash of the interpreter too."""
    script = tmp_path / "fuzzer.py"
    script.write_text(FINDING)
    start = subprocess.run

    def started(words, **options):
        words = [sys.executable, str(script), *words[3:]]
        return start(words, **options)

    monkeypatch.setattr(command, "missing_atheris", lambda: None)
    monkeypatch.setattr(subprocess, "run", started)
    assert command.fuzz(harness("response"), 1, tmp_path) == 1
    finding = tmp_path / "response" / "findings" / "crash-1"
    assert f"replay: python -m fuzz response {finding}" in capfd.readouterr().out
    assert finding.read_bytes() == b"x"


def test_seeds_become_files_of_their_own(tmp_path):
    target = harness("scan")
    count = write_seeds(target, tmp_path / "corpus")
    files = list((tmp_path / "corpus").iterdir())
    assert len(files) == count > 100
    assert set(target.seeds()) <= {file.read_bytes() for file in files}
