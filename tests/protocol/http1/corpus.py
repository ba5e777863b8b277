r"""The corpus: what must be read and what must be refused, one case in one TOML file.

A file's name is the sentence that the case proves. `wire` is what the peer sends: lines of the file
are joined, and \r, \n, \t, \\, \xHH stand for bytes; `{A*100}` repeats. Then either `fault`, the
name of a class, with `says`, a part of its detail; or `requests`, in each of which only what is
named is compared. `[limits]`, `[leniency]`, `[trust]` and `[base]` depart from the defaults.
`follows = false` says that no other request may follow: the wire is incomplete.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NamedTuple

from canter.protocol import faults
from canter.protocol.limits import Leniency, Limits
from canter.protocol.trust import TrustPolicy
from tests.protocol.http1.feeding import Setup

FOLDER = Path(__file__).resolve().parents[2] / "corpus" / "http1"
_REPEATED = re.compile(r"\{(.+?)\*([0-9]+)\}")
_KEYS = {"why", "wire", "fault", "status", "says", "requests", "limits", "leniency", "trust"}


class Case(NamedTuple):
    """One file of the corpus."""

    name: str
    wire: bytes
    setup: Setup
    fault: type[faults.Fault] | None
    status: int
    says: str
    requests: list[dict[str, Any]]
    follows: bool


def _bytes(text: str) -> bytes:
    lines = "".join(text.splitlines())
    repeated = _REPEATED.sub(lambda found: found[1] * int(found[2]), lines)
    return codecs.escape_decode(repeated.encode("latin-1"))[0]


def _setup(told: dict[str, Any]) -> Setup:
    setup = Setup()
    if "limits" in told:
        setup = setup._replace(limits=Limits(**told["limits"]))
    if "leniency" in told:
        setup = setup._replace(leniency=Leniency(**told["leniency"]))
    if "base" in told:
        setup = setup._replace(base=setup.base | told["base"])
    if "trust" in told:
        trust = told["trust"]
        policy = TrustPolicy(
            allow=(ip_network("127.0.0.1"),),
            secure_scheme_headers=trust.get(
                "secure_scheme_headers",
                {"X-FORWARDED-PROTO": "https", "X-FORWARDED-SSL": "on"},
            ),
            forwarder_headers=tuple(trust.get("forwarder_headers", ["SCRIPT_NAME", "PATH_INFO"])),
        )
        setup = setup._replace(trust=policy, trusted=policy.trusts(trust["peer"]))
    return setup


def load(path: Path) -> Case:
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    unknown = set(told) - _KEYS - {"base", "follows"}
    assert not unknown, f"{path.name}: {unknown}"
    fault = getattr(faults, told["fault"]) if "fault" in told else None
    for request in told.get("requests", []):
        if "body" in request:
            request["body"] = _bytes(request["body"])
    return Case(
        path.stem,
        _bytes(told["wire"]),
        _setup(told),
        fault,
        told.get("status", 0),
        told.get("says", ""),
        told.get("requests", []),
        told.get("follows", True),
    )


ACCEPTED = [load(path) for path in sorted((FOLDER / "accept").glob("*.toml"))]
REJECTED = [load(path) for path in sorted((FOLDER / "reject").glob("*.toml"))]
