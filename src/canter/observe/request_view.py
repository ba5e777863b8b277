"""A request as Gunicorn's hooks and loggers know it, made from its environ."""

from __future__ import annotations

from typing import Any


class RequestView:
    """`req`, made from the environ; what a hook does to `headers` reaches the environ."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ
        self._headers: list[tuple[str, str]] | None = None
        self._before: list[tuple[str, str]] = []

    @property
    def method(self) -> str:
        """The method."""
        return str(self._environ.get("REQUEST_METHOD", ""))

    @property
    def uri(self) -> str:
        """The target as it was received."""
        return str(self._environ.get("RAW_URI", ""))

    @property
    def path(self) -> str:
        """The target's path, not decoded."""
        return self.uri.partition("?")[0].partition("#")[0]

    @property
    def query(self) -> str:
        """What follows the question mark."""
        return str(self._environ.get("QUERY_STRING", ""))

    @property
    def fragment(self) -> str:
        """What follows a `#`."""
        return self.uri.partition("#")[2]

    @property
    def version(self) -> tuple[int, int]:
        """The protocol's version."""
        major, _, minor = self._environ.get("SERVER_PROTOCOL", "HTTP/1.1")[5:].partition(".")
        return int(major or 1), int(minor or 0)

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        return str(self._environ.get("wsgi.url_scheme", "http"))

    @property
    def body(self) -> Any:
        """The body as a file; the application reads the same one."""
        return self._environ.get("wsgi.input")

    @property
    def trailers(self) -> list[tuple[str, str]]:
        """Canter passes none on."""
        return []

    @property
    def remote_addr(self) -> tuple[str, int] | str:
        """The client: address and port, "" for a unix socket."""
        host = self._environ.get("REMOTE_ADDR", "")
        return (host, int(self._environ.get("REMOTE_PORT", 0) or 0)) if host else ""

    peer_addr = remote_addr

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The header fields: names in capital letters, and values."""
        if self._headers is None:
            self._headers = _header_fields(self._environ)
            self._before = list(self._headers)
        return self._headers

    @headers.setter
    def headers(self, fields: list[tuple[str, str]]) -> None:
        self._before = list(self.headers)
        self._headers = fields

    def pass_on(self) -> None:
        """Bring what a hook did to the headers into the environ."""
        fields = self._headers
        if fields is None or fields == self._before:
            return
        environ = self._environ
        for name, _ in self._before:
            environ.pop(_key(name), None)
        for name, value in fields:
            key = _key(name)
            environ[key] = f"{environ[key]},{value}" if key in environ else value


def _header_fields(environ: dict[str, Any]) -> list[tuple[str, str]]:
    fields = []
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            fields.append((key[5:].replace("_", "-"), value))
        elif key in {"CONTENT_TYPE", "CONTENT_LENGTH"} and value:
            fields.append((key.replace("_", "-"), value))
    return fields


def _key(name: str) -> str:
    key = name.upper().replace("-", "_")
    return key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
