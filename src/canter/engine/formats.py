"""Which reader a connection gets: the one place that knows every wire format by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from canter.engine.contract import EngineConfig
from canter.protocol.fastcgi.reader import Reader as FastcgiReader
from canter.protocol.http1.reader import Reader as HttpReader
from canter.protocol.proxy.reader import Mode as ProxyMode
from canter.protocol.proxy.reader import Reader as ProxyReader
from canter.protocol.reader import RequestReader
from canter.protocol.scgi.reader import Reader as ScgiReader
from canter.protocol.uwsgi.reader import Reader as UwsgiReader

MakeReader = Callable[[], RequestReader]
"""Makes the reader of a new connection."""

ReadersFor = Callable[[str | None], MakeReader]
"""What makes the readers for one peer; told its host, None on a unix socket."""


def _http(config: EngineConfig) -> ReadersFor:
    limits, leniency, trust = config.limits, config.leniency, config.trust
    return lambda peer: partial(
        HttpReader, limits, leniency, trust=trust, trusted=trust.trusts(peer)
    )


def _gateway(
    reader: type[UwsgiReader | FastcgiReader | ScgiReader],
) -> Callable[[EngineConfig], ReadersFor]:
    def factory(config: EngineConfig) -> ReadersFor:
        limits, leniency, peers = config.limits, config.leniency, config.gateway_peers
        return lambda peer: partial(reader, limits, leniency, trusted=peers.include(peer))

    return factory


FORMATS: dict[str, Callable[[EngineConfig], ReadersFor]] = {
    "http": _http,
    "https": _http,
    "uwsgi": _gateway(UwsgiReader),
    "fastcgi": _gateway(FastcgiReader),
    "scgi": _gateway(ScgiReader),
}
"""By the names that `--protocol` takes and that stand before `://` in `--bind`."""


def readers_of(scheme: str, config: EngineConfig) -> ReadersFor:
    """Where the readers of one listener come from.

    scheme: the format that its address names, or "" for the one of `config`.
    """
    readers_for = FORMATS[scheme or config.protocol](config)
    mode, peers = config.proxy_mode, config.proxy_peers
    if mode is ProxyMode.OFF:
        return readers_for

    def introduced(peer: str | None) -> MakeReader:
        make, trusted = readers_for(peer), peers.include(peer)
        return lambda: ProxyReader(mode, make(), trusted=trusted)

    return introduced
