"""Builds canter from a source tree into a directory of its own, so that a run measures one thing.

The tree itself is left as it is: neither stale extension modules in it are measured nor new ones
left behind.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

BUILD_WITHIN_SECONDS = 600
BUILD_INPUTS = ("setup.py", "pyproject.toml", "README.md", "LICENSE")
_ASK_BUILD = "from canter.extensions import build; print(build())"


class BuildError(Exception):
    """The tree cannot be built or run; the message is one line."""


@dataclass(frozen=True, slots=True)
class Build:
    """`path` is what PYTHONPATH needs; `core` what runs without further asking."""

    path: Path
    core: str


def copy_sources(repository: Path, directory: Path) -> None:
    """Copy what a build needs, without anything that has been built before."""
    built = shutil.ignore_patterns("*.so", "*.c", "__pycache__", "*.egg-info")
    shutil.copytree(repository / "src", directory / "src", ignore=built)
    for name in BUILD_INPUTS:
        if (repository / name).exists():
            shutil.copy2(repository / name, directory / name)


def build(python: Path, repository: Path, directory: Path) -> Build:
    """Copy `repository` into `directory` and build its extension modules there in place.

    Raises BuildError if not even the plain build runs.
    """
    copy_sources(repository, directory)
    if (directory / "setup.py").exists():
        subprocess.run(
            [str(python), "setup.py", "--quiet", "build_ext", "--inplace"],
            cwd=directory,
            capture_output=True,
            check=False,  # the core that runs is asked for below
            timeout=BUILD_WITHIN_SECONDS,
        )
    asked = subprocess.run(
        [str(python), "-c", _ASK_BUILD],
        cwd=directory / "src",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if asked.returncode != 0:
        raise BuildError(f"canter cannot be imported: {asked.stderr.strip().splitlines()[-1:]}")
    return Build(directory / "src", asked.stdout.strip())


def unpack_last_commit(repository: Path, directory: Path) -> None:
    """The last commit's tree into `directory`; the repository and its index stay as they are.

    Raises BuildError where there is no commit.
    """
    archive = subprocess.run(
        ["git", "-C", str(repository), "archive", "--format=tar", "HEAD"],
        capture_output=True,
        check=False,
        timeout=120,
    )
    if archive.returncode != 0:
        raise BuildError(
            f"no last commit: {archive.stderr.decode(errors='replace').strip()[-200:]}"
        )
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(directory, filter="data")
