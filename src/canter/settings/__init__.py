"""Settings: each is declared once, and everything that shows or reads it is made from that.

    declarations (sections/) -> options, CANTER_* variables, files -> Layer -> Draft -> Settings

`load` is the way in for a command line, `settings_from` for a program. Only `sources` touches the
environment and files; everything else decides from values.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from canter.settings.help import help_text
from canter.settings.layers import Layer, merge, settle
from canter.settings.options import CommandLine, parse_options
from canter.settings.provenance import Source, SourceKind
from canter.settings.report import settings_report
from canter.settings.settings import Settings
from canter.settings.sources import Surroundings, load
from canter.settings.variables import arguments_layer

__all__ = [
    "CommandLine",
    "Layer",
    "Settings",
    "Source",
    "SourceKind",
    "Surroundings",
    "arguments_layer",
    "help_text",
    "load",
    "parse_options",
    "settings_from",
    "settings_report",
]


def settings_from(arguments: Mapping[str, object] = MappingProxyType({})) -> Settings:
    """The settings with these values and defaults for the others; nothing else is read.

    Raises ConfigError for an unknown name or a wrong value.
    """
    return settle(merge([arguments_layer(arguments)]))
