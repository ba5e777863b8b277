"""A list of peers: networks, or everybody.

A peer on a unix socket is always in it, as in Gunicorn: the permissions of the socket's file say
who may connect.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Peers:
    """Networks of peers, or "*" for every peer."""

    allow: tuple[Network, ...] | Literal["*"] = ()

    def include(self, peer: str | None) -> bool:
        """Whether a peer is one of them; None is a peer on a unix socket."""
        if peer is None or self.allow == "*":
            return True
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        if address.version == 6 and address.ipv4_mapped is not None:
            # How an IPv4 peer shows on a socket of both families.
            address = address.ipv4_mapped
        return any(address in network for network in self.allow)


#: The peers of this machine.
LOOPBACK = Peers((ip_network("127.0.0.1"), ip_network("::1")))
