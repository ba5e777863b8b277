"""The matrix: every Python found from 3.11 up, with the compiled core and with the plain one.

    nox -l                   what there is
    nox -s tests-3.12        both builds on one Python
    nox -s lint coverage

A Python that is not on this machine is skipped, and nox says so.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import nox

OLDEST = (3, 11)
PROMISED = (13,)  # the newest minor version that has to pass; anything newer found is run too
NEWER = range(PROMISED[0] + 1, PROMISED[0] + 8)

nox.options.default_venv_backend = "venv"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["tests", "wheel", "lint", "coverage"]


def _runs(minor: int) -> bool:
    """Tell whether Python 3.`minor` is on PATH and starts (a version manager's shim may not)."""
    path = shutil.which(f"python3.{minor}")
    if path is None:
        return False
    return subprocess.run([path, "-c", ""], check=False, capture_output=True).returncode == 0


PYTHONS = [f"3.{minor}" for minor in range(OLDEST[1], PROMISED[0] + 1)]
PYTHONS += [f"3.{minor}" for minor in NEWER if _runs(minor)]


@nox.session(python=PYTHONS)
@nox.parametrize("core", ["compiled", "plain"])
def tests(session: nox.Session, core: str) -> None:
    """Run the whole suite on one Python and one build of the core."""
    extensions = "require" if core == "compiled" else "off"
    session.env["CANTER_EXTENSIONS"] = extensions
    session.install("--editable", ".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=PYTHONS[0])
def wheel(session: nox.Session) -> None:
    """Build the wheel, install it away from the sources and run all but the live tests on it."""
    out = session.create_tmp()
    session.run("python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, ".")
    wheels = [os.path.join(out, name) for name in os.listdir(out) if name.endswith(".whl")]
    session.install(f"canter[test] @ file://{os.path.abspath(wheels[0])}")
    session.run("canter", "--version")
    session.run("python", "-m", "pytest", "--override-ini=pythonpath=.", "--ignore=tests/live")


@nox.session(python=PYTHONS[0])
def lint(session: nox.Session) -> None:
    """Formatting, lint, types and the import contracts."""
    session.install("--editable", ".[dev]")
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")
    session.run("mypy")
    session.run("lint-imports")


@nox.session(python=PYTHONS[0])
def coverage(session: nox.Session) -> None:
    """Branch coverage of the plain core, held against the floors in pyproject.toml."""
    session.env["CANTER_EXTENSIONS"] = "off"
    session.install("--editable", ".[test]")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "json", "--quiet", "-o", "coverage.json")
    session.run("python", "tools/coverage_floors.py", "coverage.json")


@nox.session(python=PYTHONS[0])
def sanitize(session: nox.Session) -> None:
    """The compiled core's tests under AddressSanitizer and UndefinedBehaviorSanitizer (gcc)."""
    session.env["CANTER_EXTENSIONS"] = "off"  # what is instrumented is built by the command
    session.install("--editable", ".[test]", "Cython>=3.1,<4")
    session.run("python", "-m", "fuzz.sanitize", *session.posargs)


@nox.session(python=PYTHONS[0])
def leaks(session: nox.Session) -> None:
    """A million requests through the compiled core, and what the process holds stays flat."""
    session.env["CANTER_EXTENSIONS"] = "require"
    session.install("--editable", ".[test]")
    session.run("python", "-m", "fuzz.leaks", *session.posargs)
