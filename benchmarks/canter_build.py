"""Builds canter from a source tree, apart from the tree, so that a run measures one known thing.

Neither stale extension modules in the tree are measured nor new ones left there. Builds are kept by
what their sources say, so that the last commit is compiled once and not for each change beside it.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BUILD_WITHIN_SECONDS = 1200
KEPT_BUILDS = 4
BUILD_INPUTS = ("setup.py", "pyproject.toml", "README.md", "LICENSE")
BUILT_SUFFIXES = frozenset({".so", ".c", ".pyc"})
_ASK_BUILD = "from canter.extensions import build; print(build())"


class BuildError(Exception):
    """The tree cannot be built or run; the message is one line."""


@dataclass(frozen=True, slots=True)
class Build:
    """`path` is what PYTHONPATH needs; `core` what runs without further asking."""

    path: Path
    core: str


def source_files(repository: Path) -> Iterator[Path]:
    """What a build is made from, without anything that has been built; paths in the repository."""
    for name in BUILD_INPUTS:
        if (repository / name).is_file():
            yield Path(name)
    for path in sorted((repository / "src").rglob("*")):
        if path.is_file() and path.suffix not in BUILT_SUFFIXES:
            yield path.relative_to(repository)


def digest_of(repository: Path) -> str:
    """A name for what the sources say: equal for equal trees, wherever they are."""
    digest = hashlib.sha256()
    for path in source_files(repository):
        content = (repository / path).read_bytes()
        digest.update(f"{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def build(python: Path, repository: Path, kept: Path) -> Build:
    """The build of this tree: one of those in the directory `kept`, or a new one put there.

    Raises BuildError if not even the plain build runs.
    """
    kept.mkdir(parents=True, exist_ok=True)
    place = kept / digest_of(repository)
    if place.exists():
        os.utime(place)
        return _build_in(python, place)
    with tempfile.TemporaryDirectory(dir=kept) as name:
        fresh = Path(name) / "tree"
        for path in source_files(repository):
            (fresh / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(repository / path, fresh / path)
        _compile(python, fresh)
        _build_in(python, fresh)
        fresh.rename(place)
    _forget_old(kept)
    return _build_in(python, place)


def _compile(python: Path, tree: Path) -> None:
    if not (tree / "setup.py").exists():
        return
    jobs = str(os.cpu_count() or 1)
    try:
        subprocess.run(
            [str(python), "setup.py", "--quiet", "build_ext", "--inplace", "--parallel", jobs],
            cwd=tree,
            capture_output=True,
            check=False,  # the core that runs is asked for afterwards
            timeout=BUILD_WITHIN_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"not built within {BUILD_WITHIN_SECONDS} s") from error
    shutil.rmtree(tree / "build", ignore_errors=True)
    _write_byte_code(python, tree)


def _write_byte_code(python: Path, tree: Path) -> None:
    """As pip does for the peers; the environment may keep Python from doing it by itself."""
    subprocess.run(
        [str(python), "-m", "compileall", "-q", str(tree / "src")],
        capture_output=True,
        check=False,  # without it canter only starts more slowly
        timeout=BUILD_WITHIN_SECONDS,
    )


def _build_in(python: Path, tree: Path) -> Build:
    asked = subprocess.run(
        [str(python), "-c", _ASK_BUILD],
        cwd=tree / "src",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if asked.returncode != 0:
        said = asked.stderr.strip().splitlines()
        raise BuildError(f"canter cannot be imported: {said[-1] if said else 'no reason given'}")
    return Build(tree / "src", asked.stdout.strip())


def _forget_old(kept: Path) -> None:
    places = sorted(kept.iterdir(), key=lambda place: place.stat().st_mtime, reverse=True)
    for place in places[KEPT_BUILDS:]:
        shutil.rmtree(place)


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
        said = archive.stderr.decode(errors="replace").strip()
        raise BuildError(f"no last commit: {said[-200:]}")
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as tar:
        tar.extractall(directory, filter="data")
