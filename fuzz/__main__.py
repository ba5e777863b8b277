"""The command: fuzz a target for a while, or replay inputs that were kept.

    python -m fuzz http1 --seconds 30      fuzz; needs the extra `fuzz` (atheris)
    python -m fuzz http1 FILE...           replay; needs nothing

The status is 0 if nothing was found, 1 if something was, 2 if it could not be tried.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from canter import extensions
from fuzz.inputs import TARGETS, Harness, harness, write_seeds

ROOT = Path(__file__).resolve().parents[1]
_MAXIMUM_BYTES = 4096
# One input takes a few milliseconds; on a busy machine a hundred times that is still no hang.
_HANG_SECONDS = 20


def replay(target: Harness, files: Sequence[str]) -> int:
    """Check kept inputs, each with its traceback where the invariant breaks; the exit status."""
    status = 0
    for file in files:
        try:
            data = Path(file).read_bytes()
        except OSError as error:
            print(f"canter: cannot read {file}: {error.strerror}", file=sys.stderr)
            return 2
        try:
            target.check(data)
        except Exception:  # noqa: BLE001 - whatever escapes breaks the invariant
            traceback.print_exc()
            print(f"{file}: broken: {target.invariant}")
            status = 1
        else:
            print(f"{file}: holds")
    return status


def missing_atheris() -> str | None:
    """Why atheris cannot be used, or None. Asked of the interpreter that is going to run it."""
    tried = subprocess.run(
        [sys.executable, "-c", "import atheris"], check=False, capture_output=True, text=True
    )
    if tried.returncode == 0:
        return None
    last = tried.stderr.strip().splitlines()[-1:] or [f"status {tried.returncode}"]
    return (
        f"atheris is not there for Python {sys.version_info[0]}.{sys.version_info[1]} ({last[0]}); "
        "pip install 'canter[fuzz]', on a Python that atheris has a wheel for"
    )


def fuzz(target: Harness, seconds: int, folder: Path) -> int:
    """Fuzz for so long; findings are kept and told how to replay. The exit status."""
    missing = missing_atheris()
    if missing is not None:
        print(f"canter: cannot fuzz: {missing}", file=sys.stderr)
        return 2
    corpus = folder / target.name / "corpus"
    findings = folder / target.name / "findings"
    findings.mkdir(parents=True, exist_ok=True)
    known = set(findings.iterdir())
    count = write_seeds(target, corpus)
    print(f"canter: {count} inputs to begin with; the core is {extensions.build()}", flush=True)
    command = [sys.executable, "-m", "fuzz.guided", target.name, f"-max_total_time={seconds}"]
    options = [f"-max_len={_MAXIMUM_BYTES}", f"-timeout={_HANG_SECONDS}", "-print_final_stats=1"]
    ended = subprocess.run(
        [*command, *options, f"-artifact_prefix={findings}/", str(corpus)], cwd=ROOT, check=False
    )
    found = sorted(set(findings.iterdir()) - known)
    for finding in found:
        print(f"canter: a finding: {finding}\n  replay: python -m fuzz {target.name} {finding}")
    if not found and ended.returncode == 0:
        print(f"canter: {target.name}: nothing found")
    return 1 if found or ended.returncode else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Fuzz canter's core.")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("files", nargs="*", metavar="FILE", help="inputs to replay")
    parser.add_argument("--seconds", type=int, default=30, help="how long to fuzz")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "build" / "fuzz", help="where inputs are kept"
    )
    told = parser.parse_args(arguments)
    target = harness(told.target)
    if told.files:
        return replay(target, told.files)
    return fuzz(target, told.seconds, told.folder.resolve())


if __name__ == "__main__":
    sys.exit(main())
