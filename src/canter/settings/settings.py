"""The result: every setting's value, typed and frozen, and where each came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from canter.settings.provenance import Source
from canter.settings.values import Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(Values):
    """All settings of one start or reload; attributes are the values.

    `warnings` is what the operator should know although nothing is wrong, a line each.
    """

    sources: Mapping[str, Source]
    warnings: tuple[str, ...] = ()

    def source(self, name: str) -> Source:
        """Where the value of `name` came from.

        As text it is `default`, `canter.toml:3`, `env NAME`, `option --flag` or `argument`.
        Raises KeyError when there is no such setting.
        """
        return self.sources[name]

    def with_warnings(self, warnings: tuple[str, ...]) -> Settings:
        """The same settings with more to tell."""
        return replace(self, warnings=self.warnings + warnings)
