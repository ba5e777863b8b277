"""Real signals to this process, read as numbers; then everything is as it was."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from canter.supervisor.inbox import SignalInbox
from tests.live.waiting import eventually


@pytest.fixture
def inbox() -> Iterator[SignalInbox]:
    with SignalInbox() as inbox:
        yield inbox


def test_signals_are_read_in_the_order_in_which_they_came(inbox: SignalInbox):
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1):
        os.kill(os.getpid(), number)
    assert eventually(inbox.take, "signals") == [signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1]
    assert inbox.take() == []


@pytest.mark.parametrize("name", ["INT", "QUIT", "TTIN", "TTOU", "WINCH", "USR2", "CHLD"])
def test_nothing_else_happens_by_a_signal_of_ours(inbox: SignalInbox, name: str):
    number = signal.Signals[f"SIG{name}"]
    os.kill(os.getpid(), number)
    assert number in eventually(inbox.take, "the signal")


def test_a_flood_of_signals_does_no_harm(inbox: SignalInbox):
    for _ in range(100_000):
        os.kill(os.getpid(), signal.SIGHUP)
    assert set(eventually(inbox.take, "signals")) == {signal.SIGHUP}


def test_handlers_of_before_are_put_back():
    calls: list[int] = []

    def mine(number: int, _frame: object) -> None:
        calls.append(number)

    before = signal.signal(signal.SIGUSR1, mine)
    try:
        with SignalInbox():
            os.kill(os.getpid(), signal.SIGUSR1)
        assert not calls
        os.kill(os.getpid(), signal.SIGUSR1)
        assert calls == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_its_descriptors_are_given_back():
    before = len(os.listdir("/dev/fd"))
    with SignalInbox():
        assert len(os.listdir("/dev/fd")) == before + 2
    assert len(os.listdir("/dev/fd")) == before
    assert signal.set_wakeup_fd(-1) == -1
