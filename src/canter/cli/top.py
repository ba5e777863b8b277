"""`canter top`: the status page in a terminal, over the control socket.

`--once` and `--json` need nothing but Python; the live view is in `canter.cli.top_live`.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Sequence

from canter.cli.talking import SOON_SECONDS, CommandParser, ask, conclude, is_terminal, paths_of
from canter.cli.top_view import BARS, PLAIN_BARS, Line, View, picture
from canter.errors import CanterError

_CODES = {"dim": "2", "bold": "1", "red": "31", "yellow": "33", "green": "32", "reverse": "7"}
_USUAL_WIDTH = 100


class NoViewError(CanterError):
    """The live view cannot be shown here."""


def run(words: Sequence[str]) -> int:
    """Show what the server does, until told to stop; the exit status. Raises CanterError."""
    parser = CommandParser("top", "Show what every worker and thread does, as it changes.")
    parser.add_argument("--once", action="store_true", help="print it once, as text")
    options = parser.parse_args(words)
    if options.once or options.json:
        reply = ask(options, {"command": "snapshot"}, SOON_SECONDS)
        return conclude(options, reply, lambda data: as_text(picture(data, None, _plain_view())))
    if not (is_terminal() and sys.stdin is not None and sys.stdin.isatty()):
        raise NoViewError("the live view needs a terminal; --once and --json do not")
    try:
        from canter.cli.top_live import Screen
    except ModuleNotFoundError as error:
        if error.name != "rich":
            raise
        raise NoViewError(
            "the live view needs rich: pip install 'canter[top]'; --once and --json do not"
        ) from None
    return Screen(paths_of(options), bars()).run()


def as_text(lines: Iterable[Line]) -> str:
    """The lines for a stream; with colours where it is a terminal and nobody objects to them."""
    styled = is_terminal() and not os.environ.get("NO_COLOR")
    return "".join(
        f"{''.join(_painted(*word, styled=styled) for word in line).rstrip()}\n" for line in lines
    )


def bars() -> tuple[str, str]:
    """What bars are drawn with: blocks, where the terminal can show them."""
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    return BARS if encoding.startswith("utf") else PLAIN_BARS


def _plain_view() -> View:
    width = shutil.get_terminal_size((_USUAL_WIDTH, 24)).columns if is_terminal() else _USUAL_WIDTH
    return View(width=width, bars=bars())


def _painted(text: str, style: str, *, styled: bool) -> str:
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if styled and style else text
