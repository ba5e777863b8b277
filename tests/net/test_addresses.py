"""What `--bind` accepts, and how it says no."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.errors import ConfigError
from canter.net.addresses import (
    AbstractAddress,
    Address,
    FdAddress,
    TcpAddress,
    UnixAddress,
    parse_bind,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8000", TcpAddress("127.0.0.1", 8000)),
        ("127.0.0.1", TcpAddress("127.0.0.1", 8000)),
        ("LocalHost:80", TcpAddress("localhost", 80)),
        ("my_service.internal:5000", TcpAddress("my_service.internal", 5000)),
        (":8080", TcpAddress("0.0.0.0", 8080)),
        ("0.0.0.0:0", TcpAddress("0.0.0.0", 0)),
        ("tcp://127.0.0.1:9", TcpAddress("127.0.0.1", 9)),
        ("tcp://example.org", TcpAddress("example.org", 8000)),
        ("[::1]:8000", TcpAddress("::1", 8000)),
        ("[::]", TcpAddress("::", 8000)),
        ("[FE80::1]:0", TcpAddress("fe80::1", 0)),
        ("unix:/run/canter.sock", UnixAddress("/run/canter.sock")),
        ("unix:///run/canter.sock", UnixAddress("/run/canter.sock")),
        ("unix:relative.sock", UnixAddress("relative.sock")),
        ("UNIX:/run/a", UnixAddress("/run/a")),
        ("unix:@canter", AbstractAddress("canter")),
        ("unix://@canter", AbstractAddress("canter")),
        ("fd://3", FdAddress(3)),
        ("  127.0.0.1:1  ", TcpAddress("127.0.0.1", 1)),
        ("http://:80", TcpAddress("0.0.0.0", 80, "http")),
        ("HTTP+unix:/run/a", UnixAddress("/run/a", "http")),
        ("http+unix:@canter", AbstractAddress("canter", "http")),
        ("http+fd://3", FdAddress(3, "http")),
        ("uwsgi://127.0.0.1:3031", TcpAddress("127.0.0.1", 3031, "uwsgi")),
        ("fastcgi://[::1]:9000", TcpAddress("::1", 9000, "fastcgi")),
        ("scgi+unix:/run/a", UnixAddress("/run/a", "scgi")),
    ],
)
def test_reads_an_address(text: str, address: Address):
    assert parse_bind(text) == address


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("8000", "did you mean :8000?"),
        ("::1", "in brackets"),
        ("::1:8000", "in brackets"),
        ("[::1", "[ADDRESS]:PORT"),
        ("[::1]8000", "[ADDRESS]:PORT"),
        ("[localhost]:80", "not an IPv6 address"),
        ("127.0.0.1:", "0 to 65535"),
        ("127.0.0.1:http", "0 to 65535"),
        ("127.0.0.1:65536", "0 to 65535"),
        ("127.0.0.1:-1", "0 to 65535"),
        ("127.0.0.1:٣", "0 to 65535"),
        ("ho st:80", "not a host"),
        ("-x:80", "not a host"),
        ("gopher://127.0.0.1:80", "the schemes are"),
        ("unix:", "path is missing"),
        ("unix:@", "after @"),
        ("unix:/a\0b", "NUL"),
        ("fd://", "descriptor number"),
        ("fd://three", "descriptor number"),
        ("fd://-1", "descriptor number"),
    ],
)
def test_refuses_and_names_the_text_and_the_reason(text: str, why: str):
    with pytest.raises(ConfigError) as caught:
        parse_bind(text)
    assert why in str(caught.value)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1:80", "[::1]:80", "0.0.0.0:0", "unix:/run/a.sock", "unix:@name", "fd://7"],
)
def test_an_address_prints_as_it_is_written(text: str):
    assert str(parse_bind(text)) == text


@given(st.text(max_size=40))
def test_any_text_gives_an_address_that_prints_as_one_or_a_clear_refusal(text: str):
    try:
        address = parse_bind(text)
    except ConfigError:
        return
    assert parse_bind(str(address)) == address
