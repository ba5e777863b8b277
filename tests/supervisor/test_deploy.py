"""What a generation is made of: real sockets, a real map, and nothing left when it fails."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from canter.errors import BindError, ConfigError
from canter.net.addresses import parse_bind
from canter.net.listeners import inherit
from canter.settings import Settings, Surroundings, arguments_layer, load
from canter.supervisor.capacity import count_processors
from canter.supervisor.deploy import Deploys, plan_from


@pytest.fixture
def deploys() -> Iterator[Deploys]:
    deploys = Deploys()
    yield deploys
    deploys.close_all_but(())


def settings(directory: Path, **values: object) -> Settings:
    values.setdefault("bind", ["127.0.0.1:0"])
    return load(Surroundings(str(directory), {}), arguments_layer(values))


def can_connect(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError:
        return False
    return True


def test_the_plan_is_the_policys_part_of_the_settings(tmp_path: Path):
    plan = plan_from(
        settings(tmp_path, workers=3, threads=5, timeout=7, graceful_timeout=8, boot_timeout=9)
    )
    assert (plan.workers, plan.threads) == (3, 5)
    assert (plan.timeout_seconds, plan.graceful_seconds, plan.boot_seconds) == (7.0, 8.0, 9.0)
    assert plan.max_workers >= 2 * plan.workers


def test_auto_is_as_many_workers_as_there_are_processors(tmp_path: Path):
    assert plan_from(settings(tmp_path, workers="auto")).workers == count_processors()


def test_the_lowest_free_slot_is_taken_and_a_used_one_comes_back_clean(
    tmp_path: Path, deploys: Deploys
):
    deploy = deploys.prepare(settings(tmp_path))
    deploys.add(1, deploy)
    first, second = deploy.take_slot(), deploy.take_slot()
    assert (first.index, second.index) == (0, 1)
    first.words[0] = 99
    deploy.give_back(0)
    assert deploy.take_slot() is first
    assert first.pid == 0


def test_a_successor_keeps_the_sockets_it_shares(tmp_path: Path, deploys: Deploys):
    path = str(tmp_path / "a.sock")
    old = deploys.prepare(settings(tmp_path, bind=["127.0.0.1:0", f"unix:{path}"]))
    deploys.add(1, old)
    new = deploys.prepare(settings(tmp_path, bind=[f"unix:{path}", "127.0.0.1:0"]))
    deploys.add(2, new)
    assert new.listeners == (old.listeners[1], old.listeners[0])
    assert deploys.serves_all_of(2, 1)
    assert len(deploys.open_listeners()) == 2
    deploys.close_all_but([2])
    assert os.path.exists(path)


def test_an_address_that_nobody_serves_any_more_is_closed(tmp_path: Path, deploys: Deploys):
    path = str(tmp_path / "a.sock")
    deploys.add(1, deploys.prepare(settings(tmp_path, bind=["127.0.0.1:0", f"unix:{path}"])))
    deploys.add(2, deploys.prepare(settings(tmp_path, bind=["127.0.0.1:0"])))
    assert not deploys.serves_all_of(2, 1)
    assert deploys.serves_all_of(1, 2)
    address = deploys[1].listeners[0].sock.getsockname()
    deploys.close_all_but([2])
    deploys.forget(1)
    assert not os.path.exists(path)
    assert can_connect(address)


def test_socket_files_that_another_supervisor_serves_too_are_left(tmp_path: Path, deploys: Deploys):
    path = tmp_path / "a.sock"
    deploys.add(1, deploys.prepare(settings(tmp_path, bind=[f"unix:{path}"])))
    deploys.are_shared = True
    deploys.close_all_but(())
    assert path.exists()


def test_a_successor_inherits_the_sockets_and_their_files(tmp_path: Path, deploys: Deploys):
    path = tmp_path / "a.sock"
    binds = {"bind": ["127.0.0.1:0", f"unix:{path}"]}
    first = deploys.prepare(settings(tmp_path, **binds))
    deploys.add(1, first)
    left = [inherit(os.dup(it.fd), parse_bind(it.address), it.file) for it in deploys.heirlooms()]
    heir = Deploys(inherited=left)
    second = heir.prepare(settings(tmp_path, **binds))
    heir.add(1, second)
    assert second.listeners == tuple(left)
    assert second.listeners[0].url == first.listeners[0].url
    deploys.are_shared = True
    deploys.close_all_but(())
    assert path.exists()
    heir.close_all_but(())
    assert not path.exists()


def test_what_is_no_listening_socket_is_not_inherited():
    with socket.socket() as sock, pytest.raises(BindError, match="not a listening socket"):
        inherit(os.dup(sock.fileno()), None, None)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"bind": ["unix:{tmp}/new.sock", "unix:{tmp}/none/b.sock"]}, BindError),
        ({"bind": ["unix:{tmp}/new.sock", "nonsense:port"]}, ConfigError),
        ({"user": "no-such-user"}, ConfigError),
        ({"accesslog": "{tmp}/none/access.log"}, ConfigError),
    ],
)
def test_a_deploy_that_cannot_be_had_leaves_nothing_open(
    tmp_path: Path, deploys: Deploys, values: dict[str, object], error: type[Exception]
):
    def fill(value: object) -> object:
        if isinstance(value, list):
            return [fill(item) for item in value]
        return str(value).replace("{tmp}", str(tmp_path))

    deploys.add(1, deploys.prepare(settings(tmp_path)))
    wrong = settings(tmp_path, **{name: fill(value) for name, value in values.items()})
    with pytest.raises(error):
        deploys.prepare(wrong)
    assert os.listdir(tmp_path) == []
    assert len(deploys.open_listeners()) == 1
