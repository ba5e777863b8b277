"""What a PROXY header says about a connection."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Introduction:
    """Who a proxy speaks for.

    source: the client's host and port, None where the proxy speaks for itself or names nobody.
    scheme: "https" where the client came by TLS, "" where that is not said.
    environ: what applications are told, by Gunicorn's names and some of the same kind.
    """

    source: tuple[str, str] | None = None
    scheme: str = ""
    environ: dict[str, str] = field(default_factory=dict)


def introduce(
    family: str, source: tuple[str, str], destination: tuple[str, str], scheme: str = ""
) -> Introduction:
    """An introduction by addresses; family as version 1 writes it: TCP4, TCP6, UNIX, ..."""
    return Introduction(
        source,
        scheme,
        {
            "PROXY_PROTOCOL": family,
            "PROXY_ADDR": destination[0],
            "PROXY_PORT": destination[1],
        },
    )


#: The proxy speaks for itself, as in a health check.
NOBODY = Introduction()
