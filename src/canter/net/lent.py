"""Listening sockets that whoever starts us has opened: systemd's socket activation.

`LISTEN_PID` says whom they are for, `LISTEN_FDS` how many there are, from descriptor 3 on, and
`LISTEN_FDNAMES` what the unit file calls them. Pure: nothing is opened or looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from canter.net.addresses import Address, FdAddress

FIRST_DESCRIPTOR = 3
VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Lent:
    """One socket; it stays its owner's, who goes on listening when we have left."""

    address: FdAddress
    name: str = ""


def lent_sockets(environment: Mapping[str, str], pid: int) -> tuple[Lent, ...]:
    """The sockets that were passed to process `pid`; none where they are meant for another one."""
    if environment.get("LISTEN_PID") != str(pid):
        return ()
    count = environment.get("LISTEN_FDS", "")
    if not (count.isascii() and count.isdigit()) or int(count) > _MOST:
        return ()
    numbers = range(FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + int(count))
    names = [*environment.get("LISTEN_FDNAMES", "").split(":"), *("" for _ in numbers)]
    return tuple(Lent(FdAddress(fd), name) for fd, name in zip(numbers, names, strict=False))


def choose_addresses(wanted: Sequence[Address], lent: Sequence[Lent]) -> tuple[Address, ...]:
    """Where to listen: where somebody lent us sockets there and nowhere else, as in Gunicorn.

    Who names descriptors in `bind` has chosen among them.
    """
    if not lent or all(isinstance(address, FdAddress) for address in wanted):
        return tuple(wanted)
    return tuple(one.address for one in lent)
