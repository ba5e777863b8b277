"""Workers that are nobody's children where they were forked."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from typing import NoReturn

import pytest

from canter.worker.forkserver import fork_orphan

ADOPTED = """
import os, subprocess, sys
from canter.supervisor.adoption import adopt_orphans
from canter.worker.forkserver import fork_orphan

assert adopt_orphans()
read, write = os.pipe()
server = os.fork()
if not server:
    os.write(write, str(fork_orphan(lambda: os._exit(7))).encode())
    os._exit(0)
os.waitpid(server, 0)
pid = int(os.read(read, 20))
found, status = os.waitpid(pid, 0)
print(found == pid, os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux only")
def test_an_orphan_is_reaped_by_who_asked_for_orphans():
    done = subprocess.run(
        [sys.executable, "-c", ADOPTED],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("True 7\n", 0), done.stderr


def never() -> NoReturn:
    raise AssertionError("nothing was forked")


def test_a_fork_that_fails_says_why(monkeypatch: pytest.MonkeyPatch):
    real, parent = os.fork, os.getpid()

    def fork() -> int:
        if os.getpid() != parent:
            raise OSError(errno.EAGAIN, "no process left")
        return real()

    monkeypatch.setattr(os, "fork", fork)
    with pytest.raises(OSError, match="unavailable") as caught:
        fork_orphan(never)
    assert caught.value.errno == errno.EAGAIN
