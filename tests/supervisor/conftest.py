"""Real servers for the tests of this folder that need one."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.live import harness


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the logs of the servers that run when a test fails."""
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
    """Starts servers by the real command; whatever runs afterwards has to stop well."""
    with harness.starting(tmp_path) as started:
        yield started
