"""A line while it is written: pieces of every kind and length, in order."""

from __future__ import annotations

import re

import pytest

from canter.observe.page import Page

SAFE = re.compile(r"[ !#-\[\]-~]*").fullmatch


def test_pieces_stand_in_the_order_in_which_they_came():
    page = Page()
    page.text("a ")
    assert page.quoted("b")
    page.number(-12)
    page.text("")
    page.text("é\n")
    page.number(3)
    page.text("\N{SNOWMAN}")
    assert page.quoted("z")
    assert page.whole() == "a b-12é\n3\N{SNOWMAN}z"


def test_an_empty_page_is_an_empty_text():
    assert Page().whole() == ""


@pytest.mark.parametrize("number", [0, 9, 10, -1, 10**18, 2**63 - 1, -(2**63)])
def test_numbers_of_64_bits_are_written_in_decimal(number):
    page = Page()
    page.number(number)
    assert page.whole() == str(number)


@pytest.mark.parametrize("length", [1, 499, 500, 501, 5000, 100_000])
def test_a_page_has_room_for_pieces_of_any_length(length):
    page = Page()
    for _ in range(3):
        page.text("x" * length)
        assert page.quoted("y" * length)
        page.number(7)
    assert page.whole() == ("x" * length + "y" * length + "7") * 3


def test_what_cannot_be_quoted_is_found_wherever_it_stands():
    for character in (*map(chr, range(0x100)), "\u0100", "\U0001f40e", "\ud800"):
        good = SAFE(character) is not None
        for length in (*range(1, 35), 1000):
            for place in {0, length // 2, length - 1}:
                text = "x" * place + character + "x" * (length - place - 1)
                page = Page()
                page.text("<")
                assert page.quoted(text) is good
                page.text(">")
                assert page.whole() == (f"<{text}>" if good else "<>")
