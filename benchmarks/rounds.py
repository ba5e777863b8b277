"""Measures one scenario: all sides in turn, round after round, so that a disturbance hits them all.

Where the load is steady, every side's server runs from the first round to the last, idle while it
is another's turn; where the scenario is about a server's life, each round starts its own.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from benchmarks import loads
from benchmarks.clients import ClientError
from benchmarks.figures import LOGGING
from benchmarks.loads import Context
from benchmarks.results import Round, ScenarioResult, Series
from benchmarks.scenarios import (
    FILES_FOLDER,
    Beside,
    BigBodies,
    Idle,
    Memory,
    Scenario,
    Start,
    Steady,
)
from benchmarks.server import Server, ServerError, free_port
from benchmarks.sides import Setup, Side

FAILURES = (ServerError, ClientError, OSError)
_launches = itertools.count(1)

Say = Callable[[str], None]


@dataclass(slots=True)
class Entrant:
    """A side as it takes part in one scenario, once for each setting of the access log."""

    side: Side
    logs: bool
    label: str
    rounds: list[Round] = field(default_factory=list)
    command: str = ""


@dataclass(slots=True)
class Field:
    """The entrants of a scenario, and those that are out of it, with the reason."""

    entrants: list[Entrant]
    left_out: dict[str, str] = field(default_factory=dict)

    def leave_out(self, entrant: Entrant, reason: str) -> None:
        """Take an entrant out for good."""
        self.entrants.remove(entrant)
        self.left_out[entrant.label] = reason


def enter(scenario: Scenario, sides: Sequence[Side]) -> Field:
    """Who takes part in the scenario, and who does not and why."""
    found = Field([])
    for side in sides:
        if not side.takes_part(scenario.key) or {scenario.needs} - {"", *side.offers}:
            continue
        if scenario.key in side.cannot:
            found.left_out[side.label] = side.cannot[scenario.key]
            continue
        for logs in scenario.logs:
            label = side.label
            if len(scenario.logs) > 1:
                label += ", log on" if logs else ", log off"
            found.entrants.append(Entrant(side, logs, label))
    return found


def in_turn(entrants: Sequence[Entrant], number: int) -> list[Entrant]:
    """The order of one round: each begins one place further, so that nobody always comes first."""
    if not entrants:
        return []
    at = number % len(entrants)
    return [*entrants[at:], *entrants[:at]]


def shown_command(command: Sequence[str], setup: Setup) -> str:
    """The command for a reader: no directories of this machine, and PORT for the port."""
    words = [os.path.basename(word) if os.path.isabs(word) else word for word in command]
    return shlex.join(words).replace(str(setup.port), "PORT")


def _setup(scenario: Scenario, entrant: Entrant, context: Context, number: int) -> Setup:
    return Setup(
        scenario.application,
        free_port(),
        scenario.workers,
        scenario.threads,
        scenario.connections,
        access_log=context.directory / f"access-{number}.log" if entrant.logs else None,
        preload=isinstance(scenario.work, Memory),
        closing=scenario.first_request.closes,
        certificate=context.directory / "certificate.pem" if scenario.first_request.tls else None,
        key=context.directory / "key.pem" if scenario.first_request.tls else None,
        files=context.directory / FILES_FOLDER if scenario.needs == "files" else None,
        front=scenario.needs == "front",
        http2=scenario.needs == "http2",
    )


def environment_of(side: Side, context: Context) -> dict[str, str]:
    """The variables that a side's server is started with, beside the runner's own."""
    found = {**context.environment, **side.environment}
    if side.source is not None:
        found["PYTHONPATH"] += os.pathsep + str(side.source)
    return found


@contextlib.contextmanager
def _started(scenario: Scenario, entrant: Entrant, context: Context) -> Iterator[Server]:
    number = next(_launches)
    setup = _setup(scenario, entrant, context, number)
    command = entrant.side.command(setup, context.tools)
    entrant.command = shown_command(command, setup)
    log = context.directory / f"{number}-{entrant.side.key}.log"
    core = context.cores[0] if scenario.pinned else None
    try:
        with Server(
            command, setup.port, log, environment_of(entrant.side, context), core
        ) as server:
            yield server
    finally:
        for path in (log, setup.access_log):
            if path is not None:
                path.unlink(missing_ok=True)


def measure(
    scenario: Scenario, sides: Sequence[Side], context: Context, say: Say
) -> ScenarioResult:
    """Measure the scenario. A side that fails in any round is left out of it with the reason."""
    found = enter(scenario, sides)
    rounds = context.rounds_of(scenario)
    if isinstance(scenario.work, Steady | Beside):
        _measure_running(scenario, found, context, rounds, say)
    else:
        _measure_starting(scenario, found, context, rounds, say)
    series = [
        Series(
            entrant.side.key + LOGGING * entrant.logs,
            entrant.label,
            entrant.command,
            entrant.rounds,
        )
        for entrant in found.entrants
    ]
    return ScenarioResult(scenario.key, series, found.left_out)


def _attempt(found: Field, entrant: Entrant, say: Say, step: Callable[[], Round | None]) -> None:
    try:
        measured = step()
    except FAILURES as failure:
        reason = f"failed: {failure}"
        found.leave_out(entrant, reason)
        say(f"    {entrant.label}: {reason}")
        return
    if measured is not None:
        entrant.rounds.append(measured)
        say(f"    {entrant.label}: {_line(measured)}")


def _line(measured: Round) -> str:
    words = [f"{key} {value:,.2f}" for key, value in measured.values.items()]
    words += [f"{count} x {kind}" for kind, count in measured.errors.items()]
    return ", ".join(words)


def _measure_running(
    scenario: Scenario, found: Field, context: Context, rounds: int, say: Say
) -> None:
    with contextlib.ExitStack() as stack:
        servers: dict[str, Server] = {}

        def start(entrant: Entrant) -> None:
            server = stack.enter_context(_started(scenario, entrant, context))
            server.wait_ready(scenario.first_request)
            servers[entrant.label] = server
            if isinstance(scenario.work, Steady):
                loads.warm(server, scenario, scenario.work, context)

        def once(entrant: Entrant) -> Round:
            return _round(servers[entrant.label], scenario, context)

        for entrant in list(found.entrants):
            _attempt(found, entrant, say, functools.partial(start, entrant))
        for number in range(rounds):
            say(f"  round {number + 1} of {rounds}")
            for entrant in in_turn(found.entrants, number):
                _attempt(found, entrant, say, functools.partial(once, entrant))


def _measure_starting(
    scenario: Scenario, found: Field, context: Context, rounds: int, say: Say
) -> None:
    def once(entrant: Entrant) -> Round:
        with _started(scenario, entrant, context) as server:
            if not isinstance(scenario.work, Start):
                server.wait_ready(scenario.first_request)
            return _round(server, scenario, context)

    for number in range(rounds):
        say(f"  round {number + 1} of {rounds}")
        for entrant in in_turn(found.entrants, number):
            _attempt(found, entrant, say, functools.partial(once, entrant))


def _round(server: Server, scenario: Scenario, context: Context) -> Round:
    measured = _work(server, scenario, context)
    shown = {metric.key for metric in scenario.columns}
    values = {key: value for key, value in measured.values.items() if key in shown}
    return Round(values, measured.errors)


def _work(server: Server, scenario: Scenario, context: Context) -> Round:
    match scenario.work:
        case Steady() as steady:
            return loads.run_steady(server, scenario, steady, context)
        case Beside() as beside:
            return loads.run_beside(server, scenario, beside, context)
        case Idle() as idle:
            return loads.run_idle(server, scenario, idle, context)
        case Start(request):
            return loads.run_start(server, request)
        case Memory(request):
            return loads.run_memory(server, scenario, request, context)
        case BigBodies() as big:
            return loads.run_big_bodies(server, big)
        case _ as unreachable:
            assert_never(unreachable)
