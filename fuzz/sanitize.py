"""The compiled core under AddressSanitizer and UndefinedBehaviorSanitizer.

`python -m fuzz.sanitize [--in FOLDER] [TESTS...]` copies the project, compiles the core of the copy
with both sanitizers, and runs the tests of what is compiled against it. It fails if a test fails or
anything is reported, by whichever process of the run. Needs gcc, Cython and the extra `test`.

Python itself is not instrumented, so its objects come from malloc here (PYTHONMALLOC), whose blocks
the sanitizer does watch, and leaks are not looked for: an interpreter that ends frees little.
`leaks` looks for those.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = ("tests/protocol", "tests/wsgi", "tests/engine", "tests/observe")
FLAGS = "-fsanitize=address,undefined -fno-omit-frame-pointer -g1"
# The standard error of what was run, and what a report in it contains.
ERRORS = "stderr"
UNDEFINED = ": runtime error: "
# What is made, and what belongs to the copy alone.
LEFT_OUT = shutil.ignore_patterns(
    ".*", "build", "dist", "__pycache__", "*.egg-info", "*.so", "*.c", "*.pyc"
)

# Reads a byte behind a block that malloc gave, and shifts further than an int is wide.
PLANTED = """
#include <stdlib.h>
int past_the_end(int n) { volatile char *b = malloc(n); int r = b[n]; free((void *)b); return r; }
int too_far(int n) { return 1 << n; }
"""
CONTROL = """
import ctypes, sys
planted = ctypes.CDLL(sys.argv[1])
planted.too_far(40)
planted.past_the_end(8)
"""


class NotBuilt(Exception):
    """The sanitizers cannot be used here; the message says why."""


def compiler() -> str:
    """The C compiler, as the build calls it."""
    return os.environ.get("CC", "gcc")


def runtime(name: str) -> str:
    """The path of one of the compiler's own libraries; raises NotBuilt where it has none."""
    try:
        asked = subprocess.run(
            [compiler(), f"-print-file-name={name}"], check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotBuilt(f"{compiler()} cannot be asked for {name}: {error}") from None
    path = asked.stdout.strip()
    if not os.path.isabs(path):
        raise NotBuilt(f"{compiler()} has no {name}; gcc's package of it may be missing")
    return path


def environment(tree: Path, reports: Path) -> dict[str, str]:
    """What a Python must be started with to run instrumented modules.

    AddressSanitizer reports to files. The other one has its own idea of its output beside it, and
    writes to the standard error, whatever it is told.
    """
    return {
        **os.environ,
        "LD_PRELOAD": f"{runtime('libasan.so')} {runtime('libubsan.so')}",
        "ASAN_OPTIONS": f"detect_leaks=0:log_path={reports}/report",
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONMALLOC": "malloc",
        "PYTHONPATH": f"{tree / 'src'}{os.pathsep}{tree}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "CANTER_EXTENSIONS": "require",
    }


def build(tree: Path) -> None:
    """Copy the project to `tree` and compile the core there; a build that is there is kept."""
    shutil.copytree(ROOT, tree, ignore=LEFT_OUT, dirs_exist_ok=True)
    built = {**os.environ, "CFLAGS": FLAGS, "LDFLAGS": FLAGS, "CANTER_EXTENSIONS": "require"}
    jobs = f"--parallel={os.cpu_count() or 1}"
    subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace", jobs],
        cwd=tree,
        env=built,
        check=True,
    )


def prove_watchful(tree: Path) -> None:
    """Let both sanitizers find what was planted for them; raises NotBuilt if one does not."""
    reports = tree / "control"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir()
    library = reports / "planted.so"
    subprocess.run(
        [compiler(), *FLAGS.split(), "-shared", "-fPIC", "-xc", "-", "-o", str(library)],
        input=PLANTED.encode(),
        check=True,
    )
    watched(tree, reports, ["-c", CONTROL, str(library)])
    said = written(reports)
    for expected in ("heap-buffer-overflow", "shift exponent"):
        if expected not in said:
            raise NotBuilt(f"a planted {expected} was not reported; what was: {said or 'nothing'}")


def watched(tree: Path, reports: Path, arguments: Sequence[str]) -> int:
    """Run Python on the instrumented modules; its status. Its standard error is kept too."""
    with (reports / ERRORS).open("wb") as errors:
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=tree,
            env=environment(tree, reports),
            stderr=errors,
            check=False,
        ).returncode


def written(reports: Path) -> str:
    """All reports, one after the other; "" for none."""
    said = [file.read_text(errors="backslashreplace") for file in sorted(reports.glob("report*"))]
    errors = (reports / ERRORS).read_text(errors="backslashreplace")
    if UNDEFINED in errors:
        said.append(errors)
    return "\n".join(said)


def run_tests(tree: Path, tests: Sequence[str]) -> int:
    """Run pytest in the copy; its status."""
    reports = tree / "reports"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir()
    # What C writes to the standard error passes `--capture=sys` and is seen.
    options = ["-q", "-p", "no:cacheprovider", "--timeout=900", "--capture=sys"]
    return watched(tree, reports, ["-m", "pytest", *options, *tests])


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, prove, test, report; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m fuzz.sanitize", description=__doc__)
    parser.add_argument("--in", dest="folder", type=Path, help="keep the copy in this folder")
    parser.add_argument("tests", nargs="*", help=f"for pytest; default: {' '.join(TESTS)}")
    told = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="canter-sanitize-") as temporary:
        tree = (told.folder or Path(temporary)).resolve() / "canter"
        try:
            build(tree)
            prove_watchful(tree)
        except (NotBuilt, subprocess.CalledProcessError) as error:
            print(f"canter: not sanitized: {error}", file=sys.stderr)
            return 2
        tests = told.tests or [name for name in TESTS if (tree / name).exists()]
        status = run_tests(tree, tests)
        said = written(tree / "reports")
    print(said or "canter: the sanitizers report nothing")
    if status:
        print(f"canter: the tests did not pass (status {status})")
    return 1 if said else status


if __name__ == "__main__":
    sys.exit(main())
