"""The supervisor's loop: wait, take in what happened, have the policy decide, do it.

Everything that happens is told to the roster first; what follows from it is decided by `policy`
only. Nothing that goes wrong here may end the loop, because the workers would go with it: an
unforeseen error is logged and the next round begins.
"""

from __future__ import annotations

import contextlib
import select
import selectors
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import random
from typing import assert_never

from canter.observe.logs import ErrorLog
from canter.observe.scoreboard import WorkerSlot
from canter.settings import Settings
from canter.supervisor import policy, reports
from canter.supervisor.actions import (
    Action,
    BeginDrain,
    BeginGeneration,
    Discard,
    Finish,
    Forget,
    Fork,
    GenerationAction,
    Kill,
    Preload,
    Promote,
    Reason,
    Signal,
    TellToDrain,
    TellToExpire,
    TellToServe,
    WorkerAction,
)
from canter.supervisor.births import Births
from canter.supervisor.control import ControlSocket
from canter.supervisor.crew import Crew
from canter.supervisor.deploy import Deploy, Deploys, renew_log
from canter.supervisor.desk import Desk
from canter.supervisor.following import Scaling
from canter.supervisor.hooks import ServerHooks
from canter.supervisor.inbox import SignalInbox
from canter.supervisor.journal import Journal
from canter.supervisor.ledger import Ledger
from canter.supervisor.memory_kills import MemoryKills
from canter.supervisor.observer import Observer
from canter.supervisor.readings import noted_in, read_slot, running_lines, tally_of
from canter.supervisor.recorder import Recorder
from canter.supervisor.roster import Failure, Handle, Roster
from canter.supervisor.states import Command, GenerationState, Phase
from canter.supervisor.upgrade import Outside, Upgrade
from canter.supervisor.watch import FileWatch
from canter.worker.channel import Channel
from canter.worker.identity import Identity
from canter.worker.messages import (
    Drain,
    Expire,
    Expired,
    Forked,
    Garbled,
    Message,
    NotForked,
    Serve,
    Serving,
    Stacks,
    Watch,
)
from canter.worker.states import ImpossibleEventError
from canter.worker.task import Application

_HOW_TO_STOP = {
    Phase.DELAYING: "leaving; serving on until load balancers have noticed (drain_delay)",
    Phase.STOPPING: "draining",
    Phase.HURRYING: "stopping at once",
}
_FILES_EVERY_SECONDS = 1.0
_ROUNDS_AT_ONCE = 20
_TROUBLE_PAUSE_SECONDS = 1.0
_TROUBLES_AT_THE_END = 3
# Between two of our own rounds: longer means that the machine, or we, stood still.
_GAP_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Service:
    """What is served: by name, and how its parts are had.

    application: a callable that the embedding program made; None = workers load it.
    reload_settings: gives the settings for a reload; None = they stay.
    """

    name: str
    hooks: ServerHooks
    application: Application | None = None
    reload_settings: Callable[[], Settings] | None = None


class Supervisor:
    """One server's parent process, from its first worker to its last."""

    def __init__(
        self,
        first: Deploy,
        deploys: Deploys,
        inbox: SignalInbox,
        log: ErrorLog,
        service: Service,
        outside: Outside,
    ) -> None:
        self._deploys = deploys
        self._outside = outside
        self._herald = outside.herald
        self._succession = outside.succession
        self._hooks = service.hooks
        self._inbox = inbox
        self._error_log = log
        self._log = log.logger
        self._service = service
        self._settings = first.settings
        self._roster = Roster(random)
        self._scaling = Scaling()
        self._ledger = Ledger()
        self._journal = Journal(log.logger, self._ledger)
        self._recorder = Recorder()
        self._crew = Crew()
        self._memory_kills = MemoryKills(time.monotonic())
        self._selector = selectors.DefaultSelector()
        self._desk = Desk(
            self._roster,
            self._crew,
            deploys,
            log.logger,
            self,
            service.name,
            self._ledger,
            self._recorder,
        )
        self._upgrade = Upgrade(outside, self._roster, deploys, log.logger, self._open_desk)
        self._births = Births(
            self._roster,
            self._crew,
            deploys,
            self._selector,
            service.application,
            service.hooks,
            lambda: (
                *self._observer.copies(),
                *self._desk.copies(),
                *outside.copies(),
                inbox,
            ),
            log.logger,
        )
        self._observer = Observer(self._crew, log, self._desk.snapshot)
        self._watch = FileWatch(first.settings.reload_extra_files)
        self._files_due = 0.0
        self._last_round = time.monotonic()
        self._awake_since = 0.0
        self._troubles = 0
        deploys.add(self._roster.add_generation(first.plan).number, first)

    def observe(self, identity: Identity) -> None:
        """Have a process of its own show what the server does, where the settings ask for it.

        Raises ConfigError or BindError.
        """
        may_wait = not self._succession.is_alone
        self._deploys.placard = self._observer.open(self._settings, identity, may_wait=may_wait)

    def run(self) -> int:
        """Serve until told to stop. The exit status."""
        self._selector.register(self._inbox, selectors.EVENT_READ)
        self._upgrade.begin()
        while not self._roster.is_over:
            try:
                self._act()
                self._herald.tell(self._roster, time.monotonic())
                if not self._roster.is_over:
                    self._wait()
                    self._take_in()
                    self._herald.tell(self._roster, time.monotonic())
                self._troubles = 0
            except Exception:  # noqa: BLE001 - no worker may suffer for a fault of this loop
                self._log.exception("the supervisor failed at something and goes on")
                if self._is_hopeless():
                    return 1
        return self._roster.exit_status

    def _is_hopeless(self) -> bool:
        """After a failed round: whether to let go of the workers, which then end by themselves.

        Only where the service is to end anyway. Until then this is the pace of failing rounds, and
        signals are obeyed in them.
        """
        self._troubles += 1
        select.select([self._inbox], [], [], _TROUBLE_PAUSE_SECONDS)
        with contextlib.suppress(Exception):
            for number in self._inbox.take():
                self._obey(number)
        is_ending = self._roster.phase in {Phase.STOPPING, Phase.HURRYING}
        return is_ending and self._troubles >= _TROUBLES_AT_THE_END

    def close(self) -> None:
        """Give back what the loop made for itself."""
        self._upgrade.look()
        self._desk.close()
        self._selector.close()
        self._error_log.close()

    def finish(self) -> None:
        """Tell those who wait for the end, and those who watch, that it has come."""
        self._desk.finish()
        self._observer.end()

    def _open_desk(self, control: ControlSocket) -> None:
        self._desk.open(control, self._selector)

    @property
    def failure(self) -> Failure | None:
        """Why the start failed, if it did."""
        return self._roster.failure

    # -------------------------------------------------------------------------- taking in

    def _wait(self) -> None:
        now = time.monotonic()
        limits = [
            policy.tick_seconds(self._roster),
            self._desk.patience_seconds(now),
            self._hooks.note_load(now, self._desk.load),
            self._herald.patience_seconds(self._roster, now),
            self._succession.patience_seconds(),
            self._desk.patience_seconds(time.monotonic()),
            self._observer.patience_seconds(time.monotonic()),
        ]
        if self._settings.reload:
            limits.append(_FILES_EVERY_SECONDS)
        self._selector.select(min((s for s in limits if s is not None), default=None))
        now = time.monotonic()
        if now - self._last_round > _GAP_SECONDS:
            # Nobody's loop may have run meanwhile: ages count from here.
            self._awake_since = now
        self._last_round = now

    def _take_in(self) -> None:
        # Signals first: who told us all to stop should not look like workers that failed.
        for number in self._inbox.take():
            self._obey(number)
        now = time.monotonic()
        for pid in list(self._roster.handles):
            self._listen_to(self._roster.handles[pid], now)
        for pid, death in self._crew.reap(list(self._roster.handles)):
            # Its last words are still in the channel, and they say why.
            self._listen_to(self._roster.handles[pid], now)
            self._bury(self._roster.handles[pid], death, now)
        self._births.look_after_owed()
        self._upgrade.look()
        self._observer.take_in(now, self._births.not_the_observers)
        if self._service.application is None and not self._births.is_expecting:
            self._crew.reap_foreign(spared=self._succession.other)
        self._memory_kills.look(now)
        self._recorder.look(self._roster.handles, now)
        self._journal.tell_repeats(now)
        self._look_at_files(now)
        self._desk.take_in(now)

    def _obey(self, number: signal.Signals) -> None:
        match number:
            case signal.SIGTERM:
                self.stop(Command.STOP_GRACEFULLY, number.name)
            case signal.SIGINT | signal.SIGQUIT:
                self.stop(Command.STOP_AT_ONCE, number.name)
            case signal.SIGHUP:
                self.reload("SIGHUP")
            case signal.SIGUSR1:
                self._error_log.reopen()
                self._hooks.reopen_logs()
                for pid in self._roster.handles:
                    self._crew.signal(pid, signal.SIGUSR1)
            case signal.SIGTTIN | signal.SIGTTOU:
                wanted = self._roster.change_wanted(1 if number == signal.SIGTTIN else -1)
                stays = "as many workers as before" if wanted is None else f"{wanted} workers"
                self._log.info("%s: %s wanted", number.name, stays)
            case signal.SIGWINCH:
                may = self._settings.daemon or not self._succession.is_alone
                if may and self._roster.empty():
                    self._log.info("SIGWINCH: stopping all workers")
            case signal.SIGUSR2:
                self._upgrade.ask(number.name)
            case _:
                pass  # CHLD: workers are looked after in every round.

    def reload(self, cause: str) -> None:
        """Somebody asks for a new generation: a signal, or a command."""
        if not self._roster.is_reload_wanted:
            self._log.info("%s: reloading", cause)
        self._error_log.reopen()
        self._roster.request_reload()

    def stop(self, command: Command, cause: str) -> None:
        """Somebody asks for the end: a signal, or a command."""
        self._roster.request_stop(command, time.monotonic())
        self._upgrade.note_stop()
        self._log.info("%s: %s", cause, _HOW_TO_STOP[self._roster.phase])
        self._desk.note_stopping()
        if not self._deploys.are_shared:
            self._deploys.note_leaving()
        if self._roster.phase is not Phase.DELAYING:
            self._close_doors()

    def _close_doors(self) -> None:
        if not self._deploys.are_shared:
            # No new clients find the files; workers answer those that are in the queues already.
            self._deploys.close_all_but(())

    def _listen_to(self, handle: Handle, now: float) -> None:
        if handle.lost_at is not None:
            return
        channel = self._crew.channels[handle.pid]
        channel.flush()
        descriptor = channel.fileno()
        for message in channel.receive():
            self._hear(handle, message, channel, now)
        if not channel.is_open:
            self._selector.unregister(descriptor)
            self._roster.note_hang_up(handle, now)
        elif self._selector.get_key(channel).events != channel.events:
            self._selector.modify(channel, channel.events)

    def _hear(
        self, handle: Handle, message: Message | Garbled, channel: Channel, now: float
    ) -> None:
        if isinstance(message, Garbled):
            self._log.error("%s is not to be understood: %s", handle.name, message.reason)
            return
        if isinstance(message, Watch):
            self._watch.add(message.files)
            return
        if isinstance(message, Stacks):
            self._desk.note_stacks(message.number, handle.pid, message.text)
            return
        try:
            self._roster.hear(handle, message, now)
        except ImpossibleEventError as error:
            self._log.error("%s makes no sense: %s", handle.name, error)
            channel.hang_up()
            return
        if isinstance(message, Expired) and message.was_running:
            self._recorder.note_stack(handle.pid, message.stack)
        if isinstance(message, Forked | NotForked):
            self._births.hear(handle, message, now)
        if isinstance(message, Serving):
            generation = self._roster.generations[handle.generation]
            self._journal.tell_serving(handle, generation, now)

    def _bury(self, handle: Handle, death: reports.Death, now: float) -> None:
        slot = self._slot(handle)
        if death.signal == "SIGKILL":
            death = replace(death, out_of_memory=self._memory_kills.struck_lately(now))
        cause = reports.cause_of_exit(handle.leave, death)
        self._ledger.note_exit(tally_of(slot), cause, noted_in(slot))
        is_looping = self._roster.generations[handle.generation].backoff.is_looping
        block = self._recorder.bury(handle, death, slot, self._why_not_started(handle), now)
        self._journal.tell_death(handle, death, block, now, is_looping=is_looping)
        # One that died of its first request has served as well: starting works.
        self._roster.note_death(handle, slot.requests + len(slot.running()), death.cause, now)
        self._hooks.buried(self._deploys[handle.generation].settings, handle.pid)
        self._desk.note_death(handle.pid)
        self._deploys[handle.generation].give_back(handle.slot)
        self._births.note_death(handle.pid)
        channel = self._crew.channels.pop(handle.pid)
        if channel.is_open:
            self._selector.unregister(channel)
            channel.close()

    def _why_not_started(self, handle: Handle) -> tuple[str, str]:
        """The message and the traceback; nothing of a worker that did not say that it failed."""
        failure = self._roster.generations[handle.generation].failure
        if failure is None or handle.leave is None or handle.leave.reason is not Reason.FAILED:
            return "", ""
        return failure.message, failure.traceback

    def _look_at_files(self, now: float) -> None:
        if not self._settings.reload or now < self._files_due:
            return
        self._files_due = now + _FILES_EVERY_SECONDS
        changed = self._watch.changed()
        if changed:
            more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
            self._log.info("%s%s changed: reloading", changed[0], more)
            self._roster.request_reload()

    # ------------------------------------------------------------------------------- doing

    def _act(self) -> None:
        """Do what follows, and what follows from that."""
        for _ in range(_ROUNDS_AT_ONCE):
            now = time.monotonic()
            self._follow_load(now)
            self._hooks.note_wanted(self._roster.newest_wanted())
            self._journal.tell_failures(self._roster, now)
            actions = policy.decide(self._roster, now, self._readings(now))
            if not actions:
                return
            for action in actions:
                self._do(action, now)

    def _follow_load(self, now: float) -> None:
        change = self._scaling.change(self._roster, self._slot, now)
        if change:
            wanted = self._roster.change_wanted(change, by_hand=False)
            why = "requests have to wait" if change > 0 else "there is little to do"
            self._log.info("%s: %s workers wanted", why, wanted)

    def _readings(self, now: float) -> dict[int, policy.Reading]:
        """What the board says of each worker."""
        return {
            pid: read_slot(self._slot(handle), now, self._awake_since)
            for pid, handle in self._roster.handles.items()
        }

    def _slot(self, handle: Handle) -> WorkerSlot:
        return self._deploys[handle.generation].board.slot(handle.slot)

    def _do(self, action: Action, now: float) -> None:
        match action:
            case TellToServe() | TellToDrain() | TellToExpire() | Signal() | Kill():
                self._tell(action, now)
            case _:
                self._arrange(action, now)

    def _tell(self, action: WorkerAction, now: float) -> None:
        """Have one worker do something."""
        pid = action.pid
        handle = self._roster.handles[pid]
        self._journal.tell_action(action, self._roster, running_lines(self._slot(handle)))
        self._roster.note(action, now)
        channel = self._crew.channels[pid]
        match action:
            case TellToServe():
                channel.send(Serve())
            case TellToDrain(answer_backlog=backlog, within_seconds=within):
                channel.send(Drain(backlog, within))
            case TellToExpire(thread=thread, started_ns=started_ns):
                channel.send(Expire(thread, started_ns))
            case Signal(push=push):
                self._crew.signal(pid, signal.Signals[f"SIG{push.value}"])
            case Kill():
                self._crew.signal(pid, signal.SIGKILL)
            case _:
                assert_never(action)

    def _arrange(self, action: GenerationAction, now: float) -> None:
        """Do something about a generation, or about everything."""
        self._journal.tell_action(action, self._roster, ())
        self._roster.note(action, now)
        match action:
            case Fork(generation=number):
                self._births.fork(number, self._error_log, now)
            case Preload(generation=number):
                self._births.preload(number, self._error_log, now)
            case BeginGeneration():
                self._begin()
            case Promote(generation=number):
                self._promote(number, now)
            case Discard(generation=number):
                self._hooks.use(self._settings)
                self._close_unused()
                self._ledger.note_reload(succeeded=False)
                self._desk.note_discarded(self._roster.generations[number])
            case Forget(generation=number):
                self._deploys.forget(number)
                self._journal.forget(number)
            case BeginDrain():
                self._log.info("draining")
                self._close_doors()
            case Finish():
                pass
            case _:
                assert_never(action)

    def _begin(self) -> None:
        """Make a new generation; if that fails, nothing has changed."""
        live = self._roster.in_state(GenerationState.LIVE)
        try:
            settings = self._settings
            if self._service.reload_settings is not None:
                settings = self._service.reload_settings()
            deploy = self._deploys.prepare(settings)
            self._error_log = renew_log(self._error_log, self._settings, settings)
            self._hooks.log_to(settings, self._error_log)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a configuration may be a program
            number = 0 if live is None else live.number
            self._log.error("the reload failed, generation %d goes on: %s", number, error)
            self._close_unused()
            self._ledger.note_reload(succeeded=False)
            self._desk.note_not_begun(str(error))
            return
        for warning in settings.warnings:
            self._log.warning("%s", warning)
        generation = self._roster.add_generation(deploy.plan)
        self._deploys.add(generation.number, deploy)
        if live is not None:
            generation.is_heir = self._deploys.serves_all_of(generation.number, live.number)
        self._desk.note_begun(generation.number)
        self._log.info("generation %d starts", generation.number)
        self._hooks.reloading(settings, deploy.plan.workers, deploy.listeners)

    def _promote(self, number: int, now: float) -> None:
        generation = self._roster.generations[number]
        deploy = self._deploys[number]
        for older in self._roster.generations.values():
            if older.state is GenerationState.RETIRING:
                is_heir = self._deploys.serves_all_of(number, older.number)
                older.answers_backlog_at_retirement = not is_heir
        self._settings = deploy.settings
        self._watch.look_for(deploy.settings.reload_extra_files)
        self._close_unused()
        self._journal.tell_promotion(generation, self._roster, now)
        if number > 1:
            self._ledger.note_reload(succeeded=True)
        self._outside.note_serving()
        self._desk.note_promoted(generation)

    def _close_unused(self) -> None:
        self._deploys.close_all_but(
            generation.number
            for generation in self._roster.generations.values()
            if generation.state in {GenerationState.BOOTING, GenerationState.LIVE}
        )
