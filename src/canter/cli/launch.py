"""One start: its settings, the process made ready for them, and then the supervisor.

A reload reads the same sources again, with the command line or the arguments of the start.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from canter.cli.guess import guess_application
from canter.cli.preflight import check_what_is_named
from canter.cli.workplace import Workplace
from canter.errors import CanterError, ConfigError
from canter.extensions import build
from canter.settings import Layer, Settings, Surroundings, load, settings_report

if TYPE_CHECKING:
    from canter.cli.detaching import Starter

Application = Callable[..., Any]


class Launch:
    """Everything between knowing the strongest layer of settings and serving.

    `application` is given by an embedding program; without it the settings have to name one.
    `before_serving` is called when nothing is left but to serve.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        top: Layer,
        application: Application | None = None,
        *,
        before_serving: Callable[[], None] = lambda: None,
    ) -> None:
        self._surroundings = surroundings
        self._top = top
        self._application = application
        self._before_serving = before_serving
        self._workplace = Workplace(surroundings)
        self._current: Settings | None = None

    def run(self) -> int:
        """Serve, or print or check what the settings ask for; the exit status.

        Raises CanterError when nothing can be started, or a core is required that is not there.
        """
        build()
        settings = self._settings()
        for warning in settings.warnings:
            print(f"canter: warning: {warning}", file=sys.stderr)
        if settings.print_config:
            print(settings_report(settings), end="")
            if not settings.check_config:
                return 0
        if settings.check_config:
            from canter.cli.rehearsal import check_application

            return check_application(settings, self._application)
        if settings.daemon:
            from canter.supervisor.handover import is_successor

            # A successor has left the terminal with its predecessor.
            if not is_successor(self._surroundings.environment):
                return self._serve_as_daemon(settings)
        return self._serve(settings, None)

    def _serve(self, settings: Settings, starter: Starter | None) -> int:
        from canter.supervisor.start import run

        self._before_serving()
        return run(
            settings,
            application=self._application,
            reload_settings=self.reload_settings,
            surroundings=self._surroundings,
            starter=starter,
        )

    def _serve_as_daemon(self, settings: Settings) -> int:
        """Serve in a process of its own; here, wait until it serves or has failed."""
        from canter.cli.detaching import detach

        try:
            end = detach(inherit_streams=settings.enable_stdio_inheritance)
        except OSError as error:
            raise CanterError(f"the server cannot be detached: {error.strerror}") from error
        if isinstance(end, int):
            return end
        try:
            status = self._serve(settings, end)
        except CanterError as error:
            end.say(f"canter: error: {error}\n")
            status = error.exit_status
        end.leave(status)
        return status

    def reload_settings(self) -> Settings:
        """The settings as files say now; the process is made ready for them.

        Raises ConfigError when they cannot be used, and then the process is as it was.
        """
        before = self._current
        try:
            return self._settings()
        except CanterError as error:
            if before is not None:
                self._workplace.enter(before)
            raise ConfigError(str(error)) from error

    def _settings(self) -> Settings:
        # A configuration in Python may import from the project.
        self._workplace.make_importable()
        settings = load(self._surroundings, self._top)
        self._workplace.enter(settings)
        check_what_is_named(settings)
        if not settings.print_config or settings.check_config:
            self._require_application(settings)
        self._current = settings
        return settings

    def _require_application(self, settings: Settings) -> None:
        if self._application is None and settings.wsgi_app is None:
            guess = guess_application(".")
            example = guess if guess is not None else "myproject.wsgi:application"
            raise ConfigError(
                f"no application is given; name it as module:attribute, as in: canter {example}"
            )
