"""The files by which a server is found: its pid file and its control socket.

While two supervisors serve side by side they are the older one's; the successor's number is in
`NAME.2`, and it takes over both when the older one has left.
"""

from __future__ import annotations

import contextlib
import logging
import os

from canter.errors import BindError
from canter.net.addresses import UnixAddress
from canter.net.control_path import control_paths
from canter.net.listeners import TakenError, UnixAccess, open_listeners
from canter.settings import Settings
from canter.supervisor.control import ControlSocket
from canter.supervisor.pidfile import PidFile

HEIR_SUFFIX = ".2"
_CONTROL_BACKLOG = 128


class Places:
    """What this process has of them. They are those of the start; a reload does not move them."""

    def __init__(self, settings: Settings, log: logging.Logger) -> None:
        self._settings = settings
        self._log = log
        self._pid_file: PidFile | None = None
        self._control: ControlSocket | None = None

    def take_pid_file(self, *, is_heir: bool) -> None:
        """Write our number. Raises ConfigError when another server has the file, or none can."""
        if self._settings.pidfile is not None:
            self._pid_file = PidFile(self._settings.pidfile + (HEIR_SUFFIX if is_heir else ""))
            self._pid_file.create()

    def take_control(self) -> ControlSocket | None:
        """Open the control socket; None where there is to be none, or somebody else has it."""
        self._control = _open_control(self._settings, self._log)
        return self._control

    def inherit(self) -> ControlSocket | None:
        """The predecessor has left: its places are ours. The control socket, as `take_control`."""
        if self._pid_file is not None and self._settings.pidfile is not None:
            try:
                self._pid_file.rename(self._settings.pidfile)
            except OSError as error:
                self._log.error("the pid file cannot be renamed: %s", error)
        return self.take_control()

    def leave_control(self) -> None:
        """Let clients of the control socket go, and remove its file."""
        if self._control is not None:
            self._control.close()

    def leave_pid_file(self) -> None:
        """Remove the pid file if it is still ours."""
        if self._pid_file is not None:
            self._pid_file.remove()


def _open_control(settings: Settings, log: logging.Logger) -> ControlSocket | None:
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
            log.info(
                "no control socket: another server has %s; --control-socket or --pid would give "
                "this one its own",
                path,
            )
            return None
        except (OSError, BindError) as error:
            # Somebody asked for this one by name; the usual places are a mere offer.
            level = logging.DEBUG if settings.control_socket is None else logging.WARNING
            log.log(level, "no control socket at %s: %s", path, error)
            continue
        log.debug("the control socket is %s", path)
        return ControlSocket(listener)
    return None
