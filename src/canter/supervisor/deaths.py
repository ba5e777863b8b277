"""What is left of a worker that died: one block for the error log and for `canter status`. Pure.

An ordinary leave (a reload, a recycling, the end of the service) leaves no block. Times of the
clock are seconds of the roster's, ages and durations are seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

from canter.observe.records import without_query
from canter.observe.scoreboard import WorkerSlot
from canter.supervisor.actions import Reason
from canter.supervisor.reports import Death, hint_of, is_clean
from canter.supervisor.roster import Handle, Wear

REQUESTS_TOLD: Final = 8
"""Of the last requests, and of those that went on."""
_READINGS_TOLD = 8
_MEBIBYTE = 1 << 20
_SOUGHT = frozenset({Reason.STUCK, Reason.FROZEN, Reason.SLOW_BOOT, Reason.FAILED, Reason.LOST})


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A request that the worker had; `waits`: the application had asked, its client was slow."""

    thread: int
    request: str
    seconds: float
    waits: bool


@dataclass(frozen=True, slots=True)
class Finished:
    """One of its last requests; `age_seconds` before the death."""

    request: str
    status: int
    seconds: float
    age_seconds: float


@dataclass(frozen=True, slots=True)
class Weight:
    """How much memory it had resident, so many seconds before its death."""

    age_seconds: float
    resident_bytes: int


@dataclass(frozen=True, slots=True)
class Block:
    """Everything that is known of one death. `at`: since the epoch; `times`: how often in a row."""

    at: float
    worker: str
    pid: int
    generation: int
    cause: str
    age_seconds: float
    requests: int
    unfinished: tuple[Unfinished, ...]
    finished: tuple[Finished, ...]
    memory: tuple[Weight, ...]
    stacks: str
    times: int = 1

    def as_data(self) -> dict[str, Any]:
        """For JSON."""
        data = asdict(self)
        return {**data, **{key: list(data[key]) for key in ("unfinished", "finished", "memory")}}


def is_told(handle: Handle, death: Death) -> bool:
    """Whether a death is worth a block: nobody wanted it, or it was wanted because of trouble."""
    leave = handle.leave
    if leave is None or leave.reason in _SOUGHT:
        return True
    return not is_clean(leave, death) or _is_overweight(handle)


def cause_of(handle: Handle, death: Death, failure: str = "") -> str:
    """Completes "worker 123 ...": who or what ended it, and why. `failure`: why it did not boot."""
    leave = handle.leave
    if leave is None:
        return f"{death.cause}{hint_of(death)}"
    match leave.reason:
        case Reason.FAILED:
            return f"could not start: {failure}" if failure else "could not start"
        case Reason.STUCK:
            how = "was replaced: a request outlived its time (timeout)"
        case Reason.RECYCLED:
            how = f"was replaced: {handle.worn_because}"
        case Reason.FROZEN | Reason.SLOW_BOOT | Reason.LOST:
            return f"{death.cause} by canter: {leave.reason.value}"
        case reason:
            how = f"had to leave: {reason.value}"
    return how if death == Death() else f"{how}; it {death.cause} while leaving"


def _is_overweight(handle: Handle) -> bool:
    return handle.wear is Wear.RECYCLED and "memory" in handle.worn_because


def remains_of(
    slot: WorkerSlot, now_ns: int
) -> tuple[tuple[Unfinished, ...], tuple[Finished, ...]]:
    """What the board has of a worker's requests: those it had, and the last before, newest first.

    Of the last ones no query strings: whoever looks for what they have in common needs none.
    """
    unfinished = sorted(slot.unfinished(), key=lambda it: it.began_ns)
    finished = slot.past()[: -REQUESTS_TOLD - 1 : -1]
    return (
        tuple(
            Unfinished(it.thread, it.line, _seconds(now_ns - it.began_ns), it.waits)
            for it in unfinished
        ),
        tuple(
            Finished(
                without_query(it.line),
                it.status,
                _seconds(it.took_ns),
                _seconds(now_ns - it.began_ns - it.took_ns),
            )
            for it in finished
        ),
    )


def _seconds(nanoseconds: int) -> float:
    return round(max(nanoseconds, 0) / 1e9, 6)


# ------------------------------------------------------------------------------ the block as text


def describe_block(block: Block) -> str:
    """The block for a log: the cause in the first line, the rest indented below it."""
    return "\n".join([f"{block.worker} {block.cause}", *details_of(block.as_data())])


def details_of(block: Any) -> list[str]:
    """The lines below the first, of a block as `as_data` gives it."""
    age, answered = block["age_seconds"], block["requests"]
    lines = [f"  generation {block['generation']}, {age:.1f} s old, {answered} requests answered"]
    lines += _cut([_unfinished(it) for it in block["unfinished"]], REQUESTS_TOLD)
    if not block["unfinished"]:
        lines.append("  it was running nothing")
    if block["finished"]:
        lines.append("  the last requests before that:")
        lines += [_finished(it) for it in block["finished"]]
    if block["memory"]:
        lines.append(f"  memory: {_trend(block['memory'])}")
    if block["stacks"]:
        lines += [f"  {line}".rstrip() for line in block["stacks"].rstrip().splitlines()]
    return lines


def _unfinished(it: Any) -> str:
    slow = ", waiting for its client" if it["waits"] else ""
    return (
        f"  it was running {it['request']} for {it['seconds']:.1f} s in thread {it['thread']}{slow}"
    )


def _finished(it: Any) -> str:
    status = it["status"] or "-"
    return (
        f"    {it['age_seconds']:8.1f} s ago  {status:>3}  {it['seconds'] * 1000:8.1f} ms  "
        f"{it['request']}"
    )


def _trend(weights: Sequence[Any]) -> str:
    """A few readings, the oldest and the last among them."""
    step = -(-len(weights) // _READINGS_TOLD)
    told = [*weights[:-1:step], weights[-1]]
    return ", ".join(
        f"{it['resident_bytes'] / _MEBIBYTE:.1f} MiB {it['age_seconds']:.1f} s ago" for it in told
    )


def _cut(lines: list[str], most: int) -> list[str]:
    if len(lines) <= most:
        return lines
    return [*lines[:most], f"  and {len(lines) - most} more"]


# -------------------------------------------------------------------------------- memory over time


class Trend:
    """Readings of one worker's memory, the denser the younger: about two to an octave of age."""

    def __init__(self) -> None:
        self._readings: list[tuple[float, int]] = []

    def note(self, now: float, resident_bytes: int) -> None:
        """Keep a reading."""
        kept = self._readings[:1]
        rest = [*self._readings[1:], (now, resident_bytes)]
        for reading, younger in pairwise(rest):
            # Without it the gap would not be wide, for its age.
            if younger[0] - kept[-1][0] > (now - younger[0]) / 2:
                kept.append(reading)
        self._readings = [*kept, rest[-1]]

    def weights(self, now: float) -> tuple[Weight, ...]:
        """The readings that are left, oldest first."""
        return tuple(Weight(round(now - at, 1), size) for at, size in self._readings)
