"""`canter config diff`: what a reload of the running server would change, and then does."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.live.harness import PLAIN, Server, clean_environment

if TYPE_CHECKING:
    from tests.live.harness import Start


def diff(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the command where the server was started."""
    return subprocess.run(
        [sys.executable, "-m", "canter", "config", "diff", *words],
        cwd=server.directory,
        env=clean_environment(HOME=str(server.directory)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_changed_file_is_told_until_it_is_reloaded(start: Start) -> None:
    server = start(PLAIN, "--threads", "2", "--control-socket", "c.sock")
    socket = ("--control-socket", "c.sock")
    done = diff(server, *socket)
    assert (done.returncode, done.stdout) == (0, "nothing differs\n"), done.stderr
    (server.directory / "canter.toml").write_text("threads = 9\n\nkeepalive = 5\n")
    done = diff(server, *socket)
    assert done.returncode == 1, "the threads of the command line stay"
    assert done.stdout == "keepalive\n  running: 75s (default)\n  now:     5s (canter.toml:3)\n"
    (told,) = json.loads(diff(server, *socket, "--json").stdout)
    assert (told["name"], told["running"], told["now"]) == ("keepalive", "75s", "5s")
    server.signal(signal.SIGHUP)
    server.wait_for_log("generation 2 serves")
    assert diff(server, *socket).returncode == 0
