"""The two sides of a parity test: canter, and the real Gunicorn in an environment of its own."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from canter.settings.registry import SETTINGS
from tests.live.harness import Server, clean_environment
from tests.live.programs import GUNICORN
from tests.live.waiting import eventually

APP = "tests.live.apps.parity"
LONGEST_SECONDS = 60


@dataclass(frozen=True)
class Ended:
    """A command that has come to its end."""

    status: int
    output: str
    errors: str


class Side:
    """One of the two commands; both are driven with the same words."""

    name: str
    command: tuple[str, ...]

    def run(
        self, directory: Path, *words: str, environment: Mapping[str, str] | None = None
    ) -> Ended:
        """Run the command to its end."""
        done = subprocess.run(
            [*self.command, *words],
            cwd=directory,
            env=self.surroundings(directory, environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def settings(
        self,
        directory: Path,
        *words: str,
        environment: Mapping[str, str] | None = None,
        app: str | None = APP,
    ) -> dict[str, Any]:
        """What the command holds with these words, as it prints it, parsed as canter parses."""
        given = [app] if app is not None else []
        done = self.run(directory, *words, "--print-config", *given, environment=environment)
        assert done.status == 0, done.output + done.errors
        return {
            name: SETTINGS[name].kind.parse(value)
            for name, value in self.printed(done.output).items()
            if name in SETTINGS
        }

    def surroundings(
        self, directory: Path, environment: Mapping[str, str] | None
    ) -> dict[str, str]:
        """The environment of a test; what the command keeps at home goes to the directory."""
        return clean_environment(HOME=str(directory), **(environment or {}))

    def printed(self, text: str) -> dict[str, object]:
        """The values that `--print-config` prints, those that say something."""
        raise NotImplementedError

    def serve(self, server: Server) -> Server:
        """Wait until a server of this side answers."""
        raise NotImplementedError


class Canter(Side):
    """The command under test."""

    name = "canter"
    command = (sys.executable, "-m", "canter")

    def printed(self, text: str) -> dict[str, object]:
        values = dict(tomllib.loads(text))
        # What only outside a file can be said is a comment, as is what has no value.
        for line in text.splitlines():
            name, equals, value = line.removeprefix("# ").partition(" = ")
            if line.startswith("# ") and equals:
                values[name] = tomllib.loads(f"x = {value}")["x"]
        return values

    def serve(self, server: Server) -> Server:
        return server.wait_until_ready()


class Gunicorn(Side):
    """The real one."""

    name = "gunicorn"
    command = (str(GUNICORN),)

    def printed(self, text: str) -> dict[str, object]:
        values: dict[str, object] = {}
        for line in text.splitlines():
            name, _, value = line.partition("=")
            value = value.removeprefix(" ")
            if value == "None" or value.startswith("<"):
                continue
            values[name.strip()] = _literal(value)
        # It prints the directories and the user that hold where nothing is said.
        for name in ("chdir", "user", "group", "control_socket"):
            values.pop(name, None)
        if values.get("config") == "./gunicorn.conf.py":
            del values["config"]
        return values

    def serve(self, server: Server) -> Server:
        eventually(server.is_listening, "Gunicorn listens", 30)
        eventually(server.workers, "Gunicorn has a worker", 30)
        return server


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


CANTER = Canter()
REAL_GUNICORN = Gunicorn()
