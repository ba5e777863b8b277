"""What settings name is looked at before anything starts: addresses, users, directories, formats.

The layers below would find out, too, but later, and without knowing where the value came from.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from canter.errors import ConfigError
from canter.net.addresses import parse_bind
from canter.observe.access_format import compile_format
from canter.observe.statsd import parse_statsd_address
from canter.observe.syslog import check_facility, parse_syslog_address
from canter.settings import Settings
from canter.worker.identity import resolve_identity, resolve_owner
from canter.worker.tls import make_keyring


def check_what_is_named(settings: Settings) -> None:
    """Raises ConfigError, beginning with the place of the value, for the first that is not so."""
    checks: tuple[tuple[str, Callable[[], object]], ...] = (
        ("bind", lambda: [parse_bind(address) for address in settings.bind]),
        ("access_log_format", lambda: compile_format(settings.access_log_format)),
        ("syslog_addr", lambda: parse_syslog_address(settings.syslog_addr)),
        ("statsd_host", lambda: parse_statsd_address(settings.statsd_host or "localhost:8125")),
        ("syslog_facility", lambda: check_facility(settings.syslog_facility)),
        ("tmp_upload_dir", lambda: _check_directory(settings.tmp_upload_dir)),
        ("static", lambda: _check_directories(settings.static)),
        ("sendfile_roots", lambda: _check_directories(settings.sendfile_roots)),
        ("unix_socket_owner", lambda: resolve_owner(settings.unix_socket_owner)),
        ("user", lambda: resolve_identity(settings.user, None)),
        ("group", lambda: resolve_identity(None, settings.group)),
    )
    for name, check in checks:
        try:
            check()
        except ConfigError as error:
            raise ConfigError(f"{settings.source(name).where(name)}: {error}") from None
    make_keyring(settings)
    if settings.tracing:
        # It imports the core, which has to be settled before.
        from canter.worker.tracing import check_tracing

        check_tracing(settings)


def _check_directories(mounts: Mapping[str, str]) -> None:
    for directory in mounts.values():
        _check_directory(directory)


def _check_directory(path: str | None) -> None:
    if path is not None and not os.path.isdir(path):
        raise ConfigError(f"{path} is not a directory")
