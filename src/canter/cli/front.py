"""`canter front NAME [--protocol P] [--domain D] [OPTIONS]`: a web server's configuration.

What is not an option of the command is one of canter's own, so that the settings are those that
`canter` would start with.
"""

from __future__ import annotations

import argparse
import importlib
import re
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from canter.cli.fronts.site import PROTOCOLS, Site, make_site
from canter.cli.workplace import Workplace
from canter.errors import UsageError
from canter.net.addresses import TcpAddress
from canter.settings import Surroundings, load, parse_options

FRONTS = ("nginx", "apache", "haproxy", "caddy", "lighttpd", "varnish")

_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)*[A-Za-z0-9-]+")
_LISTEN = re.compile(r"(?:(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]|):)?[0-9]{1,5}")
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_ADVICE = """\
Prints a configuration for a web server in front of canter, made from canter's settings: those of
the configuration file here (or -c FILE), of CANTER_* variables, and of canter's options behind the
name. Nothing is started. See docs/fronts.md."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}")


def run(words: Sequence[str]) -> int:
    """Print it; the exit status. Raises CanterError."""
    parser = _Parser(
        prog="canter front",
        usage="canter front NAME [--protocol P] [--domain D] [--listen L] [--prefix P] [OPTIONS]",
        description=_ADVICE,
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME", help=", ".join(FRONTS))
    parser.add_argument(
        "--protocol",
        metavar="P",
        help=f"what it speaks with canter: {', '.join(PROTOCOLS)} (default: what canter speaks)",
    )
    parser.add_argument(
        "--domain", default="", help="the site's name; with it the front speaks TLS"
    )
    parser.add_argument(
        "--listen", default="", metavar="L", help="the front's own [HOST:]PORT (default: 80 or 443)"
    )
    parser.add_argument(
        "--prefix", default="", metavar="/P", help="the path at which the application is mounted"
    )
    given, options = parser.parse_known_args(list(words))
    for option, text, form in (
        ("--domain", given.domain, _DOMAIN),
        ("--listen", given.listen, _LISTEN),
        ("--prefix", given.prefix.rstrip("/"), _PREFIX),
    ):
        if text and not form.fullmatch(text):
            raise UsageError(f"canter front: {option}: {text!r} cannot be used")
    front = _find(given.name)
    if given.protocol is not None:
        _demand(front, given.name, given.protocol)
    surroundings = Surroundings.here()
    Workplace(surroundings).make_importable()
    settings = load(surroundings, parse_options(options).layer)
    own = Site(
        protocol="",
        address=TcpAddress("", 0),
        domain=given.domain,
        listen=given.listen,
        prefix=given.prefix.rstrip("/"),
    )
    site = make_site(settings, given.protocol, own)
    _demand(front, given.name, site.protocol)
    print(front.configuration(site), end="")
    return 0


def _find(name: str) -> ModuleType:
    if name not in FRONTS:
        raise UsageError(f"canter front: {name!r} is none of {', '.join(FRONTS)}")
    return importlib.import_module(f"canter.cli.fronts.{name}")


def _demand(front: ModuleType, name: str, protocol: str) -> None:
    """Raises UsageError where the front does not speak it."""
    if protocol in front.PROTOCOLS:
        return
    if protocol not in PROTOCOLS:
        raise UsageError(f"canter front: {protocol!r} is none of {', '.join(PROTOCOLS)}")
    spoken = [other for other in FRONTS if protocol in _find(other).PROTOCOLS]
    raise UsageError(
        f"canter front: {name} does not speak {protocol}; it speaks "
        f"{', '.join(front.PROTOCOLS)}; {protocol} is spoken by {', '.join(spoken)}"
    )
