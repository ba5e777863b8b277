"""What the commands for a running server share: finding its control socket, asking, answering."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from canter.cli.workplace import Workplace
from canter.errors import CanterError, UsageError
from canter.net.control_path import control_paths
from canter.settings import Surroundings, load, parse_options

SOON_SECONDS = 10.0
"""For answers that a server has at hand."""
_CONNECT_SECONDS = 5.0
_READ_BYTES = 64 * 1024


class NoAnswerError(CanterError):
    """No server answered, or not as canter does."""


class RefusedError(CanterError):
    """The server could not do what it was asked."""


class CommandParser(argparse.ArgumentParser):
    """The options of one command, with those that all of them have."""

    def __init__(self, name: str, description: str) -> None:
        super().__init__(prog=f"canter {name}", description=description, allow_abbrev=False)
        self.add_argument(
            "--control-socket",
            metavar="PATH",
            help="the server's control socket; without it, that of a server which was started in "
            "this directory",
        )
        self.add_argument(
            "-p", "--pid", metavar="FILE", help="the pid file that the server was started with"
        )
        self.add_argument(
            "-c", "--config", metavar="FILE", help="the configuration it was started with"
        )
        self.add_argument("--json", action="store_true", help="print the answer as it comes")

    def error(self, message: str) -> NoReturn:
        """Raise UsageError."""
        raise UsageError(f"{self.prog}: {message}")


def ask(options: argparse.Namespace, order: Mapping[str, object], patience: float | None) -> Any:
    """The reply to `order` of the server that the options mean, as a dictionary.

    `patience` is in seconds; None = as long as it takes. Raises NoAnswerError, and what loading the
    settings raises.
    """
    return ask_at(paths_of(options), order, patience)


def ask_at(paths: Sequence[str], order: Mapping[str, object], patience: float | None) -> Any:
    """The reply of the server whose control socket is the first of `paths` that is there."""
    for path in paths:
        with socket.socket(socket.AF_UNIX) as client, contextlib.ExitStack() as problems:
            problems.enter_context(_explained(path))
            client.settimeout(_CONNECT_SECONDS)
            try:
                client.connect(path)
            except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
                continue
            except OSError as error:
                if error.errno is not None:
                    raise
                continue  # Too long for a socket's path: no server is there either.
            client.settimeout(patience)
            # A server that will not listen to us has said why before it hung up.
            with contextlib.suppress(BrokenPipeError):
                client.sendall(json.dumps(order).encode("ascii") + b"\n")
            reply = json.loads(_read_line(client))
            if not isinstance(reply, dict):
                raise ValueError("a reply is an object")  # noqa: TRY004 - one kind of error
            return reply
    places = " nor at ".join(paths)
    raise NoAnswerError(
        f"no server answers at {places}; is it running, and was it started in this directory? "
        "--control-socket and --pid name another one"
    )


def conclude(
    options: argparse.Namespace, reply: Mapping[str, Any], render: Callable[[Any], str]
) -> int:
    """Print what `render` makes of the answer, or with --json the reply itself; the exit status.

    Raises RefusedError where the server refused and the reply is for a person.
    """
    is_ok = reply.get("ok") is True
    if options.json:
        print(json.dumps(reply, indent=2 if is_terminal() else None))
        return 0 if is_ok else 1
    if not is_ok:
        raise RefusedError(str(reply.get("error")))
    print(render(reply.get("data")), end="")
    return 0


def is_terminal() -> bool:
    """Whether a person reads what is printed."""
    return sys.stdout is not None and sys.stdout.isatty()


def paths_of(options: argparse.Namespace) -> list[str]:
    """Where the server's control socket may be. Raises NoAnswerError where it can be nowhere."""
    if options.control_socket is not None:
        return [os.path.abspath(options.control_socket)]
    surroundings = Surroundings.here()
    # A configuration in Python may import from the project.
    Workplace(surroundings).make_importable()
    settings = load(surroundings, parse_options(_words(options)).layer)
    if settings.control_socket_disable:
        where = settings.source("control_socket_disable").place
        raise NoAnswerError(f"the settings ask for no control socket ({where})")
    paths = control_paths(
        os.path.join(surroundings.directory, settings.chdir or ""),
        surroundings.environment,
        chosen=settings.control_socket,
        pid_file=settings.pidfile,
    )
    if not paths:
        raise NoAnswerError("without a home directory there is no control socket: name it")
    return paths


def _words(options: argparse.Namespace) -> Sequence[str]:
    words = []
    for flag, value in (("--pid", options.pid), ("--config", options.config)):
        if value is not None:
            words.append(f"{flag}={value}")
    return words


def _read_line(client: socket.socket) -> bytes:
    """The first line of the answer. Raises NoAnswerError when there is none."""
    line = b""
    while not line.endswith(b"\n"):
        data = client.recv(_READ_BYTES)
        if not data:
            raise NoAnswerError("the server hung up before it had answered")
        line += data
    return line


@contextlib.contextmanager
def _explained(path: str) -> Any:
    """Turn what goes wrong in a talk into one sentence; what means "not here" passes."""
    try:
        yield
    except TimeoutError:
        raise NoAnswerError(f"the server at {path} does not answer") from None
    except PermissionError:
        raise NoAnswerError(f"{path} may not be used: the server runs as another user") from None
    except ValueError:
        raise NoAnswerError(f"what answers at {path} is not canter") from None
    except OSError as error:
        raise NoAnswerError(f"{path}: {error.strerror or error}") from None
