"""One run of the server: what is opened before the loop, and given back after it."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import sys
import threading
from collections.abc import Callable, Mapping

from canter import __version__, extensions
from canter.errors import BindError, CanterError
from canter.net.addresses import UnixAddress, parse_bind
from canter.net.control_path import control_paths
from canter.net.lent import VARIABLES as LISTEN_VARIABLES
from canter.net.lent import Lent, lent_sockets
from canter.net.listeners import TakenError, UnixAccess, open_listeners
from canter.observe.logs import ErrorLog
from canter.settings import Settings, Surroundings
from canter.settings.provenance import DEFAULT
from canter.supervisor.banner import Address, StartFacts, log_lines, terminal_banner
from canter.supervisor.control import ControlSocket
from canter.supervisor.deploy import Deploy, Deploys, plan_from
from canter.supervisor.hooks import ServerHooks
from canter.supervisor.inbox import SignalInbox
from canter.supervisor.loop import Service, Supervisor
from canter.supervisor.notify import Herald
from canter.supervisor.pidfile import PidFile
from canter.supervisor.reports import summarise
from canter.worker.task import Application
from canter.worker.titles import name_process

_CONTROL_BACKLOG = 128


def run(
    settings: Settings,
    *,
    application: Application | None = None,
    reload_settings: Callable[[], Settings] | None = None,
    surroundings: Surroundings | None = None,
) -> int:
    """Serve until a signal ends it. The exit status: 0, or 3 or 4 when workers could not start.

    `application` is a callable that the embedding program made; without it workers load
    `settings.wsgi_app`. `reload_settings` gives the settings for a reload (the same without it).
    `surroundings` are those of the start (without them, what they are now).

    Raises CanterError, with nothing left open, when the start fails before the first worker. Has to
    be called in the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        raise CanterError("the server has to be run in the main thread: it needs the signals")
    _fill_standard_descriptors()
    environment = (surroundings or Surroundings.here()).environment
    log = ErrorLog(settings.errorlog, settings.loglevel, capture_output=settings.capture_output)
    lent = _take_lent(environment)
    deploys = Deploys(lent)
    with contextlib.ExitStack() as undo:
        undo.callback(log.close)
        inbox = undo.enter_context(SignalInbox())
        undo.callback(deploys.close_all_but, ())
        hooks = ServerHooks(settings, log)
        hooks.starting(plan_from(settings).workers)
        first = deploys.prepare(settings)
        # Below the pid file: who was told that the server has stopped can start the next one.
        last = undo.enter_context(contextlib.ExitStack())
        if settings.pidfile is not None:
            pid_file = PidFile(settings.pidfile)
            pid_file.create()
            undo.callback(pid_file.remove)
        if first.identity.changes:
            log.give_to(first.identity.uid, first.identity.gid)
        name_process(settings.proc_name, "supervisor")
        facts = _facts(first, application)
        _announce(facts, log)
        if lent and settings.source("bind") != DEFAULT and not _listens_as_told(first):
            log.logger.warning("bind is not used: the service manager has passed its sockets")
        hooks.ready(first.listeners)
        control = _open_control(settings, log)
        if control is not None:
            last.callback(control.close)
        herald = Herald(environment, os.getpid())
        undo.callback(herald.close)
        service = Service(facts.application, hooks, application, reload_settings)
        supervisor = Supervisor(first, deploys, inbox, log, service, control, herald)
        last.callback(supervisor.finish)
        undo.callback(supervisor.close)
        status = supervisor.run()
        hooks.ended()
        _take_leave(supervisor, log, settings, status)
        return status


def _fill_standard_descriptors() -> None:
    """Have descriptors 0 to 2 be something, so that no socket gets their numbers."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is taken, and that is this one.
            os.open(os.devnull, os.O_RDWR)


def _take_lent(environment: Mapping[str, str]) -> tuple[Lent, ...]:
    """The sockets that a service manager passed; no program that is started here gets them."""
    lent = lent_sockets(environment, os.getpid())
    for name in LISTEN_VARIABLES:
        os.environ.pop(name, None)
    for one in lent:
        with contextlib.suppress(OSError):
            os.set_inheritable(one.address.fd, False)
    return lent


def _listens_as_told(deploy: Deploy) -> bool:
    """Whether the addresses are those of `bind`."""
    wanted = [parse_bind(text) for text in deploy.settings.bind]
    return wanted == [listener.address for listener in deploy.listeners]


def _open_control(settings: Settings, log: ErrorLog) -> ControlSocket | None:
    """The control socket, or None: a server without it serves as well."""
    if settings.control_socket_disable:
        return None
    paths = control_paths(
        os.getcwd(), os.environ, chosen=settings.control_socket, pid_file=settings.pidfile
    )
    access = UnixAccess(mode=settings.control_socket_mode)
    for path in paths:
        try:
            if settings.control_socket is None:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(os.path.dirname(path), 0o700)
            [listener] = open_listeners([UnixAddress(path)], _CONTROL_BACKLOG, access)
        except TakenError:
            log.logger.info(
                "no control socket: another server has %s; --control-socket or --pid would give "
                "this one its own",
                path,
            )
            return None
        except (OSError, BindError) as error:
            # Somebody asked for this one by name; the usual places are a mere offer.
            level = logging.DEBUG if settings.control_socket is None else logging.WARNING
            log.logger.log(level, "no control socket at %s: %s", path, error)
            continue
        log.logger.debug("the control socket is %s", path)
        return ControlSocket(listener)
    return None


def _facts(first: Deploy, application: Application | None) -> StartFacts:
    settings = first.settings
    name = settings.wsgi_app
    if application is not None:
        module = getattr(application, "__module__", "")
        name = f"{module}:{getattr(application, '__qualname__', type(application).__qualname__)}"
    return StartFacts(
        version=__version__,
        build=extensions.build(),
        python=platform.python_version(),
        application=name or "none",
        addresses=tuple(Address(x.url, x.is_on_every_address) for x in first.listeners),
        workers=first.plan.workers,
        threads=first.plan.threads,
        error_log=settings.errorlog,
        access_log=settings.accesslog,
        pid=os.getpid(),
        reload=settings.reload,
    )


def _announce(facts: StartFacts, log: ErrorLog) -> None:
    """To a person at a terminal as a person likes it, and to the log as a log does."""
    at_terminal = sys.stderr is not None and sys.stderr.isatty()
    if at_terminal:
        colour = not os.environ.get("NO_COLOR")
        with contextlib.suppress(OSError):
            sys.stderr.write(terminal_banner(facts, colour=colour))
            sys.stderr.flush()
    if not at_terminal or facts.error_log != "-":
        for line in log_lines(facts):
            log.logger.info("%s", line)


def _take_leave(supervisor: Supervisor, log: ErrorLog, settings: Settings, status: int) -> None:
    failure = supervisor.failure
    if failure is None:
        log.logger.info("stopped")
        return
    log.logger.error("the application could not be started: leaving with status %d", status)
    if settings.errorlog != "-" and sys.stderr is not None:
        # Who started us by hand should not have to look for the log.
        with contextlib.suppress(OSError):
            text = f"{summarise(failure)} (more in {settings.errorlog})"
            sys.stderr.write(f"canter: error: {text}\n")
