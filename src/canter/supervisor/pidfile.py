"""The file with the supervisor's process number: for scripts, and against a second start."""

from __future__ import annotations

import contextlib
import os
import tempfile

from canter.errors import ConfigError

# Kernels tell the time of a start in ticks since the boot, and that of the boot in seconds.
_CLOCK_SECONDS = 2.0


class PidFile:
    """The file at `path`, written by `create` and removed by `remove`."""

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path)

    def create(self) -> None:
        """Write our number.

        A file that was left behind is replaced: its process has ended, or is a younger one that
        has got the number since. Raises ConfigError when the one named there still runs, or when
        the file cannot be written.
        """
        running = self._read()
        if running is not None and running != os.getpid() and self._is_of(running):
            raise ConfigError(
                f"the pid file {self._path} names process {running}, which is running; "
                "if it is not canter, remove the file"
            )
        try:
            self._write()
        except OSError as error:
            raise ConfigError(
                f"the pid file {self._path} cannot be written: {error.strerror or error}"
            ) from error

    def rename(self, path: str) -> None:
        """Have the file be at `path` from now on, over what is there. Raises OSError."""
        path = os.path.abspath(path)
        os.rename(self._path, path)
        self._path = path

    def remove(self) -> None:
        """Remove the file if it is still ours."""
        if self._read() == os.getpid():
            with contextlib.suppress(OSError):
                os.unlink(self._path)

    def _is_of(self, pid: int) -> bool:
        """Whether the process that wrote its number here still runs."""
        if not _is_alive(pid):
            return False
        born = _born(pid)
        try:
            written = os.stat(self._path).st_mtime
        except OSError:
            return True
        return born is None or born <= written + _CLOCK_SECONDS

    def _write(self) -> None:
        # Whole or not at all: a script never reads half a number.
        descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(self._path))
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"{os.getpid()}\n")
            os.chmod(temporary, 0o644)
            os.replace(temporary, self._path)
        except BaseException:
            os.unlink(temporary)
            raise

    def _read(self) -> int | None:
        try:
            with open(self._path, encoding="ascii") as file:
                text = file.read(32).strip()
        except (OSError, ValueError):
            return None
        return int(text) if text.isdigit() and int(text) > 0 else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _born(pid: int) -> float | None:
    """When a process was started, in seconds since the epoch; None where that cannot be known."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # Its name is in brackets and may contain anything.
            ticks = int(file.read().rpartition(b")")[2].split()[19])
        with open("/proc/stat", "rb") as file:
            booted = next(int(line.split()[1]) for line in file if line.startswith(b"btime "))
        return booted + ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, StopIteration):
        return None
