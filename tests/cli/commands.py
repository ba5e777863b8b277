"""The real command, in a process of its own, in a directory and an environment of the test's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_RUN_SECONDS = 60


def clean_environment(**variables: str) -> dict[str, str]:
    """This process's environment without what would configure a server, and with these."""
    ours = ("CANTER_", "GUNICORN_", "PORT", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS", "SENDFILE")
    kept = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(ours) or name == "CANTER_EXTENSIONS"
    }
    path = os.pathsep.join(filter(None, [str(ROOT / "src"), kept.get("PYTHONPATH")]))
    return {**kept, "PYTHONPATH": path, **variables}


def canter(
    directory: Path, *words: str, python: tuple[str, ...] = ("-m", "canter"), **variables: str
) -> subprocess.CompletedProcess[str]:
    """`canter WORDS`, run in `directory` to its end."""
    return subprocess.run(
        [sys.executable, *python, *words],
        cwd=directory,
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        timeout=LONGEST_RUN_SECONDS,
        check=False,
    )
