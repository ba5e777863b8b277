"""Sockets that a service manager passes: what the variables say, and which addresses win."""

from __future__ import annotations

import pytest

from canter.net.addresses import Address, FdAddress, TcpAddress, UnixAddress
from canter.net.lent import Lent, choose_addresses, lent_sockets

OURS = 4711


def variables(count: str = "2", pid: str = str(OURS), names: str | None = None) -> dict[str, str]:
    found = {"LISTEN_PID": pid, "LISTEN_FDS": count}
    return found if names is None else found | {"LISTEN_FDNAMES": names}


def test_they_begin_at_descriptor_3_and_have_names():
    assert lent_sockets(variables(names="web:admin"), OURS) == (
        Lent(FdAddress(3), "web"),
        Lent(FdAddress(4), "admin"),
    )


@pytest.mark.parametrize("names", [None, "", "web", "web:admin:more"])
def test_names_that_are_missing_or_too_many_change_nothing_else(names: str | None):
    found = lent_sockets(variables(names=names), OURS)
    assert [one.address.fd for one in found] == [3, 4]


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LISTEN_FDS": "2"},
        variables(pid="4712"),
        variables(pid=""),
        variables(count=""),
        variables(count="-1"),
        variables(count="two"),
        variables(count="٣"),
        variables(count="99999999"),
        variables(count="0"),
    ],
)
def test_those_of_others_and_nonsense_are_none(environment: dict[str, str]):
    assert lent_sockets(environment, OURS) == ()


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ([TcpAddress("127.0.0.1", 8000)], (FdAddress(3), FdAddress(4))),
        ([TcpAddress("127.0.0.1", 8000), FdAddress(4)], (FdAddress(3), FdAddress(4))),
        ([FdAddress(4)], (FdAddress(4),)),
    ],
)
def test_lent_sockets_win_unless_bind_chooses_among_descriptors(
    wanted: list[Address], chosen: tuple[Address, ...]
):
    lent = [Lent(FdAddress(3)), Lent(FdAddress(4))]
    assert choose_addresses(wanted, lent) == chosen


def test_without_any_bind_is_all_there_is():
    assert choose_addresses([UnixAddress("a")], ()) == (UnixAddress("a"),)
