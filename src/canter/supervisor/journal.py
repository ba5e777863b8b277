"""What the supervisor writes to the error log about workers and generations."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from canter.observe.records import without_query
from canter.observe.repeats import RepeatLimiter
from canter.supervisor import reports
from canter.supervisor.actions import Action, Discard, Kill, Push, Reason, Signal, TellToDrain
from canter.supervisor.deaths import REQUESTS_TOLD, Block, describe_block
from canter.supervisor.ledger import Ledger
from canter.supervisor.reports import Death
from canter.supervisor.roster import Failure, Generation, Handle, Roster
from canter.supervisor.states import GenerationState, Phase

# Signals that mean trouble; the others are an ordinary way to leave.
_TROUBLE = (Reason.FROZEN, Reason.SLOW_BOOT, Reason.LOST)


_SERVING_PHASES = (Phase.RUNNING, Phase.DELAYING)

LINES_OF_A_KIND = 10
WINDOW_SECONDS = 60.0
"""An application that crashes at every request writes so many lines; then they are counted."""


class Journal:
    """Tells each thing once, and a loop of failures in one line a try."""

    def __init__(self, log: logging.Logger, ledger: Ledger) -> None:
        self._log = log
        self._ledger = ledger
        self._told: dict[int, Failure] = {}
        self._limiter = RepeatLimiter(LINES_OF_A_KIND, WINDOW_SECONDS)

    def tell_action(self, action: Action, roster: Roster, running: Iterable[str]) -> None:
        """An action is being carried out; `running` is what its worker runs."""
        match action:
            case TellToDrain(pid=pid, reason=Reason.RECYCLED):
                why = roster.handles[pid].worn_because
                self._log.info("worker %d drains: %s, and its replacement serves", pid, why)
            case TellToDrain(pid=pid, reason=reason):
                self._log.info("%s drains: %s", roster.handles[pid].name, reason.value)
            case Signal(pid=pid, reason=reason, push=push) if reason in _TROUBLE:
                self._log.error(
                    "%s: %s; sending SIG%s%s",
                    roster.handles[pid].name,
                    reason.value,
                    push.value,
                    _list(running),
                )
            case Signal(pid=pid, reason=reason, push=Push.TERM):
                self._log.info("%s leaves: %s", roster.handles[pid].name, reason.value)
            case Kill(pid=pid):
                handle = roster.handles[pid]
                why = "" if handle.leave is None else f" ({handle.leave.reason.value})"
                self._log.warning(
                    "%s did not leave in time%s: killed%s", handle.name, why, _list(running)
                )
            case Discard(generation=number):
                live = roster.in_state(GenerationState.LIVE)
                goes_on = "" if live is None else f"; generation {live.number} goes on serving"
                self._log.error("generation %d is discarded%s", number, goes_on)
                failure = roster.generations[number].failure
                why = "" if failure is None else f": {failure.message}"
                self._note("discarded", f"generation {number} is discarded{why}")
            case _:
                pass

    def tell_death(
        self, handle: Handle, death: Death, block: Block | None, now: float, *, is_looping: bool
    ) -> None:
        """A worker's process has ended. `is_looping`: the failure that this is will be told."""
        if block is None:
            self._log.debug("%s has left", handle.name)
            return
        failed_to_start = handle.leave is not None and handle.leave.reason is Reason.FAILED
        if failed_to_start or (is_looping and handle.serving_since is None):
            # The failure is told, with its traceback, by `tell_failures`.
            self._log.debug("%s %s", handle.name, death.cause)
            return
        level = logging.ERROR if handle.leave is None else logging.WARNING
        if self._limiter.admits(f"a worker {death.cause}", now):
            self._log.log(level, "%s", describe_block(block))
        running = [
            reports.describe_running(without_query(it.request), it.seconds)
            for it in block.unfinished[:REQUESTS_TOLD]
        ]
        self._note("death", f"{block.worker} {block.cause}{_list(running)}")

    def tell_serving(self, handle: Handle, generation: Generation, now: float) -> None:
        """A worker of the live generation takes part; those of a new one are told together."""
        if generation.state is not GenerationState.LIVE:
            return
        if self._limiter.admits("a worker serves", now):
            self._log.info("worker %d serves (%.2f s)", handle.pid, now - handle.born)

    def tell_repeats(self, now: float) -> None:
        """How often what was told often enough has happened since."""
        for sentence in self._limiter.due(now):
            self._log.warning("%s", sentence)

    def tell_promotion(self, generation: Generation, roster: Roster, now: float) -> None:
        """A generation serves."""
        workers = roster.staying(generation)
        born = min((member.born for member in roster.members_of(generation)), default=now)
        pids = [worker.pid for worker in workers]
        text = reports.describe_live(generation, pids, now - born)
        self._log.info("%s", text)
        self._note("live", text)

    def tell_failures(self, roster: Roster, now: float) -> None:
        """Failures that have not been told yet."""
        for generation in roster.generations.values():
            failure = generation.failure
            told = self._told.get(generation.number)
            if failure is None or failure is told:
                continue
            self._told[generation.number] = failure
            is_known = told is not None and told.message == failure.message
            is_looping = generation.backoff.is_looping
            if not is_known and not (failure.is_death and roster.phase in _SERVING_PHASES):
                self._log.error("%s", reports.describe_failure(failure))
            if is_looping:
                self._log.error("%s", reports.describe_loop(generation, failure, now))

    def _note(self, kind: str, text: str) -> None:
        self._ledger.note_event(time.time(), kind, text)

    def forget(self, number: int) -> None:
        """Generation `number` is gone."""
        self._told.pop(number, None)


def _list(running: Iterable[str]) -> str:
    requests = ", ".join(running)
    return f"; it was running {requests}" if requests else ""
