"""Whom to believe about the client: the fields by which a front says how the request came to it.

Only a peer in the list of trusted ones may set them; from anybody else they are ordinary fields
that change nothing. Names and rules are Gunicorn's (forwarded_allow_ips, secure_scheme_headers,
forwarder_headers).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from canter.protocol.forwarded import Told, read_forwarded, read_x_forwarded
from canter.protocol.peers import Network, Peers

# The names that scanners note by themselves.
_USUAL = frozenset({"HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_PROTOCOL", "HTTP_X_FORWARDED_SSL"})


ClientFields = Literal["off", "x-forwarded", "forwarded"]
"""Which family of fields says who the client is; never both."""


def _key(name: str) -> str:
    return "HTTP_" + name.upper().replace("-", "_")


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """Which peers are trusted, and with what.

    allow: networks of trusted peers, or "*" for every peer.
    secure_scheme_headers: field name to the value that means https; any other value means http.
    forwarder_headers: names with underscores that trusted peers may set all the same; SCRIPT_NAME
        among them becomes the environ's SCRIPT_NAME. "*" stands for every name.
    client_fields: which fields say who the client is and what it asked for.
    """

    allow: tuple[Network, ...] | Literal["*"] = ()
    secure_scheme_headers: Mapping[str, str] = field(default_factory=dict)
    forwarder_headers: tuple[str, ...] = ()
    client_fields: ClientFields = "off"

    #: The names of forwarder_headers in upper case.
    forwarders: frozenset[str] = field(init=False, repr=False, compare=False)
    #: Whether there are scheme fields that scanners do not note by themselves.
    has_unusual_names: bool = field(init=False, repr=False, compare=False)
    #: The environ's keys of secure_scheme_headers, each with the value that means https.
    schemes: tuple[tuple[str, str], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        schemes = tuple((_key(name), value) for name, value in self.secure_scheme_headers.items())
        forwarders = frozenset(name.upper() for name in self.forwarder_headers)
        object.__setattr__(self, "schemes", schemes)
        object.__setattr__(self, "forwarders", forwarders)
        object.__setattr__(self, "has_unusual_names", not _USUAL.issuperset(dict(schemes)))

    def trusts(self, peer: str | None) -> bool:
        """Whether a peer is trusted: None, a peer on a unix socket, always is (as in Gunicorn)."""
        return Peers(self.allow).include(peer)

    def told(self, environ: Mapping[str, Any]) -> Told | None:
        """What the fields of a trusted peer tell of its client; None where none is asked for.

        Raises BadForwarding.
        """
        if self.client_fields == "off":
            return None
        read = read_forwarded if self.client_fields == "forwarded" else read_x_forwarded
        return read(environ, self._is_front)

    def _is_front(self, host: str) -> bool:
        # Who believes every peer knows none of them for a front.
        return self.allow != "*" and self.trusts(host)
