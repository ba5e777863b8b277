"""From the words after `canter` to the module of a command, and from its error to an exit status.

The first word chooses; one that names no command belongs to `serve`, so that `canter app:app` and
`canter --threads 4 app:app` need not say it.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from canter.errors import CanterError

DEFAULT_COMMAND = "serve"

COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "serve": "canter.cli.serve",
        "check": "canter.cli.check",
        "config": "canter.cli.config",
        "import": "canter.cli.importing",
        "front": "canter.cli.front",
        "completion": "canter.cli.completion",
        "status": "canter.cli.status",
        "top": "canter.cli.top",
        "reload": "canter.cli.reload",
        "stop": "canter.cli.stop",
        "scale": "canter.cli.scale",
        "stacks": "canter.cli.stacks",
        "log-level": "canter.cli.log_level",
    }
)
"""The module of each command; it is imported when its command is given."""

_INTERRUPTED = 130
_OUTPUT_REFUSED = 1


def main(words: Sequence[str] | None = None) -> int:
    """Run the command that the words ask for (default: those of this process); the exit status."""
    given = list(sys.argv[1:] if words is None else words)
    name = given.pop(0) if given and given[0] in COMMANDS else DEFAULT_COMMAND
    run: Callable[[list[str]], int] = importlib.import_module(COMMANDS[name]).run
    try:
        status = run(given)
        if sys.stdout is not None:
            sys.stdout.flush()
    except CanterError as error:
        print(f"canter: error: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Who read our output has left; the interpreter must not complain of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _OUTPUT_REFUSED
    return status
