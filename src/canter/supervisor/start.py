"""One run of the server: what is opened before the loop, and given back after it."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import threading
from collections.abc import Callable, Mapping, Sequence

from canter import __version__, extensions
from canter.errors import CanterError
from canter.net.addresses import FdAddress, parse_bind
from canter.net.lent import VARIABLES as LISTEN_VARIABLES
from canter.net.lent import Lent, lent_sockets
from canter.net.listeners import Listener, inherit
from canter.observe.logs import ErrorLog
from canter.settings import Settings, Surroundings
from canter.settings.provenance import DEFAULT
from canter.supervisor.adoption import adopt_orphans
from canter.supervisor.banner import Address, StartFacts, log_lines, terminal_banner
from canter.supervisor.deploy import Deploy, Deploys, plan_from
from canter.supervisor.handover import VARIABLES as HANDOVER_VARIABLES
from canter.supervisor.handover import Handover, read_handover
from canter.supervisor.hooks import ServerHooks
from canter.supervisor.inbox import SignalInbox
from canter.supervisor.loop import Service, Supervisor
from canter.supervisor.notify import Herald
from canter.supervisor.places import Places
from canter.supervisor.reports import describe_failure
from canter.supervisor.succession import Succession
from canter.supervisor.upgrade import Outside, Starter
from canter.worker.logbook import open_error_log
from canter.worker.task import Application
from canter.worker.titles import name_process
from canter.worker.tls import spoken_protocol


def run(
    settings: Settings,
    *,
    application: Application | None = None,
    reload_settings: Callable[[], Settings] | None = None,
    surroundings: Surroundings | None = None,
    starter: Starter | None = None,
) -> int:
    """Serve until a signal ends it. The exit status: 0, or 3 or 4 when workers could not start.

    `application` is a callable that the embedding program made; without it workers load
    `settings.wsgi_app`. `reload_settings` gives the settings for a reload (the same without it).
    `surroundings` are those of the start (without them, what they are now). `starter` waits to hear
    how the start went.

    Raises CanterError, with nothing left open, when the start fails before the first worker. Has to
    be called in the main thread.
    """
    if threading.current_thread() is not threading.main_thread():
        raise CanterError("the server has to be run in the main thread: it needs the signals")
    _fill_standard_descriptors()
    surroundings = surroundings or Surroundings.here()
    environment = surroundings.environment
    log = open_error_log(settings)
    handover = _take_handover(environment)
    lent = _take_lent(environment, handover)
    deploys = Deploys(lent, _inherit(handover), lambda: _can_preload(application, log))
    with contextlib.ExitStack() as undo:
        undo.callback(log.close)
        inbox = undo.enter_context(SignalInbox())
        undo.callback(deploys.close_all_but, ())
        hooks = ServerHooks(settings, log)
        succession = Succession(surroundings, handover, log.logger, hooks.executing)
        deploys.are_shared = not succession.is_alone
        hooks.starting(plan_from(settings).workers)
        first = deploys.prepare(settings)
        # Below the pid file: who was told that the server has stopped can start the next one.
        last = undo.enter_context(contextlib.ExitStack())
        places = Places(settings, log.logger)
        undo.callback(places.leave_pid_file)
        places.take_pid_file(is_heir=not succession.is_alone)
        _settle(first, log)
        facts = _facts(first, application)
        _announce(facts, log)
        _warn_of_unused_bind(first, lent, log)
        hooks.ready(first.listeners)
        last.callback(places.leave_control)
        herald = Herald(environment, os.getpid(), is_the_service=succession.is_alone)
        undo.callback(herald.close)
        service = Service(facts.application, hooks, application, reload_settings)
        outside = Outside(places, herald, succession, starter)
        supervisor = Supervisor(first, deploys, inbox, log, service, outside)
        supervisor.observe(first.identity)
        last.callback(supervisor.finish)
        undo.callback(supervisor.close)
        status = supervisor.run()
        hooks.ended()
        _take_leave(supervisor, log, settings, status, starter)
        return status


def _settle(first: Deploy, log: ErrorLog) -> None:
    """Have the log be the workers' too, and this process be known by its name."""
    if first.identity.changes:
        log.give_to(first.identity.uid, first.identity.gid)
    name_process(first.settings.proc_name, "supervisor")


def _can_preload(application: Application | None, log: ErrorLog) -> bool:
    """Whether a fork server is of use, and workers forked from it can be ours."""
    if application is not None:
        return False  # It is in this process already, and all workers are forked from that.
    if adopt_orphans():
        return True
    log.logger.warning(
        "preload_app: this system does not give orphans to the supervisor, so that each worker "
        "imports the application for itself"
    )
    return False


def _fill_standard_descriptors() -> None:
    """Have descriptors 0 to 2 be something, so that no socket gets their numbers."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest free number is taken, and that is this one.
            os.open(os.devnull, os.O_RDWR)


def _take_handover(environment: Mapping[str, str]) -> Handover | None:
    """What a predecessor has left; no program that is started here takes it for its own."""
    for name in HANDOVER_VARIABLES:
        os.environ.pop(name, None)
    return read_handover(environment)


def _inherit(handover: Handover | None) -> list[Listener]:
    """The predecessor's listeners. Raises BindError or ConfigError when they are none."""
    return [
        inherit(it.fd, parse_bind(it.address) if it.address else None, it.file)
        for it in (handover.heirlooms if handover is not None else ())
    ]


def _take_lent(environment: Mapping[str, str], handover: Handover | None) -> tuple[Lent, ...]:
    """The sockets that a service manager passed; no program that is started here gets them."""
    if handover is not None:
        inherited = ((parse_bind(it.address), it.name) for it in handover.heirlooms if it.address)
        return tuple(
            Lent(address, name)
            for address, name in inherited
            if name is not None and isinstance(address, FdAddress)
        )
    lent = lent_sockets(environment, os.getpid())
    for name in LISTEN_VARIABLES:
        os.environ.pop(name, None)
    for one in lent:
        with contextlib.suppress(OSError):
            os.set_inheritable(one.address.fd, False)
    return lent


def _warn_of_unused_bind(deploy: Deploy, lent: Sequence[Lent], log: ErrorLog) -> None:
    """Say so where somebody has set `bind` and it is not where we listen."""
    settings = deploy.settings
    if not lent or settings.source("bind") == DEFAULT:
        return
    wanted = [parse_bind(text) for text in settings.bind]
    if wanted != [listener.address for listener in deploy.listeners]:
        log.logger.warning("bind is not used: the service manager has passed its sockets")


def _facts(first: Deploy, application: Application | None) -> StartFacts:
    settings = first.settings
    name = settings.wsgi_app
    spoken = spoken_protocol(settings)
    if application is not None:
        module = getattr(application, "__module__", "")
        name = f"{module}:{getattr(application, '__qualname__', type(application).__qualname__)}"
    return StartFacts(
        version=__version__,
        build=extensions.build(),
        python=platform.python_version(),
        application=name or "none",
        addresses=tuple(
            Address(x.url_with(spoken), x.is_on_every_address) for x in first.listeners
        ),
        workers=first.plan.workers,
        threads=None if settings.worker_class == "gevent" else first.plan.threads,
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


def _take_leave(
    supervisor: Supervisor,
    log: ErrorLog,
    settings: Settings,
    status: int,
    starter: Starter | None,
) -> None:
    failure = supervisor.failure
    if failure is None:
        log.logger.info("stopped")
        return
    log.logger.error("the application could not be started: leaving with status %d", status)
    # Who started us by hand should not have to look for the log.
    if settings.errorlog != "-":
        text = f"canter: error: {failure.message} (more in {settings.errorlog})\n"
    elif starter is not None:
        text = f"canter: error: {describe_failure(failure)}\n"
    else:
        return
    if starter is not None:
        starter.say(text)
    elif sys.stderr is not None:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
