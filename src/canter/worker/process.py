"""One worker's life, from the fork to the exit.

The main thread boots (settles in, loads the application, makes the engine), says so, and from then
on only waits: for signals, for what the supervisor says, for what the engine tells. It never runs
application code after the boot, so it always reacts. The states are those of `states`.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import time
from collections import deque
from collections.abc import Callable
from typing import NoReturn, assert_never

from canter.engine.contract import EngineEvent
from canter.errors import CanterError, ConfigError
from canter.observe.access import AccessLog
from canter.observe.logged_access import LoggedAccess
from canter.observe.scoreboard import Field
from canter.worker import booting, leaving, logbook, settling, wiring
from canter.worker.checkup import Checkup
from canter.worker.hooks.own import WorkerHooks
from canter.worker.memory import resident_bytes
from canter.worker.messages import (
    Drain,
    Expire,
    Expired,
    Garbled,
    Leaving,
    Message,
    News,
    Ready,
    Serve,
    Serving,
    SetLogLevel,
    Stacks,
    TellStacks,
    WantsReplacement,
    clip,
)
from canter.worker.sources import SourceFiles
from canter.worker.states import WorkerEvent, WorkerState, next_state
from canter.worker.task import WorkerTask
from canter.worker.tracing import Tracing
from canter.worker.warmup import warm_up
from canter.worker.wear import WearGauge

QUICK_EXIT_SECONDS = 1.0
_CLEAN_EXIT_SECONDS = 10.0
# After engine.stop() everything is over but for threads that are stuck in the application.
_STOP_SECONDS = 0.5
_SOURCES_EVERY_SECONDS = 1.0
_CHECK_EVERY_SECONDS = 0.5
_CERTIFICATES_EVERY_SECONDS = 1.0


def run_worker(task: WorkerTask) -> NoReturn:
    """Live a worker's life in this process, a fork just made with HANDLED_SIGNALS blocked.

    Never returns and never raises: the frames below belong to the supervisor.
    """
    exit_status = 1
    try:
        worker = Worker(task)
        exit_status = worker.run()
        worker.leave(exit_status)
    except BaseException:
        with contextlib.suppress(Exception):
            task.log.logger.exception("worker failed")
    finally:
        os._exit(exit_status)


class Worker:
    """The main thread of one worker process."""

    def __init__(self, task: WorkerTask) -> None:
        self._task = task
        self._channel = task.channel
        self._log = task.log.logger
        self._state = WorkerState.BOOTING
        self._events: deque[EngineEvent] = deque()
        self._engine: wiring.Engine | None = None
        self._access: AccessLog | LoggedAccess | None = None
        self._sources = SourceFiles() if task.settings.reload else None
        self._deadline: float | None = None
        self._gauge: WearGauge | None = None
        self._tracing: Tracing | None = None
        self._checkup: Checkup | None = None
        self._exit_status = 0
        self._is_clean = False
        self._hooks = task.hooks or WorkerHooks.apart(task.settings, task.log)

    def run(self) -> int:
        """Boot, serve, drain. The status to exit with."""
        self._settle_in()
        try:
            wiring.prepare_process(self._task.settings)
            self._hooks.forked(self._task.slot, self._task.listeners)
            self._engine = self._boot()
        except BaseException as error:  # noqa: BLE001 - whatever stops a boot is reported
            return booting.report_failure(self._task, error, self._sources)
        self._move(WorkerEvent.PROVEN)
        self._send_sources()
        self._channel.send(Ready())
        self._live()
        return self._exit_status

    def leave(self, exit_status: int) -> NoReturn:
        """End the process; after a clean drain, applications get time for their exit functions."""
        within = QUICK_EXIT_SECONDS
        if self._is_clean and self._deadline is not None:
            left = self._deadline - time.monotonic()
            within = max(QUICK_EXIT_SECONDS, min(left, _CLEAN_EXIT_SECONDS))
        if self._access is not None:
            self._access.close()
        leaving.leave(
            exit_status,
            within,
            self._task.log,
            first=self._say_goodbye,
            wait_for_threads=self._is_clean,
        )

    def _say_goodbye(self) -> None:
        self._hooks.leaving()
        if self._tracing is not None:
            self._tracing.close()

    # ------------------------------------------------------------------------------- booting

    def _settle_in(self) -> None:
        self._wakeup, _ = booting.settle_in(self._task, self._on_signal)
        self._event_read, self._event_write = settling.make_pipe()
        if self._hooks.wants_abort:
            settling.take_abort(self._on_abort)
        settling.enable_faulthandler(self._task.log)

    def _on_signal(self, number: int, _frame: object) -> None:
        # While the application is imported nobody reads the wake-up pipe, and there is nothing to
        # finish either. Later the pipe has the signal's number and the main loop acts on it.
        is_ended = number in settling.ENDING_SIGNALS and self._task.heeds_signals
        if self._state is WorkerState.BOOTING and is_ended:
            if number != signal.SIGTERM:
                self._hooks.interrupted()
            self._hooks.leaving()
            os._exit(0)

    def _on_abort(self, _number: int, _frame: object) -> None:
        self._hooks.worker.aborted = True
        self._hooks.aborted()
        self._hooks.leaving()
        self._task.log.flush()
        os._exit(1)

    def _boot(self) -> wiring.Engine:
        task = self._task
        loaded = booting.load(task, task.role)
        application = self._hooks.initialised(loaded.application)
        task.log.stand_firm()
        self._access = logbook.settled(loaded.access, self._hooks.worker.log)
        if task.settings.warmup:
            warm_up(application, task)
        self._checkup = wiring.make_checkup(task.settings, task.log.logger)
        around = self._hooks.around_calls()
        if task.settings.tracing:
            around = self._tracing = wiring.make_tracing(task, around)
        return wiring.make_engine(
            application,
            task,
            logbook.metered(self._access, task.log),
            self._on_engine_event,
            wiring.around_calls(task.settings, around),
            self._checkup,
        )

    def _send_sources(self) -> None:
        if self._sources is not None:
            for message in self._sources.changes():
                self._channel.send(message)

    # ---------------------------------------------------------------------- serving and after

    def _live(self) -> None:
        """Wait and react until there is nothing left to do."""
        watch: dict[int, Callable[[], None]] = {
            self._wakeup: self._on_signal_bytes,
            self._event_read: self._on_event_bytes,
        }
        # Made only now: an engine may have had other selectors put in the place of Python's own.
        self._selector = selectors.DefaultSelector()
        for descriptor, react in watch.items():
            self._selector.register(descriptor, selectors.EVENT_READ, react)
        self._selector.register(self._channel, self._channel.events, self._on_channel)
        while self._state is not WorkerState.GONE:
            if self._channel.is_open:
                self._selector.modify(self._channel, self._channel.events, self._on_channel)
            for key, _ in self._selector.select(self._patience_seconds()):
                key.data()
            if self._deadline is not None and time.monotonic() >= self._deadline:
                self._give_up()
            self._send_sources()
            self._look_at_wear()
            self._review_certificates()
            if self._checkup is not None:
                self._task.slot.words[Field.CHECK] = self._checkup.look()

    def _review_certificates(self) -> None:
        """New certificates where their files have changed; the old ones where those are no good."""
        keyring = self._task.keyring
        if keyring is None:
            return
        try:
            if keyring.review():
                self._log.info("the certificates have changed and were loaded")
        except ConfigError as error:
            self._log.error(
                "the certificates have changed and are no good, so the old ones stay: %s", error
            )

    def _patience_seconds(self) -> float | None:
        limits = []
        if self._deadline is not None:
            limits.append(max(0.0, self._deadline - time.monotonic()))
        if self._sources is not None:
            limits.append(_SOURCES_EVERY_SECONDS)
        if self._checkup is not None:
            limits.append(_CHECK_EVERY_SECONDS)
        if self._task.keyring is not None:
            limits.append(_CERTIFICATES_EVERY_SECONDS)
        if self._gauge is not None:
            limits.append(self._gauge.patience_seconds(time.monotonic()))
        return min(limits, default=None)

    def _move(self, event: WorkerEvent) -> None:
        self._state = next_state(self._state, event)
        self._task.slot.words[Field.STATE] = self._state

    def _on_signal_bytes(self) -> None:
        for number in settling.read_pipe(self._wakeup):
            if number == signal.SIGUSR1:
                self._reopen_logs()
            elif not self._task.heeds_signals:
                continue
            elif number == signal.SIGTERM:
                self._log.info("worker told to stop: draining")
                # The whole service may have been told; then nobody else answers the queue.
                self._drain(self._task.settings.graceful_timeout, answer_backlog=True)
                self._channel.send(Leaving())
            elif number in {signal.SIGINT, signal.SIGQUIT}:
                self._hooks.interrupted()
                self._give_up()

    def _on_channel(self) -> None:
        self._channel.flush()
        descriptor = self._channel.fileno()
        for message in self._channel.receive():
            self._obey(message)
        if not self._channel.is_open and self._state is not WorkerState.GONE:
            self._selector.unregister(descriptor)
            self._log.warning("the supervisor is gone: draining")
            self._drain(self._task.settings.graceful_timeout, answer_backlog=True)

    def _obey(self, message: Message | Garbled) -> None:
        match message:
            case Serve():
                self._serve()
            case Drain(answer_backlog=answer_backlog, within_seconds=within):
                self._drain(within, answer_backlog=answer_backlog)
            case Expire(thread=thread, started_ns=started_ns):
                self._expire(thread, started_ns)
            case TellStacks(number=number, thread=thread):
                only = None if thread < 0 else thread
                stacks = "" if self._engine is None else self._engine.stacks(only)
                self._channel.send(Stacks(number, clip(stacks)))
            case SetLogLevel(level=level):
                self._set_log_level(level)
            case News(snapshot=snapshot) if self._task.on_news is not None:
                self._task.on_news(snapshot)
            case Garbled(reason=reason):
                self._log.error("the supervisor sent something unintelligible: %s", reason)
            case _:
                self._log.error("the supervisor sent a worker's message: %s", message)

    def _serve(self) -> None:
        if self._state is not WorkerState.READY or self._engine is None:
            return
        # Said before the first request can be answered: a worker that is killed after an answer
        # must not look as if it had never served. What comes meanwhile can wait.
        # The first heartbeat too: without one, a worker that freezes before its loop has come round
        # is taken for one whose loop does not run yet, for ever.
        self._task.slot.words[Field.HEARTBEAT_NS] = time.monotonic_ns()
        self._move(WorkerEvent.SERVES)
        self._task.slot.words[Field.READY] = 1
        self._channel.send(Serving())
        self._engine.start()
        if self._checkup is not None:
            self._checkup.start()
        size = self._task.slot.words[Field.RSS_BYTES] = resident_bytes()
        self._gauge = wiring.make_gauge(self._task.settings, time.monotonic(), size)
        if self._gauge.is_hopeless:
            self._log.warning("max_memory has no effect: a worker holds more from the start")

    def _look_at_wear(self) -> None:
        gauge = self._gauge
        now = time.monotonic()
        if gauge is None or gauge.patience_seconds(now):
            return
        size = resident_bytes()
        self._task.slot.words[Field.RSS_BYTES] = size
        why = gauge.judge(now, size)
        if why is not None:
            self._channel.send(WantsReplacement(why))

    def _drain(self, within_seconds: float, *, answer_backlog: bool) -> None:
        was = self._state
        if was is WorkerState.GONE:
            return
        self._move(WorkerEvent.LEAVES)
        if answer_backlog:
            self._task.slot.words[Field.READY] = 0  # nobody serves in this worker's place
        deadline = time.monotonic() + within_seconds
        self._deadline = deadline if self._deadline is None else min(self._deadline, deadline)
        if was is WorkerState.READY or self._engine is None:
            self._finish()
        else:
            self._engine.drain(answer_backlog=answer_backlog)

    def _give_up(self) -> None:
        """Stop at once, whatever still runs."""
        if self._engine is not None and self._state in {WorkerState.SERVING, WorkerState.DRAINING}:
            for request in self._task.slot.running():
                age = (time.monotonic_ns() - request.started_ns) / 1e9
                self._log.warning("cut off after %.1f s: %s", age, request.line)
            self._engine.stop()
            with selectors.DefaultSelector() as selector:
                selector.register(self._event_read, selectors.EVENT_READ)
                selector.select(_STOP_SECONDS)
        self._move(WorkerEvent.ENDED)

    def _finish(self) -> None:
        # A thread whose request was given up may run for ever; then nothing is waited for.
        self._is_clean = not self._task.slot.running()
        self._move(WorkerEvent.ENDED)

    def _expire(self, thread: int, started_ns: int) -> None:
        engine = self._engine
        description = None if engine is None else engine.expire(thread, started_ns)
        if description is not None:
            limit = self._task.settings.timeout
            self._log.error("over its time of %g s: %s", limit, description.rstrip())
            self._hooks.aborted()
        stack = clip(description or "")
        self._channel.send(Expired(thread, started_ns, description is not None, stack))

    def _set_log_level(self, level: str) -> None:
        try:
            self._task.log.set_level(level)
        except CanterError as error:
            self._log.error("%s", error)

    def _reopen_logs(self) -> None:
        self._task.log.reopen()
        settling.enable_faulthandler(self._task.log)
        self._hooks.worker.log.reopen_files()
        if self._access is not None:
            self._access.reopen()

    # ------------------------------------------------------------------- from the engine

    def _on_engine_event(self, event: EngineEvent) -> None:
        """Pass `event` on to the main thread. Called from one of the engine's threads."""
        self._events.append(event)
        with contextlib.suppress(OSError):
            os.write(self._event_write, b"e")

    def _on_event_bytes(self) -> None:
        settling.read_pipe(self._event_read)
        while self._events:
            event = self._events.popleft()
            match event:
                case EngineEvent.MAX_REQUESTS:
                    self._channel.send(WantsReplacement())
                case EngineEvent.FINISHED if self._state is WorkerState.DRAINING:
                    self._finish()
                case EngineEvent.FINISHED:
                    self._log.error("the engine ended by itself")
                    self._exit_status = 1
                    self._move(WorkerEvent.ENDED)
                case _:
                    assert_never(event)
