"""What all kinds share: a value that may be absent, and TOML's notation."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.settings.kinds import Integer, Optional, TextList
from canter.settings.kinds.kind import toml_literal

PLAIN = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(PLAIN)
def test_what_is_written_as_toml_is_read_back_the_same(value):
    assert tomllib.loads(f"x = {toml_literal(value)}")["x"] == value


def test_what_toml_has_no_notation_for_is_refused():
    with pytest.raises(TypeError, match="cannot be written in TOML"):
        toml_literal(object())


@pytest.mark.parametrize("written", [None, ""])
def test_nothing_and_the_empty_text_mean_no_value(written):
    assert Optional(Integer()).parse(written) is None


def test_no_value_is_written_as_the_empty_text():
    kind = Optional(Integer())
    assert kind.render(None) == ""
    assert kind.parse(tomllib.loads(f"x = {kind.toml(None)}")["x"]) is None
    assert (kind.render(3), kind.toml(3)) == ("3", "3")


def test_a_value_that_is_there_is_checked_all_the_same():
    with pytest.raises(ValueError, match="is not a whole number"):
        Optional(Integer()).parse("x")


def test_kinds_say_whether_an_empty_text_is_a_value():
    assert Optional(Integer()).accepts_empty
    assert TextList().accepts_empty
    assert not Integer().accepts_empty
