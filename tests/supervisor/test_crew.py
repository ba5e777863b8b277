"""Real children: their ends are told by what they were, and nobody else's child is touched."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from canter.supervisor.crew import Crew
from canter.supervisor.reports import Death
from canter.worker.channel import make_channel
from tests.live.waiting import eventually


def fork(action: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            action()
        finally:
            os._exit(0)
    return pid


def reaped(crew: Crew, pid: int) -> Death:
    ((found, death),) = eventually(lambda: crew.reap([pid]), "the child ends")
    assert found == pid
    return death


@pytest.mark.parametrize("status", [0, 3, 255])
def test_an_exit_is_told_by_its_status(status: int):
    pid = fork(lambda: os._exit(status))
    assert reaped(Crew(), pid) == Death(exit_status=status)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGHUP", "SIGTERM"])
def test_a_kill_is_told_by_the_signals_name(name: str):
    def wait() -> None:
        os.write(writer, b"!")
        signal.pause()

    reader, writer = os.pipe()
    # Ours may have been ignored by who started us, as nohup does with SIGHUP.
    before = {name: signal.signal(name, signal.SIG_DFL) for name in (signal.SIGHUP, signal.SIGTERM)}
    try:
        pid = fork(wait)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    os.read(reader, 1)
    for end in (reader, writer):
        os.close(end)
    Crew().signal(pid, signal.Signals[name])
    assert reaped(Crew(), pid) == Death(signal=name)


def test_a_signal_without_a_name_is_told_by_its_number():
    number = signal.SIGRTMIN + 5
    pid = fork(signal.pause)
    os.kill(pid, number)
    assert reaped(Crew(), pid) == Death(signal=f"signal {number}")


def test_one_that_runs_is_not_reaped():
    pid = fork(signal.pause)
    assert Crew().reap([pid]) == []
    Crew().signal(pid, signal.SIGKILL)
    reaped(Crew(), pid)


def test_a_child_that_somebody_else_has_waited_for_counts_as_ended():
    pid = fork(lambda: None)
    os.waitpid(pid, 0)
    assert Crew().reap([pid]) == [(pid, Death())]


def test_a_signal_to_one_that_is_gone_does_nothing():
    pid = fork(lambda: None)
    os.waitpid(pid, 0)
    Crew().signal(pid, signal.SIGTERM)


def test_only_a_child_that_nobody_knows_yet_can_be_a_new_worker():
    crew = Crew()
    living, dead = fork(signal.pause), fork(lambda: None)
    assert crew.is_new_child(living)
    os.waitid(os.P_PID, dead, os.WEXITED | os.WNOWAIT)
    assert crew.is_new_child(dead), "it can be reaped"
    os.waitpid(dead, 0)
    for stranger in (dead, os.getpid(), os.getppid(), 1, 0, -1):
        assert not crew.is_new_child(stranger)
    ours, theirs = make_channel()
    crew.channels[living] = ours
    assert not crew.is_new_child(living)
    ours.close()
    theirs.close()
    crew.signal(living, signal.SIGKILL)
    reaped(crew, living)


ORPHAN = """
import os, signal, sys
from canter.supervisor.crew import Crew
from canter.worker.channel import make_channel

crew = Crew()
worker = os.fork()
if not worker:
    os._exit(5)
crew.channels[worker] = make_channel()[0]
foreign = os.fork()
if not foreign:
    os._exit(0)
for pid in (worker, foreign):
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
crew.reap_foreign(spared=None)
((pid, death),) = crew.reap([worker])
assert (pid, death.exit_status) == (worker, 5), "what is a worker's is left for reap()"
crew.reap_foreign(spared=None)
try:
    os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    print("nobody is left")
"""


def test_foreign_children_are_reaped_and_workers_left_alone():
    done = subprocess.run(
        [sys.executable, "-c", ORPHAN],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("nobody is left\n", 0), done.stderr
