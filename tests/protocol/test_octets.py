"""The loops over bytes: the plain and the compiled ones say the same, at every length."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter import extensions
from canter.protocol import octets as imported
from canter.protocol.http1.scan import KNOWN_NAMES

BUILDS = {"plain": extensions.load_source("canter.protocol.octets"), "imported": imported}
LONGEST = 40  # further than any loop goes in one step


@pytest.fixture(params=list(BUILDS.values()), ids=list(BUILDS))
def octets(request):
    return request.param


def test_a_value_ends_at_the_first_byte_that_no_value_holds_wherever_it_is(octets):
    ends = {*range(32), 127} - {9}
    for byte in range(256):
        for at in range(LONGEST):
            data = b"\t" + b"\xffv " * LONGEST
            data = data[:at] + bytes([byte]) + data[at:]
            assert octets.value_end(data, 0, len(data)) == (at if byte in ends else len(data))
    assert octets.value_end(b"abc\r", 1, 2) == 2
    assert octets.value_end(b"", 0, 0) == 0


def test_a_name_is_the_same_in_any_case_and_no_other_is(octets):
    for name in KNOWN_NAMES:
        lower, length = name.lower().encode(), len(name)
        for spelling in (name, name.upper(), name.lower(), name.swapcase()):
            assert octets.same_name(b"x" + spelling.encode() + b":", 1, b"." + lower, 1, length)
        for at in range(length):
            for other in b"x_~!":
                changed = bytearray(lower)
                changed[at] = other
                if bytes(changed) != lower:
                    assert not octets.same_name(bytes(changed) + b":", 0, lower, 0, length)


def test_text_is_plain_when_every_character_is_printable_ascii(octets):
    for code in (*range(256), 0x100, 0x20AC, 0x1F600):
        for length in range(LONGEST):
            text = "a" * length + chr(code) + "b" * (length % 9)
            assert octets.is_plain(text) is (32 <= code < 127), (code, length)
    assert octets.is_plain("")


def test_a_head_is_its_pieces_in_order(octets):
    fields = [("A", "1"), ("B", ""), ("Caf\xe9", "cr\xe8me")]
    made = octets.response_head(b"start\r\n", b"date\r\n", fields, 70, b"\r\n")
    assert made == (
        b"start\r\ndate\r\nA: 1\r\nB: \r\nCaf\xe9: cr\xe8me\r\nContent-Length: 70\r\n\r\n"
    )
    assert octets.response_head(b"", b"", [], -1, b"") == b""


def test_a_head_of_wide_text_is_refused(octets):
    with pytest.raises(UnicodeEncodeError):
        octets.response_head(b"", b"", [("A", "\u20ac")], -1, b"")


texts = st.text(st.characters(max_codepoint=255), max_size=LONGEST)


@given(st.binary(max_size=3), st.lists(st.tuples(texts, texts)), st.integers(-1, 2**62))
def test_both_builds_make_the_same_head(start, fields, length):
    plain, compiled = (
        build.response_head(start, b"date", fields, length, b"end") for build in BUILDS.values()
    )
    assert plain == compiled


@given(st.integers(0, 10**18 - 1))
def test_a_number_is_what_its_digits_say(number):
    for build in BUILDS.values():
        assert build.plain_number(str(number)) == number


@given(st.text(st.sampled_from("0123456789 +-_.\u0661\xb2x"), max_size=24))
def test_only_few_digits_without_a_leading_zero_are_a_plain_number(text):
    plain = text.isascii() and text.isdecimal() and str(int(text)) == text and len(text) <= 18
    for build in BUILDS.values():
        assert build.plain_number(text) == (int(text) if plain else -1)
