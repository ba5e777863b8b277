"""From the settings about TLS to a keyring."""

from __future__ import annotations

import logging
import ssl
from typing import cast

from canter.errors import ConfigError
from canter.net.certificates import ContextHook, Keyring, Pair, TlsPlan, Verify
from canter.net.self_signed import self_signed_file
from canter.observe.logs import LOGGER_NAME
from canter.settings import Settings
from canter.worker.hooks.calling import Hooks
from canter.worker.hooks.views import ConfigView

_ALPN = {"h1": "http/1.1", "h2": "h2"}


def make_keyring(settings: Settings, hook: ContextHook | None = None) -> Keyring | None:
    """The contexts that the settings ask for, or None where all is plain.

    Raises ConfigError, beginning with the place of the setting, when there can be none.
    """
    named = tuple((name, _pair(files)) for name, files in settings.certificates.items())
    if not wants_tls(settings):
        for name in ("keyfile", "ca_certs", "certificates"):
            if getattr(settings, name):
                where = settings.source(name).where(name)
                raise ConfigError(f"{where}: it needs a certificate: certfile is not set")
        secure = [text for text in settings.bind if text.lower().startswith(("https:", "https+"))]
        if secure:
            where = settings.source("bind").where("bind")
            raise ConfigError(f"{where}: {secure[0]} needs a certificate: certfile is not set")
        return None
    if settings.worker_class == "gevent":
        where = settings.source("worker_class").where("worker_class")
        raise ConfigError(
            f"{where}: the gevent engine speaks no TLS; use worker_class threads, or have a proxy "
            "in front speak it"
        )
    if settings.cert_reqs != "none" and settings.ca_certs is None and hook is None:
        where = settings.source("cert_reqs").where("cert_reqs")
        raise ConfigError(f"{where}: no client could be verified: ca_certs is not set")
    if settings.self_signed and settings.certfile is not None:
        where = settings.source("self_signed").where("self_signed")
        raise ConfigError(f"{where}: there is a certificate: certfile is set")

    def plan(pair: Pair | None) -> TlsPlan:
        return TlsPlan(
            pair=pair,
            named=named,
            password_file=settings.keyfile_password_file,
            ca_certs=settings.ca_certs,
            verify=Verify[settings.cert_reqs.upper()],
            ciphers=settings.ciphers,
            minimum=settings.tls_minimum_version,
            suppress_ragged_eofs=settings.suppress_ragged_eofs,
            protocols=tuple(_ALPN[word] for word in settings.http_protocols),
        )

    name = "self_signed" if settings.self_signed else "certfile"
    try:
        if settings.self_signed:
            with self_signed_file() as path:
                return Keyring(plan(Pair(path)), hook, renews=False)
        pair = Pair(settings.certfile, settings.keyfile) if settings.certfile else None
        return Keyring(plan(pair), hook)
    except ConfigError as error:
        raise ConfigError(f"{settings.source(name).where(name)}: {error}") from None


def spoken_protocol(settings: Settings) -> str:
    """What is spoken where an address names nothing else, as a URL has it."""
    return "https" if settings.protocol == "http" and wants_tls(settings) else settings.protocol


def wants_tls(settings: Settings) -> bool:
    """Whether there is something to speak TLS with."""
    return settings.certfile is not None or settings.self_signed


def context_hook(settings: Settings) -> ContextHook | None:
    """The hook `ssl_context`, as `Keyring` calls it. Raises ConfigError."""
    function = Hooks(settings, logging.getLogger(LOGGER_NAME)).find("ssl_context")
    if function is None:
        return None
    config = ConfigView(settings)
    return lambda usual: cast("ssl.SSLContext", function(config, usual))


def _pair(files: str) -> Pair:
    certfile, _, keyfile = files.partition(":")
    return Pair(certfile.strip(), keyfile.strip() or None)
