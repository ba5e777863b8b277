"""The load generators: how wrk, the paced client and h2load are called, and what they say is read.

The first two print one JSON object. wrk asks again as soon as it is answered (`load.lua`), as
h2load does over HTTP/2; the paced client asks at times of its own (`pace.c`).
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.apps import plain
from benchmarks.probe import Answer
from benchmarks.scenarios import Request, Steady
from benchmarks.sides import Tools

LOAD_SCRIPT = Path(__file__).with_name("load.lua")
TIMEOUT_SECONDS = 10  # of one request, in wrk
GRACE_SECONDS = 30.0  # for a client to end after its time
SIZE_TOLERANCE = 0.05  # of the mean answer: some fields differ from one answer to the next


class ClientError(Exception):
    """A load generator failed or said something that cannot be read."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a client saw. `bytes` is 0 from the client that does not count them."""

    requests: int
    seconds: float
    bytes: int
    p50_ms: float
    p99_ms: float
    errors: dict[str, int]

    @property
    def requests_per_second(self) -> float:
        """Answers in a second."""
        return self.requests / self.seconds if self.seconds else 0.0


def parse_load(output: str) -> Load:
    """Read the JSON object on the last line of a client's output. Raises ClientError."""
    lines = output.strip().splitlines()
    try:
        found = json.loads(lines[-1])
        return Load(
            requests=int(found["requests"]),
            seconds=float(found["seconds"]),
            bytes=int(found.get("bytes", 0)),
            p50_ms=found["p50_us"] / 1000,
            p99_ms=found["p99_us"] / 1000,
            errors={kind: int(count) for kind, count in found["errors"].items() if count},
        )
    except (IndexError, KeyError, TypeError, ValueError) as error:
        raise ClientError(f"cannot read the client's result: {output[-200:]!r}") from error


def wrk_command(
    tools: Tools,
    port: int,
    request: Request,
    seconds: int,
    connections: int,
    pipelined: int = 1,
) -> list[str]:
    """The command of wrk: one thread for its one core; it knows whole seconds only."""
    command = [str(tools.wrk), "--threads", "1", "--connections", str(connections)]
    command += ["--duration", f"{seconds}s", "--timeout", f"{TIMEOUT_SECONDS}s"]
    for field in request.fields:
        command += ["--header", field]
    scheme = "https" if request.tls else "http"
    command += ["--script", str(LOAD_SCRIPT), f"{scheme}://127.0.0.1:{port}{request.path}", "--"]
    return [*command, request.method, str(request.body_bytes), str(pipelined)]


def pace_command(
    tools: Tools, port: int, path: str, per_second: int, connections: int, seconds: float
) -> list[str]:
    """The command of the paced client, for a path that answers as the small request does."""
    numbers = map(str, (connections, per_second, seconds))
    return [str(tools.pace), str(port), path, *numbers, plain.SMALL.decode("ascii")]


def h2load_command(port: int, steady: Steady, seconds: int, log: Path) -> list[str]:
    """The command of h2load: one thread for its one core; each answer's time goes to `log`."""
    request = steady.request
    log.unlink(missing_ok=True)
    command = ["h2load", "--threads=1", f"--clients={steady.connections}"]
    command += [f"--max-concurrent-streams={steady.pipelined}", f"--duration={seconds}"]
    command += [f"--log-file={log}", *(f"--header={field}" for field in request.fields)]
    return [*command, f"https://127.0.0.1:{port}{request.path}"]


_H2_REQUESTS = re.compile(
    r"^requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", re.MULTILINE
)
_H2_FINISHED = re.compile(r"^finished in ([\d.]+)(us|ms|s)\b", re.MULTILINE)
_H2_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}


def parse_h2load(output: str, log: Path) -> Load:
    """Read what h2load says and has logged. Raises ClientError."""
    counts, finished = _H2_REQUESTS.search(output), _H2_FINISHED.search(output)
    if counts is None or finished is None or "Application protocol: h2" not in output:
        raise ClientError(f"h2load did no HTTP/2: {output[-200:]!r}")
    succeeded, failed, errored, late = map(int, counts.groups())
    found = {"status": failed - errored - late, "errored": errored, "timeout": late}
    with log.open(encoding="ascii") as lines:  # when, status, microseconds
        took = sorted(int(line.split("\t")[2]) for line in lines)
    if not took:
        raise ClientError("h2load was answered nothing")
    return Load(
        requests=succeeded,
        seconds=float(finished[1]) * _H2_UNITS[finished[2]],
        bytes=0,
        p50_ms=took[len(took) // 2] / 1000,
        p99_ms=took[len(took) * 99 // 100] / 1000,
        errors={kind: count for kind, count in found.items() if count > 0},
    )


def pinned(command: Sequence[str], core: int | None) -> list[str]:
    """The command on this processor alone; unchanged for None."""
    return list(command) if core is None else ["taskset", "--cpu-list", str(core), *command]


class Client:
    """A load generator that runs beside what the caller does until `result` is asked for."""

    def __init__(self, command: Sequence[str], seconds: float) -> None:
        self._end_within_seconds = seconds + GRACE_SECONDS
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def result(self) -> Load:
        """Wait for its end and read what it saw. Raises ClientError."""
        return parse_load(self.output())

    def output(self) -> str:
        """Wait for its end; what it printed. Raises ClientError."""
        try:
            output, said = self._process.communicate(timeout=self._end_within_seconds)
        except subprocess.TimeoutExpired as error:
            self.end()
            raise ClientError("the client did not end in its time") from error
        status = self._process.returncode
        if status != 0:
            raise ClientError(f"the client ended with {status}: {(said or output).strip()[-200:]}")
        return output

    def end(self) -> None:
        """End it now if it still runs."""
        self._process.kill()
        self._process.communicate()


def run_client(command: Sequence[str], seconds: float) -> Load:
    """Run a load generator that takes `seconds`, and read its result. Raises ClientError."""
    return parse_load(client_output(command, seconds))


def client_output(command: Sequence[str], seconds: float) -> str:
    """Run a load generator that takes `seconds`; what it printed. Raises ClientError."""
    client = Client(command, seconds)
    try:
        return client.output()
    except BaseException:
        client.end()
        raise


def never_answered(load: Load, steady: Steady) -> int:
    """How many of the requests that a round begins with were not answered in all of it, at least.

    wrk counts no connection that merely waits: a server that answers the first request of each
    batch and then stalls has no errors by its account, and hardly any cost.
    """
    return max(0, steady.connections * steady.pipelined - load.requests)


def wrong_sizes(load: Load, answer: Answer, steady: Steady) -> int:
    """How many answers of the round must have had another size than the probe's, at the least.

    The bytes of a round are those of its answers and of at most one more on each connection. Wrong
    bodies of the right size are found by the probes alone.
    """
    expected = answer.size_bytes
    if expected is None or steady.request.http2:  # compressed heads, and no count of bytes
        return 0
    on_the_way = steady.connections * steady.pipelined * expected
    missing = load.requests * expected * (1 - SIZE_TOLERANCE) - load.bytes
    surplus = load.bytes - load.requests * expected * (1 + SIZE_TOLERANCE) - on_the_way
    return max(0, int(max(missing, surplus) / expected))
