"""`canter completion bash|zsh|fish`: print the script that completes options and commands."""

from __future__ import annotations

from collections.abc import Sequence

from canter.cli import dispatch
from canter.errors import UsageError
from canter.settings.completion import SHELLS, completion_script


def run(words: Sequence[str]) -> int:
    """Print the script; the exit status. Raises UsageError."""
    if len(words) != 1 or words[0] not in SHELLS:
        raise UsageError(f"canter completion: name one shell: {', '.join(SHELLS)}")
    print(completion_script(words[0], list(dispatch.COMMANDS)), end="")
    return 0
