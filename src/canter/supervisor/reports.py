"""What the log says about workers and generations. Pure: values in, one sentence out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from canter.supervisor.actions import Reason
from canter.supervisor.roster import Failure, Generation, Leave


@dataclass(frozen=True, slots=True)
class Death:
    """How a process ended: by its own exit status, or by a signal (its name)."""

    exit_status: int = 0
    signal: str | None = None
    out_of_memory: bool | None = None
    """Whether the kernel's out-of-memory killer has struck by then; None = not known."""

    @property
    def cause(self) -> str:
        """It completes "worker 123 ...", without guessing why."""
        if self.signal is None:
            return f"exited with status {self.exit_status}"
        return f"was killed by {self.signal}"


def hint_of(death: Death) -> str:
    """What may be said of a signal that nobody here sent; with a space before it."""
    if death.signal in {"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT"}:
        return " (a crash in compiled code; its stacks are above)"
    if death.signal != "SIGKILL":
        return ""
    match death.out_of_memory:
        case True:
            return " (out of memory: the kernel's killer has struck in its control group)"
        case False:
            return " (not by canter, and not out of memory: its control group counts no such kill)"
        case None:
            return " (if nobody did that, the kernel may have been out of memory: see its log)"


def is_clean(leave: Leave | None, death: Death) -> bool:
    """Whether a death is just what was asked for."""
    return leave is not None and (
        death == Death() or leave.reason in {Reason.FAILED, Reason.HURRIED, Reason.DISCARDED}
    )


def cause_of_exit(leave: Leave | None, death: Death) -> str:
    """One word for how a worker ended, for counters: why it was told to, or what it died of."""
    if leave is not None and leave.reason is not Reason.LOST:
        return leave.reason.name.lower()
    return death.signal.lower() if death.signal is not None else f"exit_{death.exit_status}"


def describe_running(line: str, age_seconds: float) -> str:
    """One request that goes on."""
    return f"{line} for {age_seconds:.1f} s"


def describe_loop(generation: Generation, failure: Failure, now: float) -> str:
    """A failure that has been told in full before: one line, with when the next try is."""
    wait = max(0.0, generation.backoff.retry_at - now)
    return (
        f"workers keep failing ({generation.backoff.failures} times in a row): "
        f"{failure.message}; the next try is in {wait:.1f} s"
    )


def describe_live(generation: Generation, pids: Sequence[int], seconds: float) -> str:
    """A generation was promoted."""
    workers = "worker" if len(pids) == 1 else "workers"
    numbers = ", ".join(str(pid) for pid in pids)
    return f"generation {generation.number} serves: {workers} {numbers} ({seconds:.2f} s)"


def describe_failure(failure: Failure) -> str:
    """A failure in full, with its traceback where it has one."""
    trace = failure.traceback.rstrip()
    return f"{summarise(failure)}\n{trace}" if trace else failure.message


def summarise(failure: Failure) -> str:
    """The message without what the last line of the traceback says again."""
    _, _, last_line = failure.traceback.rstrip().rpartition("\n")
    return failure.message.removesuffix(f": {last_line}") if last_line else failure.message
