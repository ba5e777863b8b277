"""Kinds of several items: texts, addresses, networks, header names, NAME=VALUE pairs.

A text holds the items separated by commas (`Assignments`: by line ends, because a value may hold a
comma); a file may also give its own list. An option may be repeated, and adds up.
"""

from __future__ import annotations

import ipaddress
import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from canter.settings.kinds.kind import Kind, quoted

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_VARIABLE_NAME = re.compile(r"[^=\0]+")


class _Items(Kind[tuple[str, ...]]):
    """Several texts, each checked by `_item`."""

    repeatable: ClassVar[bool] = True
    separator: ClassVar[str] = ","

    @property
    def annotation(self) -> str:
        return "tuple[str, ...]"

    @property
    def json_type(self) -> str:
        return "array of strings, or string"

    @property
    def accepts_empty(self) -> bool:
        return True

    def parse(self, value: object) -> tuple[str, ...]:
        return tuple(self._item(text) for text in pieces(value, self.separator))

    def render(self, value: tuple[str, ...]) -> str:
        return self.separator.join(value)

    @abstractmethod
    def _item(self, text: str) -> str:
        """One item in its own notation; ValueError says what is wrong with it."""


class TextList(_Items):
    """Any texts."""

    def __init__(self, metavar: str = "TEXT,...") -> None:
        self._metavar = metavar

    @property
    def expects(self) -> str:
        return "texts, separated by commas"

    @property
    def metavar(self) -> str:
        return self._metavar

    def _item(self, text: str) -> str:
        if "\0" in text:
            raise ValueError(f"{quoted(text)} has a NUL byte in it")
        return text


class RequestPaths(_Items):
    """Paths as they stand in a request line, queries included."""

    @property
    def expects(self) -> str:
        return "paths that begin with `/`, separated by commas; what is not ASCII as `%XX`"

    @property
    def metavar(self) -> str:
        return "PATH"

    def _item(self, text: str) -> str:
        if not text.startswith("/") or not text.isascii() or not text.isprintable() or " " in text:
            raise ValueError(f"{quoted(text)} is no path of a request")
        return text


class Words(_Items):
    """Some of a few words, at least one, in an order that means something."""

    def __init__(self, *words: str) -> None:
        self.words = words

    @property
    def expects(self) -> str:
        return f"one or more of {', '.join(f'`{word}`' for word in self.words)}"

    @property
    def metavar(self) -> str:
        return ",".join(self.words)

    @property
    def accepts_empty(self) -> bool:
        return False

    def parse(self, value: object) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(super().parse(value)))
        if not found:
            raise ValueError(f"it takes one or more of {', '.join(self.words)}")
        return found

    def _item(self, text: str) -> str:
        word = text.lower()
        if word not in self.words:
            raise ValueError(f"{quoted(text)} is none of {', '.join(self.words)}")
        return word


class AddressList(_Items):
    """Addresses to listen on, at least one. What each means is for whoever opens it."""

    @property
    def expects(self) -> str:
        return (
            "addresses, separated by commas: `HOST`, `HOST:PORT`, `[V6]:PORT`, `:PORT`, "
            "`unix:PATH`, `unix:@NAME`, `fd://N`, `FORMAT://HOST:PORT`, `FORMAT+unix:PATH`"
        )

    @property
    def metavar(self) -> str:
        return "ADDRESS"

    @property
    def accepts_empty(self) -> bool:
        return False

    def parse(self, value: object) -> tuple[str, ...]:
        addresses = super().parse(value)
        if not addresses:
            raise ValueError("no address is given")
        return addresses

    def _item(self, text: str) -> str:
        if "\0" in text:
            raise ValueError(f"{quoted(text)} has a NUL byte in it")
        return text


class Networks(_Items):
    """Peers by IP address or network, or `*` for every peer."""

    @property
    def expects(self) -> str:
        return "IP addresses and networks, separated by commas, or `*` for every peer"

    @property
    def metavar(self) -> str:
        return "IP,..."

    def _item(self, text: str) -> str:
        if text == "*":
            return text
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError(f"{quoted(text)} is not an IP address, a network or *") from None
        if "/" not in text:
            return str(network.network_address)
        if _host_bits(text, network):
            # Trusting a whole network where one host was meant would be worse than stopping.
            raise ValueError(f"{quoted(text)} is not a network; did you mean {network}?")
        return str(network)


class HeaderNames(_Items):
    """Names of header fields, kept in upper case because HTTP compares them without case."""

    @property
    def expects(self) -> str:
        return "header names, separated by commas"

    @property
    def metavar(self) -> str:
        return "NAME,..."

    def _item(self, text: str) -> str:
        return header_name(text)


class Assignments(_Items):
    """NAME=VALUE pairs, one a line, or as a list."""

    separator: ClassVar[str] = "\n"

    @property
    def expects(self) -> str:
        return "`NAME=VALUE`; in a variable one a line"

    @property
    def metavar(self) -> str:
        return "NAME=VALUE"

    def _item(self, text: str) -> str:
        name, equals, value = text.partition("=")
        if not equals or not _VARIABLE_NAME.fullmatch(name) or "\0" in value:
            raise ValueError(f"{quoted(text)} is not of the form NAME=VALUE")
        return text


def pieces(value: object, separator: str) -> list[str]:
    """The items of a text or a list of texts. Raises ValueError."""
    if isinstance(value, str):
        return [piece.strip() for piece in value.split(separator) if piece.strip()]
    if not isinstance(value, Sequence) or isinstance(value, bytes | bytearray):
        raise ValueError(  # noqa: TRY004 - one kind of error
            f"{quoted(value)} is neither a text nor a list of texts"
        )
    items: list[str] = []
    for item in value:
        if not isinstance(item, str):
            raise ValueError(f"{quoted(item)} is not a text")  # noqa: TRY004 - one kind of error
        # Commas separate wherever they stand; a line end inside one item belongs to the item.
        items.extend(pieces(item, ",") if separator == "," else [item.strip()])
    return items


def header_name(text: str) -> str:
    """The name of a header in upper case. Raises ValueError."""
    name = text.strip()
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"{quoted(text)} is not the name of a header")
    return name.upper()


def _host_bits(text: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    return ipaddress.ip_address(text.partition("/")[0]) != network.network_address
