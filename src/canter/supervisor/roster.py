"""Who is there: the generations, their workers, and what has been told to whom.

The roster takes in what happens (messages, deaths, signals' meanings) and what was done (actions),
and answers questions. It decides nothing; that is `policy`. A worker seen from here is a *handle*.

Pure: process numbers and times come from the caller, so tests invent them. Times are seconds of a
monotonic clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from canter.supervisor.actions import (
    Action,
    BeginDrain,
    BeginGeneration,
    Discard,
    Finish,
    Forget,
    Kill,
    Promote,
    Reason,
    Signal,
    TellToDrain,
    TellToExpire,
    TellToServe,
)
from canter.supervisor.backoff import Backoff
from canter.supervisor.scaling import Span
from canter.supervisor.states import (
    Command,
    GenerationEvent,
    GenerationState,
    Phase,
    next_generation_state,
    next_phase,
)
from canter.worker.messages import (
    BootFailed,
    Expired,
    Forked,
    Leaving,
    Message,
    NotForked,
    Ready,
    Serving,
    WantsReplacement,
)
from canter.worker.states import WorkerEvent, WorkerState, next_state

FAILED_EXIT_SECONDS = 5.0
USEFUL_AFTER_SECONDS = 5.0
KILL_MARGIN_SECONDS = 2.0
"""Workers keep to their time by themselves; the supervisor kills when this much has passed more."""

RequestKey = tuple[int, int]
"""A running request: its thread's index and when it started (monotonic ns)."""


@dataclass(frozen=True, slots=True)
class Share:
    """A number of workers, or a part of them in percent."""

    number: int
    is_percentage: bool = False

    def of_at_least(self, workers: int) -> int:
        """How many that is; a part of a worker counts as one."""
        return -(-self.number * workers // 100) if self.is_percentage else self.number

    def of_at_most(self, workers: int) -> int:
        """How many that is; a part of a worker does not count."""
        return self.number * workers // 100 if self.is_percentage else self.number


@dataclass(frozen=True, slots=True)
class Plan:
    """A generation's part of the settings. `timeout_seconds` 0 = requests may take for ever."""

    workers: int
    threads: int
    timeout_seconds: float
    graceful_seconds: float
    boot_seconds: float
    max_workers: int
    """How many the scoreboard has room for, replacements included."""
    preloads: bool = False
    """Workers are forked from a fork server, which imports the application."""
    surge: Share | None = None
    """How many workers may be there beyond those wanted; None: as suits what happens."""
    unavailable: Share = Share(0)
    """How many of the wanted workers may be missing."""
    most_workers: int = 0
    """Where it is above `workers`: how many there may be under load."""
    drain_delay_seconds: float = 0.0
    """How long to serve on, saying that the service leaves, before a graceful end begins."""

    @property
    def span(self) -> Span | None:
        """Between how many workers to choose by the load; None where a number is given."""
        return Span(self.workers, self.most_workers) if self.most_workers > self.workers else None

    @property
    def is_multiprocess(self) -> bool:
        """Whether requests may run in several processes at once."""
        return max(self.workers, self.most_workers) > 1

    @property
    def most_wanted(self) -> int:
        """How many workers may be wanted, so that there is room to replace them."""
        return max(1, self.max_workers // 2)


class Wear(Enum):
    """Why a worker should be replaced, once somebody can take its place."""

    RECYCLED = auto()
    """It has said itself that it has done its share: requests, age, memory."""
    STUCK = auto()


@dataclass(frozen=True, slots=True)
class Leave:
    """That a worker was told to leave, why, and when it will be killed (inf once it was)."""

    reason: Reason
    kill_at: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a worker, or the generation it was to prove, could not start."""

    exit_status: int
    message: str
    traceback: str = ""
    is_death: bool = False
    """It was seen from outside only: the process ended."""


@dataclass(slots=True, eq=False)
class Handle:
    """One worker, or fork server, as the supervisor knows it."""

    pid: int
    generation: int
    slot: int
    born: float
    state: WorkerState = WorkerState.BOOTING
    told_to_serve_at: float | None = None
    serving_since: float | None = None
    wear: Wear | None = None
    worn_because: str = ""
    """What it said when it asked to be replaced."""
    leave: Leave | None = None
    lost_at: float | None = None
    """When it hung up, which is mostly a moment before it is seen to have died."""
    expiring: dict[RequestKey, float] = field(default_factory=dict)
    """Requests it was told to end and has not answered about, with when it was told."""
    stuck: set[RequestKey] = field(default_factory=set)
    """Requests that were answered for it, while its thread still runs."""
    is_fork_server: bool = False
    asked: dict[int, float] = field(default_factory=dict)
    """Of a fork server: the tickets of workers it was asked for, with when."""

    @property
    def name(self) -> str:
        """What the log calls it."""
        return f"fork server {self.pid}" if self.is_fork_server else f"worker {self.pid}"


@dataclass(slots=True, eq=False)
class Generation:
    """One deploy."""

    number: int
    plan: Plan
    wanted: int
    wanted_before: int = 0
    """What was wanted when all workers were told to leave and the supervisor to stay."""
    state: GenerationState = GenerationState.BOOTING
    backoff: Backoff = field(default_factory=Backoff)
    failure: Failure | None = None
    boot_seconds: float = 0.0
    """From its first fork until it served; 0 before."""
    is_heir: bool = True
    """It serves at every address that its predecessor serves."""
    is_held: bool = False
    """Its number of workers was set by hand: it does not follow the load any more."""
    answers_backlog_at_retirement: bool = False
    """Some of its addresses are not served by its successor, so their queues are its to empty."""


class Roster:
    """The registry. `jitter` gives numbers from 0 to 1."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        self.phase = Phase.STARTING
        self.generations: dict[int, Generation] = {}
        self.handles: dict[int, Handle] = {}
        self.is_reload_wanted = False
        self.reloads_asked = 0
        self.others_listen = False
        """Whether what waits in the listen queues when we leave is answered by somebody else."""
        self.drain_at = math.inf
        """When the drain begins, in the phase DELAYING."""
        self.exit_status = 0
        self.failure: Failure | None = None
        self._jitter = jitter
        self._last_number = 0

    # ---------------------------------------------------------------------------- questions

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to do."""
        return self.phase is Phase.ENDED

    def in_state(self, state: GenerationState) -> Generation | None:
        """The newest generation in `state`."""
        found = [g for g in self.generations.values() if g.state is state]
        return found[-1] if found else None

    def members_of(self, generation: Generation) -> list[Handle]:
        """All its processes, oldest first: its workers, and its fork server if it has one."""
        return [h for h in self.handles.values() if h.generation == generation.number]

    def workers_of(self, generation: Generation) -> list[Handle]:
        """Its workers, oldest first."""
        return [h for h in self.members_of(generation) if not h.is_fork_server]

    def fork_server_of(self, generation: Generation) -> Handle | None:
        """Its fork server, unless that was told to leave."""
        members = self.members_of(generation)
        return next((h for h in members if h.is_fork_server and h.leave is None), None)

    def staying(self, generation: Generation) -> list[Handle]:
        """Its workers that were not told to leave, oldest first."""
        return [h for h in self.workers_of(generation) if h.leave is None]

    def scalable(self) -> Generation | None:
        """Whose number of workers can be changed."""
        return self.in_state(GenerationState.LIVE) or self.in_state(GenerationState.BOOTING)

    def newest_wanted(self) -> int | None:
        """How many workers the newest generation is to have, None if there is none."""
        newest = self.in_state(GenerationState.BOOTING) or self.in_state(GenerationState.LIVE)
        return None if newest is None else newest.wanted

    def plan_of(self, handle: Handle) -> Plan:
        """The plan that `handle` was started by."""
        return self.generations[handle.generation].plan

    # ----------------------------------------------------------------------- what happened

    def add_generation(self, plan: Plan) -> Generation:
        """A new generation, about to boot."""
        self._last_number += 1
        live = self.in_state(GenerationState.LIVE)
        generation = Generation(self._last_number, plan, plan.workers)
        if plan.span is not None and live is not None and live.plan.span is not None:
            # The load does not begin anew with the code.
            generation.wanted = min(max(live.wanted, plan.workers), plan.most_workers)
        self.generations[generation.number] = generation
        return generation

    def add_worker(self, generation: Generation, pid: int, slot: int, now: float) -> Handle:
        """A worker was forked."""
        handle = Handle(pid, generation.number, slot, born=now)
        self.handles[pid] = handle
        return handle

    def add_fork_server(self, generation: Generation, pid: int, slot: int, now: float) -> None:
        """The fork server of `generation` was started."""
        self.handles[pid] = Handle(pid, generation.number, slot, born=now, is_fork_server=True)

    def note_asked(self, server: Handle, ticket: int, now: float) -> None:
        """A fork server was asked for a worker."""
        server.asked[ticket] = now

    def note_fork_failure(
        self, generation: Generation, message: str, traceback: str, now: float
    ) -> None:
        """A worker could not be forked."""
        self._note_failure(generation, Failure(3, message, traceback), now)

    def hear(self, handle: Handle, message: Message, now: float) -> None:
        """A worker said something.

        Raises ImpossibleEventError when it makes no sense in its state.
        """
        match message:
            case Ready():
                handle.state = next_state(handle.state, WorkerEvent.PROVEN)
                if handle.is_fork_server:
                    handle.serving_since = now
            case Forked(ticket=ticket):
                handle.asked.pop(ticket, None)
            case NotForked(ticket=ticket, message=text, traceback=traceback):
                handle.asked.pop(ticket, None)
                generation = self.generations[handle.generation]
                self.note_fork_failure(generation, text, traceback, now)
            case Serving():
                handle.state = next_state(handle.state, WorkerEvent.SERVES)
                handle.serving_since = now
            case BootFailed(exit_status=status, message=text, traceback=traceback):
                self._leave(handle, Reason.FAILED, now + FAILED_EXIT_SECONDS)
                self._note_failure(
                    self.generations[handle.generation], Failure(status, text, traceback), now
                )
            case WantsReplacement(why=why):
                handle.wear = handle.wear or Wear.RECYCLED
                handle.worn_because = why
            case Leaving():
                plan = self.plan_of(handle)
                kill_at = now + plan.graceful_seconds + KILL_MARGIN_SECONDS
                self._leave(handle, Reason.TOLD_BY_OTHERS, kill_at)
            case Expired(thread=thread, started_ns=started_ns, was_running=was_running):
                handle.expiring.pop((thread, started_ns), None)
                if was_running:
                    handle.stuck.add((thread, started_ns))
                    handle.wear = Wear.STUCK
            case _:
                pass  # The rest is either for workers or concerns nobody here.

    def note_hang_up(self, handle: Handle, now: float) -> None:
        """A worker closed its end of the channel, or was not to be understood any more."""
        handle.lost_at = now

    def note_death(self, handle: Handle, requests: int, cause: str, now: float) -> None:
        """A worker's process has ended, having answered so many requests; `cause` tells how."""
        del self.handles[handle.pid]
        handle.state = next_state(handle.state, WorkerEvent.ENDED)
        if handle.leave is not None:
            return
        generation = self.generations[handle.generation]
        lived = 0.0 if handle.serving_since is None else now - handle.serving_since
        if generation.state is GenerationState.LIVE and (requests or lived >= USEFUL_AFTER_SECONDS):
            generation.backoff.note_useful_life()
        elif self.phase is Phase.STARTING and handle.serving_since is not None:
            # It served, only its generation was not promoted yet: no failed start, but a death like
            # any later one. (A reload has an old generation to go on with, and is more careful.)
            pass
        else:
            text = f"a worker {cause} before it served"
            if handle.is_fork_server:
                text = f"the fork server {cause}"
            self._note_failure(generation, Failure(3, text, is_death=True), now)

    def request_stop(self, command: Command, now: float) -> None:
        """Somebody asked for the end of the service."""
        live = self.in_state(GenerationState.LIVE)
        delay = 0.0 if live is None else live.plan.drain_delay_seconds
        if delay and command is Command.STOP_GRACEFULLY and self.phase is Phase.RUNNING:
            command = Command.STOP_LATER
            self.drain_at = now + delay
        self.phase = next_phase(self.phase, command)

    def request_reload(self) -> None:
        """Somebody asked for a new generation; asking many times asks for one."""
        self.is_reload_wanted = True
        self.reloads_asked += 1

    def change_wanted(self, change: int, *, by_hand: bool = True) -> int | None:
        """More or fewer workers, at least one. The new number, None if it stays.

        What was set by hand holds: the generation does not follow the load any more.
        """
        generation = self.scalable()
        if generation is None:
            return None
        generation.is_held |= by_hand
        wanted = min(max(generation.wanted + change, 1), generation.plan.most_wanted)
        if wanted == generation.wanted:
            return None
        generation.wanted = wanted
        return wanted

    def empty(self) -> bool:
        """Stop every worker and keep the supervisor. Whether there is anything to stop."""
        generation = self.scalable()
        if generation is None or not generation.wanted:
            return False
        generation.wanted_before, generation.wanted = generation.wanted, 0
        return True

    def refill(self) -> int | None:
        """Want as many workers again as before `empty`; how many, None if that changes nothing."""
        generation = self.scalable()
        if generation is None or generation.wanted or not generation.wanted_before:
            return None
        generation.wanted = generation.wanted_before
        return generation.wanted

    # ------------------------------------------------------------------------ what was done

    def note(self, action: Action, now: float) -> None:
        """An action of the policy is being carried out."""
        match action:
            case TellToServe(pid=pid):
                self.handles[pid].told_to_serve_at = now
            case TellToDrain(pid=pid, reason=reason, kill_after_seconds=patience):
                self._leave(self.handles[pid], reason, now + patience)
            case TellToExpire(pid=pid, thread=thread, started_ns=started_ns):
                self.handles[pid].expiring[thread, started_ns] = now
            case Signal(pid=pid, reason=reason, kill_after_seconds=patience):
                self._leave(self.handles[pid], reason, now + patience)
                if reason is Reason.SLOW_BOOT:
                    self._note_slow_boot(self.handles[pid], now)
            case Kill(pid=pid):
                self._note_kill(self.handles[pid])
            case BeginGeneration():
                self.is_reload_wanted = False
            case Promote(generation=number):
                self._promote(self.generations[number], now)
            case Discard(generation=number):
                self._move(self.generations[number], GenerationEvent.DISCARDED)
            case Forget(generation=number):
                self._move(self.generations.pop(number), GenerationEvent.EMPTIED)
            case BeginDrain() | Finish():
                is_end = isinstance(action, Finish)
                self.phase = next_phase(
                    self.phase, Command.EMPTIED if is_end else Command.DELAY_OVER
                )
            case _:
                pass  # A fork is noted by add_worker, when there is a process number.

    def _note_slow_boot(self, handle: Handle, now: float) -> None:
        generation = self.generations[handle.generation]
        seconds = f"{generation.plan.boot_seconds:g}"
        who = "the fork server" if handle.is_fork_server else "a worker"
        text = f"{who} was not ready within {seconds} s (boot_timeout)"
        self._note_failure(generation, Failure(3, text), now)

    def _note_kill(self, handle: Handle) -> None:
        reason = Reason.LOST if handle.leave is None else handle.leave.reason
        handle.leave = Leave(reason, math.inf)

    def _promote(self, generation: Generation, now: float) -> None:
        born = min((worker.born for worker in self.workers_of(generation)), default=now)
        generation.boot_seconds = now - born
        for live in self._with_state(GenerationState.LIVE):
            self._move(live, GenerationEvent.RETIRED)
        self._move(generation, GenerationEvent.PROMOTED)
        if self.phase is Phase.STARTING:
            self.phase = next_phase(self.phase, Command.FIRST_LIVE)

    def _with_state(self, state: GenerationState) -> Iterator[Generation]:
        return (g for g in list(self.generations.values()) if g.state is state)

    def _move(self, generation: Generation, event: GenerationEvent) -> None:
        generation.state = next_generation_state(generation.state, event)

    def _leave(self, handle: Handle, reason: Reason, kill_at: float) -> None:
        """Told again, a worker keeps the earlier end."""
        handle.state = next_state(handle.state, WorkerEvent.LEAVES)
        if handle.leave is not None:
            kill_at = min(kill_at, handle.leave.kill_at)
        handle.leave = Leave(reason, kill_at)

    def _note_failure(self, generation: Generation, failure: Failure, now: float) -> None:
        """Starting failed: for a generation that boots that is the end, a live one tries again."""
        if generation.state is GenerationState.LIVE:
            generation.backoff.note_failure(now, self._jitter())
            generation.failure = failure
        elif generation.state is GenerationState.BOOTING and generation.failure is None:
            generation.failure = failure
            if self.phase is Phase.STARTING:
                self.phase = next_phase(self.phase, Command.FIRST_FAILED)
                self.failure = failure
                self.exit_status = failure.exit_status
