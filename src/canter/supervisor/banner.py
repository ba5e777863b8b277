"""What is said at the start: what runs, where to open it, where the logs go. Pure.

In a terminal a few aligned lines, with colour where that is wanted; in a log the same facts as
plain sentences.
"""

from __future__ import annotations

from dataclasses import dataclass

_BOLD, _DIM, _GREEN, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[0m"
_WIDTH = 12


@dataclass(frozen=True, slots=True)
class Address:
    """One listening address: as it is opened, and a word about it."""

    url: str
    is_on_every_address: bool = False


@dataclass(frozen=True, slots=True)
class StartFacts:
    """What there is to tell. `build` is "compiled" or "plain"."""

    version: str
    build: str
    python: str
    application: str
    addresses: tuple[Address, ...]
    workers: int
    threads: int | None
    error_log: str
    access_log: str | None
    pid: int
    reload: bool = False


def terminal_banner(facts: StartFacts, *, colour: bool) -> str:
    """Aligned lines for a person, with a line feed at the end."""
    rows = [("open" if i == 0 else "", _address(a)) for i, a in enumerate(facts.addresses)]
    rows += [
        ("application", facts.application),
        ("serving", _crew(facts)),
        ("logs", _logs(facts)),
    ]
    if facts.reload:
        rows.append(("reload", "when a file of the application changes"))
    title = f"canter {facts.version} ({facts.build} core, Python {facts.python}, pid {facts.pid})"
    lines = ["", "  " + _paint(title, _BOLD, colour=colour)]
    for name, text in rows:
        label = _paint(name.ljust(_WIDTH), _DIM, colour=colour)
        value = _paint(text, _GREEN, colour=colour) if "://" in text else text
        lines.append(f"  {label}{value}")
    return "\n".join([*lines, "", ""])


def log_lines(facts: StartFacts) -> list[str]:
    """The same facts for a log, a sentence a line."""
    return [
        f"canter {facts.version} ({facts.build} core, Python {facts.python})",
        *(f"listening at {_address(address)}" for address in facts.addresses),
        f"application {facts.application}, {_crew(facts)}",
        f"logs: {_logs(facts)}",
        *(["reloading when a file of the application changes"] if facts.reload else []),
    ]


def _address(address: Address) -> str:
    return address.url + (" (on every address)" if address.is_on_every_address else "")


def _crew(facts: StartFacts) -> str:
    workers = _count(facts.workers, "worker")
    if facts.threads is None:
        return f"{workers} with greenlets"
    return f"{workers}, {_count(facts.threads, 'thread')} each"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _logs(facts: StartFacts) -> str:
    errors = "stderr" if facts.error_log == "-" else facts.error_log
    access = {None: "none", "-": "stdout"}.get(facts.access_log, facts.access_log)
    return f"errors to {errors}, requests to {access}"


def _paint(text: str, code: str, *, colour: bool) -> str:
    return f"{code}{text}{_RESET}" if colour else text
