"""The scanners' own promises: what they know by name, and what they keep."""

from __future__ import annotations

from types import FunctionType

import pytest

from canter import extensions
from canter.protocol.http1 import scan_fast
from canter.protocol.http1.scan import KNOWN_NAMES, Fact, Outcome, Scan, describe_name
from canter.protocol.http1.scanners import DEFAULT, FAST, REFERENCE
from tests.protocol.http1.feeding import SUBJECTS


@pytest.fixture(params=list(SUBJECTS.values()), ids=list(SUBJECTS))
def scan(request):
    return request.param.scan


def fields(scan, block):
    environ: dict[str, str] = {}
    aside: list[tuple[str, str]] = []
    outcome, behind, facts = scan.fields(block, 0, 8190, 10**6, 10**6, 0, environ, aside)
    assert (outcome, behind) == (Outcome.DONE, len(block))
    return environ, aside, facts & 0xFFFF


def test_the_default_is_the_byte_loop_where_it_is_compiled_and_the_reference_elsewhere():
    is_compiled = not isinstance(scan_fast.FastScan.fields, FunctionType)
    assert DEFAULT is (FAST if is_compiled else REFERENCE)


@pytest.mark.parametrize("spelling", [str.upper, str.lower, str.title, str.swapcase, str])
def test_every_known_name_means_the_same_in_any_case(scan, spelling):
    for name, (key, fact) in KNOWN_NAMES.items():
        environ, aside, facts = fields(scan, spelling(name).encode() + b": v\r\n\r\n")
        assert (environ, aside, facts) == ({key: "v"}, [], fact), name


def test_names_that_resemble_known_ones_are_not_taken_for_them(scan):
    for name in list(KNOWN_NAMES):
        for other in (name + "x", "x" + name, name[:-1] + "!", name.replace("-", ".")):
            if other and other not in KNOWN_NAMES:
                environ, _, facts = fields(scan, other.encode() + b": v\r\n\r\n")
                assert environ == {describe_name(other)[0]: "v"}, other
                assert facts == describe_name(other)[1]


def test_a_name_with_an_underscore_is_set_aside_in_any_disguise(scan):
    for name in ("Content_Length", "_", "X_", "_x-y", "HOST_", "Transfer_Encoding"):
        environ, aside, facts = fields(scan, name.encode() + b": v\r\n\r\n")
        assert (environ, aside, facts) == ({}, [(name, "v")], Fact.ASIDE)


def test_values_of_one_character_are_joined_like_others(scan):
    """Python keeps one object for each of them, so identity says nothing."""
    environ, _, facts = fields(scan, b"X: 1\r\nX: 1\r\nHost: a\r\nHost: a\r\n\r\n")
    assert environ == {"HTTP_X": "1,1", "HTTP_HOST": "a,a"}
    assert facts == Fact.HOST | Fact.HOST_AGAIN


def test_facts_are_told_for_each_kind_of_field(scan):
    names = {
        "Host": Fact.HOST,
        "Content-Length": Fact.CONTENT_LENGTH,
        "Content-Type": Fact.CONTENT_TYPE,
        "X-Forwarded-Proto": Fact.FORWARDED,
        "X-Forwarded-Protocol": Fact.FORWARDED,
        "X-Forwarded-SSL": Fact.FORWARDED,
        "Transfer-Encoding": Fact.TRANSFER_ENCODING,
        "Connection": Fact.CONNECTION,
        "Expect": Fact.EXPECT,
        "Upgrade": Fact.UPGRADE,
        "Accept": Fact(0),
        "X-Forwarded-For": Fact(0),
        "X-Never-Heard-Of": Fact(0),
    }
    for name, fact in names.items():
        assert fields(scan, name.encode() + b": v\r\n\r\n")[2] == fact, name
    everything = b"".join(name.encode() + b": v\r\n" for name in names)
    assert fields(scan, everything + b"\r\n")[2] == Fact(0xFF)
    again = Fact.HOST_AGAIN | Fact.CONTENT_LENGTH_AGAIN | Fact.CONTENT_TYPE_AGAIN
    assert fields(scan, everything * 2 + b"\r\n")[2] == 0xFF | again | Fact.FORWARDED_AGAIN


def test_a_chunk_size_line_is_held_to_its_limit_whatever_is_in_it(scan):
    for line in (b"7", b"000000007", b"7;a=b", b"7" * 15):
        size = int(line.partition(b";")[0], 16)
        wire = line + b"\r\n"
        assert scan.chunk_size(wire, 0, len(line)) == (Outcome.DONE, len(wire), size)
        assert scan.chunk_size(wire, 0, len(line) - 1) == (Outcome.TOO_LONG, 0, 0)


def test_the_names_a_peer_invents_are_not_kept_without_end():
    twin = extensions.load_source("canter.protocol.http1.scan_fast")
    for number in range(3 * twin._LEARNED_MAXIMUM):
        fields(twin.FAST, b"X-%d: v\r\n\r\n" % number)
        assert len(twin._learned) <= twin._LEARNED_MAXIMUM
    fields(twin.FAST, b"X-" + b"y" * 1000 + b": v\r\n\r\n")
    assert max(map(len, twin._learned)) <= twin._LEARNED_NAME_BYTES


def test_a_scan_says_nothing_of_itself():
    bare = Scan()
    for asked in (
        lambda: bare.request_line(b"", 0, 1, {}),
        lambda: bare.fields(b"", 0, 1, 1, 1, 0, {}, []),
        lambda: bare.chunk_size(b"", 0, 1),
    ):
        with pytest.raises(NotImplementedError):
            asked()
