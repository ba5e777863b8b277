"""The scheme of a request as fields of a trusted front tell it.

Apart from `trust`, which says whom to believe, because it runs once for each request of a front.
Compiled where a compiler is at hand (`scheme.pxd`); the same source either way.
"""

from __future__ import annotations

from typing import Any

from canter.protocol.faults import BadForwarding


def apply_scheme(
    schemes: tuple[tuple[str, str], ...],
    environ: dict[str, Any],
    repeated: bool,  # noqa: FBT001 - by position, as C has it
) -> None:
    """Set wsgi.url_scheme as the fields tell it, if they do; call it for trusted peers only.

    schemes: the environ's keys, each with the value that means https; any other one means http.
    repeated: some of the fields came more than once, so that a comma may join two lines.
    Raises BadForwarding if they contradict each other.
    """
    scheme = None
    for key, secure in schemes:
        value = environ.get(key)
        if value is None:
            continue
        for told in value.split(",") if repeated else (value,):
            this = "https" if told == secure else "http"
            if scheme is not None and scheme != this:
                raise BadForwarding("fields of the front contradict each other on the scheme")
            scheme = this
    if scheme is not None:
        environ["wsgi.url_scheme"] = scheme
