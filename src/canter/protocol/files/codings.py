"""Which content codings a client takes, in the order in which it wants them (RFC 9110 12.5.3)."""

from __future__ import annotations

import re
from functools import lru_cache

SUFFIXES = {"br": b".br", "zstd": b".zst", "gzip": b".gz"}
"""The codings that a file may have variants in, smallest first, each with the end of its name."""

_ALIASES = {"x-gzip": "gzip"}
_ITEM = re.compile(
    r"[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*(?:;[ \t]*[qQ]=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)"
    r"[ \t]*)?",
    re.ASCII,
).fullmatch
_LONGEST = 1024


def wanted_codings(accept_encoding: str) -> tuple[str, ...]:
    """The codings among SUFFIXES that Accept-Encoding takes and does not put behind none at all.

    Higher weights come first, and the smaller coding where two are equal. What is not of the form
    that the RFC gives takes nothing.
    """
    return _rated(accept_encoding) if 0 < len(accept_encoding) <= _LONGEST else ()


# Browsers send a handful of values, again and again.
@lru_cache(maxsize=64)
def _rated(accept_encoding: str) -> tuple[str, ...]:
    weights: dict[str, float] = {}
    for item in accept_encoding.split(","):
        found = _ITEM(item)
        if found is None:
            if item.strip(" \t"):
                return ()
            continue
        name = found[1].lower()
        weights.setdefault(_ALIASES.get(name, name), 1.0 if found[2] is None else float(found[2]))
    others = weights.get("*", 0.0)
    # Where the client does not rate the file as it is, any variant that it takes is as good.
    plain = weights.get("identity", 0.0)
    rated = [(weights.get(name, others), name) for name in SUFFIXES]
    taken = [(weight, name) for weight, name in rated if weight > 0 and weight >= plain]
    return tuple(name for _, name in sorted(taken, key=lambda it: -it[0]))
