"""Carries out one round of a scenario's work against one running server, and reads what it cost."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import duties, process_tree
from benchmarks.clients import (
    Client,
    ClientError,
    Load,
    client_output,
    h2load_command,
    never_answered,
    pace_command,
    parse_h2load,
    pinned,
    run_client,
    wrk_command,
    wrong_sizes,
)
from benchmarks.idle import IdleConnections
from benchmarks.metrics import (
    BESIDE_SHARE,
    CONNECTION_KIB,
    GROWTH_MIB,
    MEMORY_MIB,
    P50_MS,
    P99_MS,
    PROCESSOR_US,
    REQUESTS,
    SLOW_P99_MS,
    START_MS,
)
from benchmarks.probe import Answer, ProbeError, ask
from benchmarks.results import Round
from benchmarks.scenarios import Beside, BigBodies, Duty, Idle, Request, Scenario, Start, Steady
from benchmarks.server import Server, ServerError
from benchmarks.sides import Tools

SETTLE_SECONDS = 0.3
BRIEF_LONG_ROUNDS = 2
BRIEF_WARM_SECONDS = 0.3
SPREADING_CONNECTIONS = 64  # enough for each of a few workers to accept some


@dataclass(frozen=True, slots=True)
class Context:
    """What all rounds of a run share. `cores`: the server's and the client's where pinned.

    brief: everything that can be shorter is: warming up, the longer rounds, and how many rounds
    there are of what takes long.
    """

    tools: Tools
    directory: Path
    environment: Mapping[str, str]
    cores: tuple[int, int]
    seconds: int
    rounds: int
    brief: bool = False

    def rounds_of(self, scenario: Scenario) -> int:
        """How many rounds this scenario has."""
        most = scenario.most_rounds
        if self.brief and not isinstance(scenario.work, Steady | Start):
            most = min(most, BRIEF_LONG_ROUNDS)
        return min(self.rounds, most)

    def seconds_of(self, scenario: Scenario) -> int:
        """How long one round of it takes."""
        stretch = max(1, scenario.stretch // 2) if self.brief else scenario.stretch
        return self.seconds * stretch


def _client_core(context: Context, scenario: Scenario) -> int | None:
    return context.cores[1] if scenario.pinned else None


def _answer(server: Server, request: Request, errors: dict[str, int]) -> Answer | None:
    """Probe the server; a wrong answer or none is counted."""
    try:
        answer = ask(server.port, request)
    except (OSError, ProbeError):
        errors["probe"] = errors.get("probe", 0) + 1
        return None
    if not answer.is_right(request):
        errors["wrong answer"] = errors.get("wrong answer", 0) + 1
    return answer


def _load(server: Server, scenario: Scenario, steady: Steady, context: Context) -> Load:
    seconds = context.seconds_of(scenario)
    if steady.request.http2:
        log = context.directory / "h2load.log"
        command = h2load_command(server.port, steady, seconds, log)
        output = client_output(pinned(command, _client_core(context, scenario)), seconds)
        return parse_h2load(output, log)
    command = wrk_command(
        context.tools, server.port, steady.request, seconds, steady.connections, steady.pipelined
    )
    return run_client(pinned(command, _client_core(context, scenario)), seconds)


def warm(server: Server, scenario: Scenario, steady: Steady, context: Context) -> None:
    """A second of the load, so that no round pays for what happens once; less in a brief run."""
    if context.brief:
        end = time.monotonic() + BRIEF_WARM_SECONDS
        try:
            while time.monotonic() < end:
                ask(server.port, steady.request)
        except ProbeError as error:
            raise ClientError(str(error)) from error
        return
    command = wrk_command(context.tools, server.port, steady.request, 1, steady.connections)
    run_client(pinned(command, _client_core(context, scenario)), 1)


def run_steady(server: Server, scenario: Scenario, steady: Steady, context: Context) -> Round:
    """One round of wrk. Raises ClientError."""
    errors: dict[str, int] = {}
    answer = _answer(server, steady.request, errors)
    before = server.processor_seconds()
    load = _load(server, scenario, steady, context)
    used = server.processor_seconds() - before
    _answer(server, steady.request, errors)
    errors |= load.errors
    if answer is not None and (wrong := wrong_sizes(load, answer, steady)):
        errors["wrong size"] = wrong
    if stalled := never_answered(load, steady):
        errors["never answered"] = stalled
    if steady.duty is not None and (count := _breaches(server, steady.duty, steady)):
        errors[steady.duty.value] = count
    if load.requests == 0:
        return Round({}, errors)
    values = {
        PROCESSOR_US.key: used * 1e6 / load.requests,
        REQUESTS.key: load.requests_per_second,
        P50_MS.key: load.p50_ms,
        P99_MS.key: load.p99_ms,
    }
    return Round(values, errors)


def _breaches(server: Server, duty: Duty, steady: Steady) -> int:
    try:
        return duties.breaches(duty, server.port, steady.connections)
    except ProbeError as error:
        raise ClientError(str(error)) from error


def run_beside(server: Server, scenario: Scenario, beside: Beside, context: Context) -> Round:
    """Slow requests, and quick ones meanwhile, both by the paced client. Raises ClientError."""
    seconds = context.seconds_of(scenario)
    # The slow load begins before the quick one and ends after it.
    slow_seconds = seconds + 2 * SETTLE_SECONDS

    def paced(path: str, per_second: int, for_seconds: float) -> list[str]:
        return pace_command(
            context.tools, server.port, path, per_second, beside.connections, for_seconds
        )

    slow = Client(paced(beside.slow_path, beside.slow_per_second, slow_seconds), slow_seconds)
    try:
        time.sleep(SETTLE_SECONDS)
        quick_load = run_client(paced("/", beside.quick_per_second, seconds), seconds)
        slow_load = slow.result()
    except BaseException:
        slow.end()
        raise
    errors = dict(quick_load.errors)
    errors |= {f"slow {kind}": count for kind, count in slow_load.errors.items()}
    values = {
        P99_MS.key: quick_load.p99_ms,
        P50_MS.key: quick_load.p50_ms,
        SLOW_P99_MS.key: slow_load.p99_ms,
    }
    return Round(values, errors)


def run_idle(server: Server, scenario: Scenario, idle: Idle, context: Context) -> Round:
    """The same load without and with idle connections beside it. Raises ClientError."""
    alone = _load(server, scenario, idle.steady, context)
    time.sleep(SETTLE_SECONDS)
    before = process_tree.memory_mib(server.pid)
    with IdleConnections(server.port, idle.idle_connections, idle.steady.request) as held:
        time.sleep(SETTLE_SECONDS)
        grown = process_tree.memory_mib(server.pid) - before
        beside = _load(server, scenario, idle.steady, context)
        still_open = held.open_count()
    errors = dict(beside.errors)
    if still_open < idle.idle_connections:
        errors["connections lost"] = idle.idle_connections - still_open
    if not still_open or not alone.requests:
        raise ClientError("kept none of the connections")
    values = {
        CONNECTION_KIB.key: max(0.0, grown) * 1024 / still_open,
        BESIDE_SHARE.key: beside.requests_per_second / alone.requests_per_second,
        REQUESTS.key: beside.requests_per_second,
        P99_MS.key: beside.p99_ms,
    }
    return Round(values, errors)


def run_start(server: Server, request: Request) -> Round:
    """The time until a server that has just been started answers. Raises ServerError."""
    server.wait_ready(request)
    return Round({START_MS.key: (time.monotonic() - server.started) * 1000})


def run_memory(server: Server, scenario: Scenario, request: Request, context: Context) -> Round:
    """Memory of the tree after a second of load on many connections. Raises ClientError."""
    steady = Steady(request, SPREADING_CONNECTIONS)
    load = _load(server, scenario, steady, context)
    time.sleep(SETTLE_SECONDS)
    return Round({MEMORY_MIB.key: process_tree.memory_mib(server.pid)}, load.errors)


def run_big_bodies(server: Server, big: BigBodies) -> Round:
    """Growth of peak memory over one big upload and one big download. Raises ServerError."""
    once, small = big.body_bytes, 1 << 20
    expected = str(once).encode()
    upload = Request("/length", "POST", body_bytes=once, check=lambda body: body == expected)
    download = Request(f"/download-bytes?{once}", check=lambda body: len(body) == once)
    errors: dict[str, int] = {}
    for request in (Request("/length", "POST", body_bytes=small), Request("/download")):
        _answer(server, request, {})
    process_tree.forget_peak(server.pid)
    before = process_tree.peak_mib(server.pid)
    for request in (upload, download):
        _answer(server, request, errors)
    after = process_tree.peak_mib(server.pid)
    if not after:
        raise ServerError("ended during the transfer")
    return Round({GROWTH_MIB.key: max(0.0, after - before)}, errors)
