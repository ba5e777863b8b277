"""Which reader a connection gets: the one place that knows every wire format by name."""

from __future__ import annotations

from collections.abc import Callable

from canter.engine.contract import EngineConfig
from canter.protocol.fastcgi.reader import Reader as FastcgiReader
from canter.protocol.http1.reader import Reader as HttpReader
from canter.protocol.proxy.reader import Mode as ProxyMode
from canter.protocol.proxy.reader import Reader as ProxyReader
from canter.protocol.reader import RequestReader
from canter.protocol.scgi.reader import Reader as ScgiReader
from canter.protocol.uwsgi.reader import Reader as UwsgiReader

MakeReader = Callable[[str | None], RequestReader]
"""Makes the reader of a new connection; told the peer's host, None on a unix socket."""


def _http(config: EngineConfig) -> MakeReader:
    limits, leniency, trust = config.limits, config.leniency, config.trust
    return lambda peer: HttpReader(limits, leniency, trust=trust, trusted=trust.trusts(peer))


def _gateway(
    reader: type[UwsgiReader | FastcgiReader | ScgiReader],
) -> Callable[[EngineConfig], MakeReader]:
    def factory(config: EngineConfig) -> MakeReader:
        limits, leniency, peers = config.limits, config.leniency, config.gateway_peers
        return lambda peer: reader(limits, leniency, trusted=peers.include(peer))

    return factory


FORMATS: dict[str, Callable[[EngineConfig], MakeReader]] = {
    "http": _http,
    "https": _http,
    "uwsgi": _gateway(UwsgiReader),
    "fastcgi": _gateway(FastcgiReader),
    "scgi": _gateway(ScgiReader),
}
"""By the names that `--protocol` takes and that stand before `://` in `--bind`."""


def reader_factory(scheme: str, config: EngineConfig) -> MakeReader:
    """What makes the readers of one listener.

    scheme: the format that its address names, or "" for the one of `config`.
    """
    make = FORMATS[scheme or config.protocol](config)
    mode, peers = config.proxy_mode, config.proxy_peers
    if mode is ProxyMode.OFF:
        return make
    return lambda peer: ProxyReader(mode, make(peer), trusted=peers.include(peer))
