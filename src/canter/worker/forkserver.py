"""A fork server: the process of one generation that imports the application, once, for all of them.

It boots as a worker does, serves nothing, and forks a worker whenever the supervisor asks: a record
of fixed length over a socket, with the worker's end of its channel. Everything else a worker needs
is the generation's and was inherited. The worker is made an orphan at once, by a fork in between,
so that the kernel gives it to the supervisor, who reaps and signals it like any child of its own.

Python's garbage collector writes to every object it looks at, which would copy the pages that
workers share. So what the import has left is frozen: it is not looked at again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import os
import selectors
import signal
import socket
import struct
from collections.abc import Callable
from typing import NoReturn

from canter.errors import BootError, CanterError
from canter.observe.scoreboard import Field
from canter.worker import booting, loader, settling
from canter.worker.channel import Channel
from canter.worker.messages import Forked, Garbled, Message, NotForked, Ready, SetLogLevel, clip
from canter.worker.process import run_worker
from canter.worker.sources import SourceFiles
from canter.worker.states import WorkerEvent, WorkerState, next_state
from canter.worker.stranded import open_descriptors, stranded_connections, stranded_threads
from canter.worker.task import Closable, ForkServerTask, Loaded

_RECORD = struct.Struct("!II?")
_NUMBER_BYTES = 32
_CANNOT_FORK = "a worker could not be forked"


def ask_for_worker(
    requests: socket.socket, ticket: int, slot: int, channel: Channel, *, multiprocess: bool
) -> None:
    """Ask a fork server for a worker in `slot` that has `channel`; it answers with the ticket.

    Raises OSError when it does not listen.
    """
    socket.send_fds(requests, [_RECORD.pack(ticket, slot, multiprocess)], [channel.fileno()])


def run_fork_server(task: ForkServerTask) -> NoReturn:
    """Live a fork server's life in this process, a fork just made with HANDLED_SIGNALS blocked.

    Never returns and never raises: the frames below belong to the supervisor. It ends without the
    application's exit functions, which belong to workers that may still run.
    """
    exit_status = 1
    try:
        exit_status = ForkServer(task).run()
    except BaseException:
        with contextlib.suppress(Exception):
            task.own.log.logger.exception("fork server failed")
    finally:
        os._exit(exit_status)


class ForkServer:
    """The one thread of a fork server; its states are those of a worker that never serves."""

    def __init__(self, task: ForkServerTask) -> None:
        self._task = task
        self._own = task.own
        self._channel = task.own.channel
        self._log = task.own.log
        self._state = WorkerState.BOOTING
        self._selector = selectors.DefaultSelector()
        self._loaded: Loaded | None = None
        self._has_warned = False

    def run(self) -> int:
        """Boot, then fork workers until nobody wants any more. The status to exit with."""
        self._wakeup, self._wakeup_write = booting.settle_in(self._own, self._on_signal)
        settling.enable_faulthandler(self._log)
        sources = SourceFiles() if self._own.settings.reload else None
        self._inherited = open_descriptors()
        try:
            self._loaded = booting.load(self._own, "fork server")
        except BaseException as error:  # noqa: BLE001 - whatever stops a boot is reported
            return booting.report_failure(self._own, error, sources)
        if sources is not None:
            for watch in sources.changes():
                self._channel.send(watch)
        gc.collect()
        gc.freeze()
        self._move(WorkerEvent.PROVEN)
        self._channel.send(Ready())
        self._live()
        return 0

    def _on_signal(self, number: int, _frame: object) -> None:
        # As in a worker: nobody reads the pipe while the application is imported.
        if self._state is WorkerState.BOOTING and number in settling.ENDING_SIGNALS:
            os._exit(0)

    def _move(self, event: WorkerEvent) -> None:
        self._state = next_state(self._state, event)
        self._own.slot.words[Field.STATE] = self._state

    def _live(self) -> None:
        watch: dict[int | socket.socket | Channel, Callable[[], None]] = {
            self._wakeup: self._on_signal_bytes,
            self._task.requests: self._on_request,
            self._channel: self._on_channel,
        }
        for source, react in watch.items():
            self._selector.register(source, selectors.EVENT_READ, react)
        while self._state is WorkerState.READY:
            if self._channel.is_open:
                self._selector.modify(self._channel, self._channel.events, self._on_channel)
            for key, _ in self._selector.select():
                # What came before may have been the end.
                if self._state is WorkerState.READY:
                    key.data()

    def _on_signal_bytes(self) -> None:
        for number in settling.read_pipe(self._wakeup):
            if number in settling.ENDING_SIGNALS:
                self._move(WorkerEvent.ENDED)
                return
            if number == signal.SIGUSR1:
                self._reopen_logs()

    def _reopen_logs(self) -> None:
        """For the workers to come; those that are there do it for themselves."""
        self._log.reopen()
        settling.enable_faulthandler(self._log)
        if self._loaded is not None and self._loaded.access is not None:
            self._loaded.access.reopen()

    def _on_channel(self) -> None:
        self._channel.flush()
        for message in self._channel.receive():
            self._obey(message)
        if not self._channel.is_open:
            self._move(WorkerEvent.ENDED)

    def _obey(self, message: Message | Garbled) -> None:
        match message:
            case SetLogLevel(level=level):
                with contextlib.suppress(CanterError):
                    self._log.set_level(level)
            case _:
                self._log.logger.error("a fork server was sent what is for workers: %s", message)

    # ------------------------------------------------------------------------------- forking

    def _on_request(self) -> None:
        try:
            record, descriptors, _, _ = socket.recv_fds(self._task.requests, _RECORD.size, 1)
        except BlockingIOError:
            return
        if not record:
            self._move(WorkerEvent.ENDED)
            return
        ticket, slot, multiprocess = _RECORD.unpack(record)
        if not descriptors:
            self._channel.send(NotForked(ticket, f"{_CANNOT_FORK}: no descriptor is free", ""))
            return
        os.set_inheritable(descriptors[0], False)
        channel = Channel(socket.socket(fileno=descriptors[0]))
        try:
            self._warn_once()
            pid = self._fork(slot, channel, multiprocess=multiprocess)
        except BootError as error:
            message, trace = loader.describe_failure(error)
            self._channel.send(NotForked(ticket, clip(message), clip(trace)))
        except OSError as error:
            text = f"{_CANNOT_FORK}: {error.strerror or error}"
            self._channel.send(NotForked(ticket, text, ""))
        else:
            self._channel.send(Forked(ticket, pid))
        finally:
            channel.close()

    def _warn_once(self) -> None:
        if self._has_warned:
            return
        self._has_warned = True
        threads = stranded_threads()
        if threads:
            self._log.logger.warning(
                "preload_app: threads started while the application was imported do not exist in "
                "workers, which are forked from it: %s",
                ", ".join(threads),
            )
        connections = stranded_connections(self._inherited)
        if connections:
            self._log.logger.warning(
                "preload_app: connections made while the application was imported are shared by "
                "all workers, who disturb each other on them: %s",
                ", ".join(connections),
            )

    def _fork(self, slot: int, channel: Channel, *, multiprocess: bool) -> int:
        """Fork a worker that is nobody's child here; its number. Raises OSError, BootError."""
        not_ours: tuple[Closable, ...] = (
            self._channel,
            self._task.requests,
            self._selector,
            _Descriptor(self._wakeup),
            _Descriptor(self._wakeup_write),
        )
        task = dataclasses.replace(
            self._task.worker(slot, channel, multiprocess), loaded=self._loaded, not_ours=not_ours
        )
        signal.pthread_sigmask(signal.SIG_BLOCK, settling.HANDLED_SIGNALS)
        try:
            return fork_orphan(lambda: run_worker(task))
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, settling.HANDLED_SIGNALS)


class _Descriptor:
    """A descriptor that a worker closes."""

    def __init__(self, number: int) -> None:
        self._number = number

    def close(self) -> None:
        os.close(self._number)


def fork_orphan(life: Callable[[], NoReturn]) -> int:
    """Run `life` in a grandchild whose parent is gone already; its process number.

    Raises OSError when a process or a descriptor cannot be had.
    """
    read, write = os.pipe()
    try:
        between = os.fork()
        if between == 0:
            _leave_behind(life, read, write)
        with contextlib.suppress(ChildProcessError):  # where the application ignores SIGCHLD
            os.waitpid(between, 0)
        # Whatever it had to say is in the pipe: the worker need not have closed its copy yet.
        os.set_blocking(read, False)
        try:
            number = int(os.read(read, _NUMBER_BYTES) or b"0")
        except BlockingIOError:
            number = 0
    finally:
        os.close(read)
        os.close(write)
    if number <= 0:
        raise OSError(-number, os.strerror(-number) if number else "the process between has died")
    return number


def _leave_behind(life: Callable[[], NoReturn], read: int, write: int) -> NoReturn:
    """Fork once more, say the number (an error's below zero), and end."""
    try:
        try:
            pid = os.fork()
        except OSError as error:
            pid = -(error.errno or 0)
        if pid == 0:
            os.close(read)
            os.close(write)
            life()
        os.write(write, str(pid).encode("ascii"))
    finally:
        os._exit(0)
