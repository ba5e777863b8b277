"""The environment: `CANTER_<NAME>` for every setting, and the variables that platforms set."""

from __future__ import annotations

import re
from collections.abc import Mapping

from canter.errors import ConfigError
from canter.settings.kinds import Optional
from canter.settings.layers import Draft, Entry, Layer
from canter.settings.provenance import DEFAULT, Source, SourceKind
from canter.settings.registry import OTHER_VARIABLES, SETTINGS, nearest_name
from canter.settings.setting import VARIABLE_PREFIX

# Kubernetes gives every pod these for each service; one that is called canter would look like us.
_SERVICE_VARIABLE = re.compile(
    r"CANTER(_\w+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_\w+)?)", re.ASCII
)
_SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://")


def canter_layer(environment: Mapping[str, str]) -> Layer:
    """What the `CANTER_*` variables say.

    An empty variable is the empty value where the setting has one, and is otherwise ignored. An
    unknown one is a warning, because the prefix may be another's too; but if it is nearly the name
    of a setting, ConfigError is raised: somebody believes to have set it.
    """
    known = {setting.variable: setting for setting in SETTINGS.values()}
    entries: list[Entry] = []
    warnings: list[str] = []
    for name, text in sorted(environment.items()):
        if not name.startswith(VARIABLE_PREFIX) or name in OTHER_VARIABLES:
            continue
        setting = known.get(name)
        if setting is None:
            warnings += _unknown(name, text)
        elif text or setting.kind.accepts_empty:
            entries.append(Entry(setting.name, text, Source(SourceKind.ENVIRONMENT, name)))
    return Layer(tuple(entries), tuple(warnings))


def platform_layer(environment: Mapping[str, str]) -> Layer:
    """What WEB_CONCURRENCY, PORT and their like say; weaker than files, as with Gunicorn.

    An empty variable is the empty value where the setting has one, and is otherwise ignored.
    """
    entries: list[Entry] = []
    for setting in SETTINGS.values():
        if setting.platform is None:
            continue
        text = environment.get(setting.platform.name)
        if text or (text is not None and setting.kind.accepts_empty):
            value = setting.platform.template.format(text)
            source = Source(SourceKind.ENVIRONMENT, setting.platform.name)
            entries.append(Entry(setting.name, value, source))
    return Layer(tuple(entries))


def raw_env_layer(draft: Draft) -> Layer:
    """What `raw_env` says to settings whose variable may stand there, where nothing else does."""
    pairs = dict(pair.split("=", 1) for pair in draft.values["raw_env"])
    entries: list[Entry] = []
    for setting in SETTINGS.values():
        platform = setting.platform
        if platform is None or not platform.in_raw_env or platform.name not in pairs:
            continue
        weaker = {str(DEFAULT), str(Source(SourceKind.ENVIRONMENT, platform.name))}
        if str(draft.sources[setting.name]) in weaker:
            value = platform.template.format(pairs[platform.name])
            entries.append(Entry(setting.name, value, draft.sources["raw_env"]))
    return Layer(tuple(entries))


def arguments_layer(arguments: Mapping[str, object]) -> Layer:
    """What the keyword arguments of an embedding program say.

    None stands for "not given" where the setting cannot be without a value. Raises ConfigError for
    an unknown keyword, with the nearest valid name.
    """
    entries: list[Entry] = []
    for name, value in arguments.items():
        if name not in SETTINGS:
            nearest = nearest_name(name)
            meant = f"; did you mean {nearest}?" if nearest is not None else ""
            raise ConfigError(f"unknown setting {name}{meant}")
        if value is not None or isinstance(SETTINGS[name].kind, Optional):
            entries.append(Entry(name, value, Source(SourceKind.ARGUMENT, name)))
    return Layer(tuple(entries))


def _unknown(name: str, text: str) -> list[str]:
    if _SERVICE_VARIABLE.fullmatch(name) or _SERVICE_ADDRESS.match(text):
        return []
    nearest = nearest_name(name.removeprefix(VARIABLE_PREFIX))
    if nearest is not None:
        raise ConfigError(f"unknown variable {name}; did you mean {SETTINGS[nearest].variable}?")
    return [f"unknown variable {name} is ignored"]
