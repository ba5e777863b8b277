"""Addresses of syslog daemons."""

from __future__ import annotations

import pytest

from canter.errors import ConfigError
from canter.observe.syslog import SyslogAddress, check_facility, parse_syslog_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("udp://localhost:514", SyslogAddress(False, ("localhost", 514))),
        ("udp://logs", SyslogAddress(False, ("logs", 514))),
        ("logs:5140", SyslogAddress(False, ("logs", 5140))),
        ("tcp://[::1]:601", SyslogAddress(True, ("::1", 601))),
        ("TCP://Logs:601", SyslogAddress(True, ("logs", 601))),
        ("unix:///dev/log", SyslogAddress(None, "/dev/log")),
        ("unix:///dev/log#dgram", SyslogAddress(False, "/dev/log")),
        ("unix:///dev/log#stream", SyslogAddress(True, "/dev/log")),
    ],
)
def test_gunicorn_s_addresses_are_understood(text, address):
    assert parse_syslog_address(text) == address


@pytest.mark.parametrize(
    "text", ["ftp://x", "unix://", "unix:///dev/log#other", "udp://h:99999", "udp://h:x", "a b"]
)
def test_anything_else_is_told(text):
    with pytest.raises(ConfigError, match="is none of unix://PATH#TYPE"):
        parse_syslog_address(text)


def test_a_facility_has_to_exist():
    check_facility("LOCAL7")
    with pytest.raises(ConfigError, match="'local9' is none of auth, "):
        check_facility("local9")
