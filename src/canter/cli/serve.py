"""`canter [serve] [OPTIONS] module:attribute`: serve an application, or only look at what would be.

`--help`, `--version`, `--print-config` and `--check-config` print and leave.
"""

from __future__ import annotations

import signal
from collections.abc import Sequence

from canter.cli.launch import Launch
from canter.settings import Surroundings, help_text, parse_options


def run(words: Sequence[str]) -> int:
    """Do what the words ask for; the exit status. Raises CanterError."""
    line = parse_options(words)
    if line.wants_help:
        print(help_text(), end="")
        return 0
    if line.wants_version:
        from canter.cli.version import version_text

        print(version_text())
        return 0
    return Launch(Surroundings.here(), line.layer, before_serving=_ignore_ending_signals).run()


def _ignore_ending_signals() -> None:
    """From here on only the supervisor's handlers hear of these; when it is done, nobody does.

    A second TERM in the last moments would else end the process as if it had failed. Python puts
    handlers of its own back to the default before it leaves; ignored signals stay ignored.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
