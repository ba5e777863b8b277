"""Each test of this folder runs twice: with canter, and with the real Gunicorn if it is there."""

from __future__ import annotations

from tempfile import gettempdir
from typing import TYPE_CHECKING, Any

import pytest

from tests.live.parity.sides import APP, CANTER, REAL_GUNICORN, Side
from tests.live.programs import needs

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.live.harness import Server, Start

BOTH = [
    pytest.param(CANTER, id="canter"),
    pytest.param(REAL_GUNICORN, id="gunicorn", marks=needs("gunicorn")),
]


@pytest.fixture(params=BOTH)
def side(request: pytest.FixtureRequest) -> Side:
    """The command that is driven."""
    chosen: Side = request.param
    return chosen


def serve(side: Side, start: Start, *options: str, app: str | None, more: Any) -> Server:
    """A server of one side, started by `start` and ready."""
    home = {"HOME": gettempdir()} | more.pop("environment", {})
    server = start(app, *options, command=side.command, ready=False, environment=home, **more)
    return side.serve(server)


@pytest.fixture
def launch(side: Side, start: Start) -> Callable[..., Server]:
    """Starts servers of this side for one test."""

    def launch(*options: str, app: str | None = APP, **more: Any) -> Server:
        return serve(side, start, *options, app=app, more=more)

    return launch


@pytest.fixture(scope="module")
def shared(start_shared: Start) -> Callable[..., Server]:
    """The one server of a side that all tests of a module talk to, started when it is wanted."""
    running: dict[str, Server] = {}

    def find(side: Side, *options: str, **more: Any) -> Server:
        if side.name not in running:
            running[side.name] = serve(side, start_shared, *options, app=APP, more=more)
        return running[side.name]

    return find
