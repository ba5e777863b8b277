"""The environment of the comparison: the peers' virtual environment, the clients, canter's builds.

A peer that cannot be installed is left out with the reason; without a C compiler, wrk or taskset
there is nothing to measure with, and EnvironmentIncompleteError says what to install.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.machine import installed
from benchmarks.sides import Side, Tools

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
REQUIREMENTS = HERE / "requirements.txt"
INSTALL_WITHIN_SECONDS = 900
BUILDERS = ("Cython", "setuptools")  # what canter's own build needs
COMPILE_FLAGS = ("-O2", "-Wall", "-Wextra")


class EnvironmentIncompleteError(Exception):
    """Something without which nothing can be measured is missing; the message says what to do."""


def kept_builds(venv: Path) -> Path:
    """Where canter's builds are kept: beside what built them."""
    return venv.absolute() / "canter-builds"


def requirements(text: str) -> list[str]:
    """The requirement lines of a requirements file, comments and blank lines apart."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def prepare_venv(
    directory: Path, say: Callable[[str], None], only: Sequence[str] = ()
) -> tuple[Path, dict[str, str]]:
    """Make or complete the peers' environment, with `only` these distributions if any are named.

    Returns its Python, and for each requirement that could not be installed the reason.
    """
    python = directory / "bin" / "python"
    if not python.exists():
        subprocess.run(
            [sys.executable, "-m", "venv", str(directory)],
            check=True,
            timeout=INSTALL_WITHIN_SECONDS,
        )
    wanted = requirements(REQUIREMENTS.read_text(encoding="utf-8"))
    if only:
        wanted = [line for line in wanted if line.partition("==")[0] in only]
    names = [requirement.partition("==")[0] for requirement in wanted]
    present = {f"{name}=={version}" for name, version in installed(python, names).items()}
    failed = {}
    for requirement in wanted:
        if requirement in present:
            continue
        say(f"installing {requirement}")
        if reason := _install(python, requirement):
            failed[requirement] = reason
    return python.absolute(), failed


def _install(python: Path, requirement: str) -> str | None:
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            [*command, requirement],
            capture_output=True,
            text=True,
            check=False,
            timeout=INSTALL_WITHIN_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"not installed within {INSTALL_WITHIN_SECONDS} s"
    return None if done.returncode == 0 else failure_reason(done.stderr)


def failure_reason(output: str) -> str:
    """The line of pip's or a compiler's output that says most about why it failed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for mark in ("fatal error:", "error:", "ERROR:"):
        for line in lines:
            if mark in line:
                return line[-200:]
    return lines[-1][-200:] if lines else "no reason given"


def _program(name: str, package: str) -> Path:
    found = shutil.which(name)
    if found is None:
        raise EnvironmentIncompleteError(f"{name} is not installed (Debian's package: {package})")
    return Path(found)


def prepare_tools(python: Path, directory: Path) -> Tools:
    """Compile the C programs into `directory` and find the others."""
    compiler = _program(os.environ.get("CC", "cc"), "gcc")
    _program("taskset", "util-linux")
    built = {}
    for name in ("floor", "pace"):
        target = directory / name
        source = str(HERE / f"{name}.c")
        done = subprocess.run(
            [str(compiler), *COMPILE_FLAGS, "-o", str(target), source, "-lm"],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode != 0:
            raise EnvironmentIncompleteError(f"{name}.c: {failure_reason(done.stderr)}")
        built[name] = target
    return Tools(python, _program("wrk", "wrk"), built["floor"], built["pace"])


def make_certificate(directory: Path) -> None:
    """A certificate and its key for this run: certificate.pem and key.pem."""
    command = [str(_program("openssl", "openssl")), "req", "-x509", "-nodes", "-days", "2"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(directory / "key.pem"), "-out", str(directory / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def present_sides(sides: list[Side], versions: dict[str, str]) -> tuple[list[Side], dict[str, str]]:
    """The sides whose distributions are installed, and for each other one what it lacks."""
    present, left_out = [], {}
    for side in sides:
        lacking = [name for name in side.distributions if name not in versions]
        if lacking:
            left_out[side.label] = f"not installed: {', '.join(lacking)}"
        else:
            present.append(side)
    return present, left_out


def two_cores() -> tuple[int, int]:
    """A core for the server and another for the client."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise EnvironmentIncompleteError("two processor cores are needed: server and client apart")
    return cores[0], cores[1]
