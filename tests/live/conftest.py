"""Fixtures of the live tests, and what a failed test shows."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.live import harness

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

PEERS = itertools.count(0x010001)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/live/" in item.path.as_posix():
            item.add_marker(pytest.mark.live)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the logs of the servers that run to the report of a failure."""
    report = yield
    if report.failed:
        for server in harness.RUNNING:
            report.sections.append((f"server {server.pid}", server.show()))
    return report


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The working directory of the first server that the test starts."""
    directory = tmp_path / "server1"
    directory.mkdir()
    return directory


@pytest.fixture
def start(tmp_path: Path) -> Iterator[harness.Start]:
    """Starts servers for one test."""
    with harness.starting(tmp_path) as started:
        yield started


@pytest.fixture(scope="module")
def start_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[harness.Start]:
    """Starts servers that all tests of a module share."""
    with harness.starting(tmp_path_factory.mktemp("shared")) as started:
        yield started


@pytest.fixture
def mark() -> str:
    """A word that only this test's requests carry, to find them in the access log."""
    return uuid.uuid4().hex


@pytest.fixture
def peer() -> str:
    """A client address that only this test uses, to find even unreadable requests in the log."""
    number = next(PEERS)
    return f"127.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@pytest.fixture(scope="session")
def prepared_django_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Django site ready to serve: migrated, static files collected, with an administrator."""
    directory = tmp_path_factory.mktemp("django") / "site"
    directory.mkdir()
    subprocess.run(
        [sys.executable, "-m", "tests.live.apps.django_site.prepare"],
        env=harness.clean_environment(DJANGO_SITE_DIRECTORY=str(directory)),
        cwd=harness.ROOT,
        check=True,
        timeout=60,
    )
    return directory


@pytest.fixture(scope="session")
def make_django_site(
    prepared_django_site: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], Path]:
    """Makes a copy of the site, so that no test sees what another has uploaded."""

    def make() -> Path:
        directory = tmp_path_factory.mktemp("site") / "site"
        return shutil.copytree(prepared_django_site, directory)

    return make
