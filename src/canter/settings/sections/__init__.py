"""The declarations, a file for each heading, in the order of the help text."""

from __future__ import annotations

from canter.settings.sections import (
    addresses,
    application,
    control,
    development,
    files,
    health,
    hooks,
    http2,
    logs,
    observing,
    process,
    proxies,
    requests,
    strictness,
    timeouts,
    tls,
    workers,
)
from canter.settings.setting import AnySetting

EVERY_SETTING: tuple[AnySetting, ...] = (
    *application.SETTINGS,
    *addresses.SETTINGS,
    *workers.SETTINGS,
    *timeouts.SETTINGS,
    *requests.SETTINGS,
    *strictness.SETTINGS,
    *proxies.SETTINGS,
    *tls.SETTINGS,
    *http2.SETTINGS,
    *logs.SETTINGS,
    *process.SETTINGS,
    *control.SETTINGS,
    *health.SETTINGS,
    *files.SETTINGS,
    *observing.SETTINGS,
    *development.SETTINGS,
    *hooks.SETTINGS,
)
