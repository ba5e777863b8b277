"""What to do next: the roster, the time and the scoreboard's readings in, actions out.

The loop calls `decide` after everything that happens and at every tick, carries the actions out and
notes them in the roster. Deciding again at the same moment then decides nothing new, except what
could not be done (a fork that failed waits for its back-off).

What it is after, in this order: workers whose time is over end; requests whose time is over end; a
stop is a stop; a generation is proven before it serves; the live one has as many workers as wanted,
with replacements there before the replaced leave; a reload begins when no other is under way.

Pure: it changes nothing, not even the roster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from canter.supervisor.actions import (
    Action,
    BeginDrain,
    BeginGeneration,
    Discard,
    Finish,
    Forget,
    Fork,
    Kill,
    Preload,
    Promote,
    Push,
    Reason,
    Signal,
    TellToDrain,
    TellToExpire,
    TellToServe,
)
from canter.supervisor.rollout import recycling_allowances, rollout_of, still_needed
from canter.supervisor.roster import (
    KILL_MARGIN_SECONDS,
    Generation,
    Handle,
    RequestKey,
    Roster,
    Wear,
)
from canter.supervisor.states import GenerationState, Phase
from canter.worker.states import WorkerState

QUICK_SECONDS = 2.0
"""What a worker has left after TERM while booting, or QUIT."""
ABORT_SECONDS = 1.0
"""For faulthandler to write the stacks of a worker that does not react."""
FREEZE_MARGIN_SECONDS = 5.0
"""How much longer than a request's time a worker's loop, or its answer, may take."""
LOST_SECONDS = 1.0
"""Between the end of a channel and the death that should come with it."""
FORK_SECONDS = 20.0
"""For a fork server to fork a worker, which takes it milliseconds."""
LONGEST_TICK_SECONDS = 0.5

_WORKING = (WorkerState.SERVING, WorkerState.DRAINING)


@dataclass(frozen=True, slots=True)
class Running:
    """One application call that goes on."""

    thread: int
    started_ns: int
    age_seconds: float

    @property
    def key(self) -> RequestKey:
        """What names it in the roster."""
        return self.thread, self.started_ns


@dataclass(frozen=True, slots=True)
class Reading:
    """What the scoreboard says of one worker. `silence_seconds` None: its loop does not run."""

    state: int
    silence_seconds: float | None
    running: tuple[Running, ...]


Readings = Mapping[int, Reading]


def decide(roster: Roster, now: float, readings: Readings) -> list[Action]:
    """What is to be done at `now`, in order. `readings` are by process number."""
    actions: list[Action] = [*_end_overdue(roster, now), *_watch_requests(roster, now, readings)]
    # A worker that was just dealt with is left alone for this round.
    busy = {action.pid for action in actions if isinstance(action, Kill | Signal)}
    match roster.phase:
        case Phase.DELAYING if now >= roster.drain_at:
            actions.append(BeginDrain())
        case Phase.STARTING | Phase.RUNNING | Phase.DELAYING:
            actions += _prove(roster)
            actions += _keep_live(roster, now, readings, busy)
            actions += _retire(roster, busy)
            actions += _begin(roster)
        case Phase.STOPPING:
            actions += _stop(roster, busy)
        case Phase.HURRYING:
            actions += _hurry(roster, busy)
        case Phase.ENDED:
            pass
    return actions


def tick_seconds(roster: Roster) -> float | None:
    """How long to wait at most before deciding again, whatever happens; None = for ever."""
    scans = [
        min(max(generation.plan.timeout_seconds / 10, 0.02), LONGEST_TICK_SECONDS)
        for generation in roster.generations.values()
        if generation.plan.timeout_seconds
    ]
    live = roster.in_state(GenerationState.LIVE)
    is_steady = (
        live is not None
        and roster.phase is Phase.RUNNING
        and live.plan.span is None
        and all(_is_steady(handle) for handle in roster.handles.values())
        and len(roster.handles) == live.wanted + live.plan.preloads
    )
    return min(scans, default=None if is_steady else LONGEST_TICK_SECONDS)


def _is_steady(handle: Handle) -> bool:
    if handle.is_fork_server:
        return handle.state is WorkerState.READY and not handle.asked
    return handle.state is WorkerState.SERVING and not handle.wear


# ------------------------------------------------------------------------------ time is over


def _end_overdue(roster: Roster, now: float) -> Iterator[Action]:
    for handle in roster.handles.values():
        plan = roster.plan_of(handle)
        if handle.leave is not None:
            if now >= handle.leave.kill_at:
                yield Kill(handle.pid)
        elif handle.lost_at is not None and now >= handle.lost_at + LOST_SECONDS:
            patience = plan.graceful_seconds + KILL_MARGIN_SECONDS
            yield Signal(handle.pid, Reason.LOST, Push.TERM, patience)
        elif now >= _ready_by(handle, plan.boot_seconds):
            yield Signal(handle.pid, Reason.SLOW_BOOT, Push.ABRT, ABORT_SECONDS)
        elif any(now - asked >= FORK_SECONDS for asked in handle.asked.values()):
            yield Signal(handle.pid, Reason.FROZEN, Push.ABRT, ABORT_SECONDS)


def _ready_by(handle: Handle, boot_seconds: float) -> float:
    if handle.state is WorkerState.BOOTING:
        return handle.born + boot_seconds
    if handle.state is WorkerState.READY and handle.told_to_serve_at is not None:
        return handle.told_to_serve_at + boot_seconds
    return float("inf")


def _watch_requests(roster: Roster, now: float, readings: Readings) -> Iterator[Action]:
    for handle in roster.handles.values():
        reading = readings.get(handle.pid)
        if reading is None or reading.state not in _WORKING:
            continue
        timeout = roster.plan_of(handle).timeout_seconds
        if timeout and _is_frozen(handle, reading, timeout, now):
            yield Signal(handle.pid, Reason.FROZEN, Push.ABRT, ABORT_SECONDS)
        elif timeout:
            for request in reading.running:
                is_known = request.key in handle.expiring or request.key in handle.stuck
                if request.age_seconds > timeout and not is_known:
                    yield TellToExpire(handle.pid, request.thread, request.started_ns)


def _is_frozen(handle: Handle, reading: Reading, timeout: float, now: float) -> bool:
    if handle.leave is not None and handle.leave.reason is Reason.FROZEN:
        return False
    patience = timeout + FREEZE_MARGIN_SECONDS
    is_silent = reading.silence_seconds is not None and reading.silence_seconds > patience
    is_mute = any(now - asked > FREEZE_MARGIN_SECONDS for asked in handle.expiring.values())
    return is_silent or is_mute


# ---------------------------------------------------------------------------------- stopping


def _stop(roster: Roster, busy: set[int]) -> Iterator[Action]:
    for handle in roster.handles.values():
        if handle.leave is None and handle.pid not in busy:
            yield _ask_to_leave(
                roster, handle, Reason.STOPPED, answer_backlog=not roster.others_listen
            )
    if not roster.handles:
        yield Finish()


def _hurry(roster: Roster, busy: set[int]) -> Iterator[Action]:
    for handle in roster.handles.values():
        is_hurried = handle.leave is not None and handle.leave.reason in _SIGNALLED
        if not is_hurried and handle.pid not in busy:
            yield Signal(handle.pid, Reason.HURRIED, Push.QUIT, QUICK_SECONDS)
    if not roster.handles:
        yield Finish()


_SIGNALLED = (Reason.HURRIED, Reason.FROZEN, Reason.SLOW_BOOT)


def _ask_to_leave(
    roster: Roster, handle: Handle, reason: Reason, *, answer_backlog: bool = False
) -> Action:
    """The gentle way for a worker in its state: one that has accepted nothing has no drain."""
    if handle.state in {WorkerState.BOOTING, WorkerState.READY}:
        return Signal(handle.pid, reason, Push.TERM, QUICK_SECONDS)
    within = roster.plan_of(handle).graceful_seconds
    return TellToDrain(handle.pid, reason, answer_backlog, within, within + KILL_MARGIN_SECONDS)


# ------------------------------------------------------------------------------- generations


def _prove(roster: Roster) -> Iterator[Action]:
    """Bring the booting generation up: at once, or as fast as the old one may go."""
    generation = roster.in_state(GenerationState.BOOTING)
    if generation is None:
        return
    if generation.failure is not None:
        yield Discard(generation.number)
        return
    workers = roster.staying(generation)
    rollout = rollout_of(roster)
    assert rollout is not None
    yield from _fork(roster, generation, rollout.new - len(workers))
    is_whole = len(workers) >= generation.wanted
    if is_whole and all(w.state is WorkerState.SERVING for w in workers):
        yield Promote(generation.number)
    elif not rollout.at_once or (
        is_whole and all(w.state in {WorkerState.READY, WorkerState.SERVING} for w in workers)
    ):
        # Where all may be there at once, all are proven and start to serve together.
        for worker in workers:
            if worker.state is WorkerState.READY and worker.told_to_serve_at is None:
                yield TellToServe(worker.pid)


def _fork(roster: Roster, generation: Generation, missing: int) -> Iterator[Action]:
    """So many workers more, once there is what they are forked from."""
    if generation.plan.preloads:
        server = roster.fork_server_of(generation)
        if server is None:
            yield Preload(generation.number)
            return
        missing = missing - len(server.asked) if server.state is WorkerState.READY else 0
    for _ in range(missing):
        yield Fork(generation.number)


def _retire(roster: Roster, busy: set[int]) -> Iterator[Action]:
    for generation in roster.generations.values():
        if generation.state not in _LEAVING:
            continue
        members = roster.members_of(generation)
        backlog = generation.answers_backlog_at_retirement
        needed = still_needed(roster, generation)
        for handle in members:
            if handle.leave is None and handle.pid not in busy:
                if needed and handle.state is WorkerState.SERVING:
                    needed -= 1
                    continue
                reason = _LEAVING[generation.state]
                yield _ask_to_leave(roster, handle, reason, answer_backlog=backlog)
        if not members:
            yield Forget(generation.number)


_LEAVING = {
    GenerationState.RETIRING: Reason.RETIRED,
    GenerationState.FAILED: Reason.DISCARDED,
}


def _begin(roster: Roster) -> Iterator[Action]:
    if (
        roster.is_reload_wanted
        and roster.phase is Phase.RUNNING
        and roster.in_state(GenerationState.BOOTING) is None
    ):
        yield BeginGeneration()


# ---------------------------------------------------------------------- the live generation


def _keep_live(roster: Roster, now: float, readings: Readings, busy: set[int]) -> Iterator[Action]:
    """As many workers as wanted; a worn one leaves when its replacement serves."""
    generation = roster.in_state(GenerationState.LIVE)
    if generation is None:
        return
    rollout = rollout_of(roster)
    wanted = generation.wanted if rollout is None else rollout.old
    workers = [h for h in roster.staying(generation) if h.pid not in busy]
    for handle in workers:
        if handle.state is WorkerState.READY and handle.told_to_serve_at is None:
            yield TellToServe(handle.pid)
    if not generation.backoff.failures:
        helpless = [h for h in workers if _is_helpless(h, generation, readings)]
        for handle in helpless:
            # No thread is free to serve what it would accept; the others should have that.
            yield _ask_to_leave(roster, handle, Reason.STUCK)
        workers = [h for h in workers if h not in helpless]
    yield from _fork_missing(roster, generation, workers, wanted, now)
    for handle in _superfluous(generation, workers, wanted):
        reason = _reason_of_wear(handle)
        if reason is Reason.EXCESS and wanted < generation.wanted:
            reason = Reason.RETIRED
        yield _ask_to_leave(roster, handle, reason)


def _is_helpless(handle: Handle, generation: Generation, readings: Readings) -> bool:
    reading = readings.get(handle.pid)
    if reading is None or handle.state is not WorkerState.SERVING:
        return False
    stuck = sum(1 for request in reading.running if request.key in handle.stuck)
    return stuck >= generation.plan.threads


def _fork_missing(
    roster: Roster, generation: Generation, staying: list[Handle], wanted: int, now: float
) -> Iterator[Action]:
    missing = wanted + _surge(roster, generation, staying) - len(staying)
    backoff = generation.backoff
    room = generation.plan.max_workers - len(roster.workers_of(generation))
    missing = max(0, min(missing, room))
    if now < backoff.retry_at:
        return
    if backoff.is_looping:
        if any(h.state is WorkerState.BOOTING for h in staying):
            return
        missing = min(missing, 1)
    yield from _fork(roster, generation, missing)


def _surge(roster: Roster, generation: Generation, staying: list[Handle]) -> int:
    """How many replacements may be there beside those that they replace.

    One for each worker with a stuck request; of those that ask to be recycled as many as the surge
    allows, counting those that have not yet gone: one where nothing else is said.
    """
    stuck = sum(1 for h in staying if h.wear is Wear.STUCK)
    worn = sum(1 for h in staying if h.wear is Wear.RECYCLED)
    allowed = recycling_allowances(generation)[0] - _recycling(roster, generation)
    return stuck + max(0, min(worn, allowed))


def _recycling(roster: Roster, generation: Generation) -> int:
    """How many workers are on their way out to be recycled."""
    leaves = (h.leave for h in roster.workers_of(generation))
    return sum(1 for leave in leaves if leave is not None and leave.reason is Reason.RECYCLED)


def _superfluous(generation: Generation, staying: list[Handle], wanted: int) -> list[Handle]:
    """Who may leave without missing: first the worn, those with a stuck request before others.

    Of the worn as many more as may be missing while they are replaced.
    """
    serving = [h for h in staying if h.state is WorkerState.SERVING]
    # Sorting keeps the order of age within each kind, so the oldest leave first.
    kinds = [Wear.STUCK, Wear.RECYCLED, None]
    serving.sort(key=lambda h: kinds.index(h.wear))
    over = max(0, len(serving) - wanted)
    missing = recycling_allowances(generation)[1]
    worn = [h for h in serving if h.wear is not None][: max(0, len(serving) - wanted + missing)]
    return serving[:over] if over >= len(worn) else worn


def _reason_of_wear(handle: Handle) -> Reason:
    match handle.wear:
        case Wear.STUCK:
            return Reason.STUCK
        case Wear.RECYCLED:
            return Reason.RECYCLED
        case None:
            return Reason.EXCESS
