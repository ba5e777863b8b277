"""Lines become orders, and orders are judged by the roster; whatever else comes is refused."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.supervisor.orders import (
    Answer,
    LogLevel,
    OrderError,
    Refusal,
    Reload,
    Scale,
    Stacks,
    Status,
    Stop,
    encode_reply,
    judge_change,
    judge_scale,
    judge_stacks,
    judge_stop,
    parse_order,
)
from canter.supervisor.states import Command, Phase
from tests.supervisor.worlds import World, started


@pytest.mark.parametrize(
    ("line", "order"),
    [
        (b'{"command": "status"}', Status()),
        (b' {"command":"reload"}\r', Reload()),
        (b'{"command": "stop"}', Stop(now=False)),
        (b'{"command": "stop", "now": true}', Stop(now=True)),
        (b'{"workers": 4, "command": "scale"}', Scale(4)),
        (b'{"command": "stacks"}', Stacks(None)),
        (b'{"command": "stacks", "pid": 17}', Stacks(17)),
        (b'{"command": "log-level", "level": "debug"}', LogLevel("debug")),
    ],
)
def test_a_line_is_an_order(line, order):
    assert parse_order(line) == order


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"", "not JSON"),
        (b"GET / HTTP/1.1\r", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 4000, "not JSON"),
        (b"9" * 5000, "not JSON"),
        (b'["status"]', "not an object"),
        (b"{}", "no such command; there are status, reload, stop, scale, stacks, log-level, "),
        (b'{"command": "explode"}', "no such command"),
        (b'{"command": ["status"]}', "no such command"),
        (b'{"command": "status", "pid": 1}', "status takes no 'pid'"),
        (b'{"command": "scale"}', "scale needs workers"),
        (b'{"command": "scale", "workers": "4"}', "workers is not of type int"),
        (b'{"command": "scale", "workers": true}', "workers is not of type int"),
        (b'{"command": "stop", "now": 1}', "now is not of type bool"),
        (b'{"command": "log-level"}', "log-level needs level"),
    ],
)
def test_what_is_no_order_is_told_why(line, error):
    with pytest.raises(OrderError, match=error.replace("(", r"\(")):
        parse_order(line)


@given(st.binary(max_size=200))
def test_no_line_does_harm(line):
    with contextlib.suppress(OrderError):
        parse_order(line)


def test_replies_are_one_line_of_ascii():
    answer = encode_reply(Answer({"line": "caf\u00e9\n\udce9"}))
    assert answer.count(b"\n") == 1
    assert json.loads(answer) == {"ok": True, "data": {"line": "caf\u00e9\n\udce9"}}
    refusal = encode_reply(Refusal("no", {"traceback": "x"}))
    assert json.loads(refusal) == {"ok": False, "error": "no", "traceback": "x"}


def test_workers_can_be_more_or_fewer_within_the_room_there_is():
    world = started()
    assert judge_scale(Scale(5), world.roster) == (3, 2)
    assert judge_scale(Scale(1), world.roster) == (-1, 2)
    for impossible in (0, -1, 11):
        with pytest.raises(OrderError, match=f"room for 1 to 10 workers, not {impossible}"):
            judge_scale(Scale(impossible), world.roster)


def test_nothing_can_be_changed_while_the_service_ends():
    world = started()
    judge_change(world.roster)
    world.roster.request_stop(Command.STOP_GRACEFULLY, world.now)
    for judge in (judge_change, lambda roster: judge_scale(Scale(1), roster)):
        with pytest.raises(OrderError, match="the server is stopping"):
            judge(world.roster)


def test_stacks_are_asked_of_workers_that_run_requests():
    world = started()
    assert judge_stacks(Stacks(), world.roster) == {101, 102}
    assert judge_stacks(Stacks(102), world.roster) == {102}
    with pytest.raises(OrderError, match="there is no worker 7"):
        judge_stacks(Stacks(7), world.roster)
    world.roster.note_hang_up(world.handle(101), world.now)
    assert judge_stacks(Stacks(), world.roster) == {102}


def test_a_worker_that_boots_has_no_stacks_to_tell():
    world = World()
    world.act()
    assert judge_stacks(Stacks(), world.roster) == set()
    with pytest.raises(OrderError, match="worker 101 runs no requests: it is booting"):
        judge_stacks(Stacks(101), world.roster)


@pytest.mark.parametrize(
    ("now", "phase", "command"),
    [
        (False, Phase.STARTING, Command.STOP_GRACEFULLY),
        (False, Phase.RUNNING, Command.STOP_GRACEFULLY),
        (False, Phase.STOPPING, None),
        (False, Phase.HURRYING, None),
        (True, Phase.RUNNING, Command.STOP_AT_ONCE),
        (True, Phase.STOPPING, Command.STOP_AT_ONCE),
        (True, Phase.HURRYING, None),
    ],
)
def test_asking_twice_for_a_graceful_end_does_not_hurry_it(now, phase, command):
    assert judge_stop(Stop(now), phase) is command
