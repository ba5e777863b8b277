"""Lists: from text, from a file's own list, and from an option that is repeated."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.settings.kinds import (
    AddressList,
    Assignments,
    HeaderMapping,
    HeaderNames,
    Networks,
    TextList,
)


@pytest.mark.parametrize(
    ("written", "items"),
    [
        ("a,b", ("a", "b")),
        (" a , b,", ("a", "b")),
        (["a", "b"], ("a", "b")),
        (("a,b", "c"), ("a", "b", "c")),
        ("", ()),
        ([], ()),
    ],
)
def test_items_are_separated_by_commas_or_by_the_file(written, items):
    assert TextList().parse(written) == items


@pytest.mark.parametrize("written", [3, None, {"a": 1}, b"ab", True])
def test_what_is_neither_text_nor_list_is_named_as_such(written):
    with pytest.raises(ValueError, match="neither a text nor a list of texts"):
        TextList().parse(written)


@pytest.mark.parametrize("kind", [TextList(), AddressList(), Assignments()])
def test_items_are_texts_without_nul(kind):
    with pytest.raises(ValueError, match="is not a text"):
        kind.parse(["a=b", 3])
    with pytest.raises(ValueError, match=r"NUL|form"):
        kind.parse(["a=\0"])


def test_there_is_at_least_one_address():
    assert AddressList().parse("127.0.0.1:1,unix:/x") == ("127.0.0.1:1", "unix:/x")
    with pytest.raises(ValueError, match="no address is given"):
        AddressList().parse([])


@pytest.mark.parametrize(
    ("written", "networks"),
    [
        ("127.0.0.1,::1", ("127.0.0.1", "::1")),
        ("10.0.0.0/8", ("10.0.0.0/8",)),
        ("*", ("*",)),
        ("2001:DB8::/32", ("2001:db8::/32",)),
        ("192.0.2.7/32", ("192.0.2.7/32",)),
        ("", ()),
    ],
)
def test_peers_are_addresses_networks_or_everyone(written, networks):
    assert Networks().parse(written) == networks


@pytest.mark.parametrize("written", ["localhost", "10.0.0.0/99", "10.0.0", "**"])
def test_what_is_no_peer_is_named_as_such(written):
    with pytest.raises(ValueError, match="is not an IP address, a network or"):
        Networks().parse(written)


def test_a_host_with_a_network_s_mask_is_not_silently_a_whole_network():
    with pytest.raises(ValueError, match=r"did you mean 10\.0\.0\.0/8\?"):
        Networks().parse("10.1.2.3/8")


def test_header_names_are_in_capital_letters():
    assert HeaderNames().parse("script_name, X-Real-Ip") == ("SCRIPT_NAME", "X-REAL-IP")


@pytest.mark.parametrize("written", ["a b", "x:", "é"])
def test_what_is_no_header_name_is_named_as_such(written):
    with pytest.raises(ValueError, match="not the name of a header"):
        HeaderNames().parse(written)


def test_assignments_may_hold_commas_and_line_ends():
    assert Assignments().parse("A=1,2\nB=") == ("A=1,2", "B=")
    assert Assignments().parse(["A=one\ntwo", "B=1,2"]) == ("A=one\ntwo", "B=1,2")


@pytest.mark.parametrize("written", ["A", "=1", ["A"], [""]])
def test_an_assignment_has_a_name_and_a_value(written):
    with pytest.raises(ValueError, match="not of the form NAME=VALUE"):
        Assignments().parse(written)


@pytest.mark.parametrize(
    "written",
    [
        "x-forwarded-proto=https, X-FORWARDED-SSL=on",
        ["x-forwarded-proto=https", "x-forwarded-ssl=on"],
        {"X-Forwarded-Proto": "https", "X-Forwarded-Ssl": "on"},
    ],
)
def test_header_values_come_as_text_list_or_table(written):
    expected = {"X-FORWARDED-PROTO": "https", "X-FORWARDED-SSL": "on"}
    assert HeaderMapping().parse(written) == expected


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("X", "not of the form NAME=VALUE"),
        ({"X": 1}, "X needs a text"),
        ({"X": "a,b"}, "X needs a text without commas"),
        ({"X": "a", "x": "b"}, "X is given twice"),
        ("a b=c", "not the name of a header"),
        (3, "neither a text nor a table"),
    ],
)
def test_what_is_no_mapping_of_headers_is_told_why(written, problem):
    with pytest.raises(ValueError, match=problem):
        HeaderMapping().parse(written)


def test_a_mapping_cannot_be_changed():
    mapping = HeaderMapping().parse("X=1")
    with pytest.raises(TypeError):
        mapping["X"] = "2"  # type: ignore[index]  # that is the point


NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True)
VALUES = st.from_regex(r"[ -+\--~]{0,12}", fullmatch=True)


@given(st.dictionaries(NAMES.map(str.upper), VALUES.filter(str.strip)))
def test_a_mapping_survives_being_written_down(pairs):
    kind = HeaderMapping()
    value = kind.parse(pairs)
    assert kind.parse(kind.render(value)) == value
    assert kind.parse(tomllib.loads(f"x = {kind.toml(value)}")["x"]) == value


@given(st.lists(st.tuples(NAMES, VALUES).map("=".join)))
def test_assignments_survive_being_written_down(pairs):
    kind = Assignments()
    value = kind.parse(pairs)
    assert kind.parse(kind.render(value)) == value
    assert kind.parse(tomllib.loads(f"x = {kind.toml(value)}")["x"]) == value


@given(
    st.lists(
        st.ip_addresses().map(str) | st.just("*") | st.ip_addresses(network="10.0.0.0/8").map(str)
    )
)
def test_peers_survive_being_written_down(peers):
    kind = Networks()
    value = kind.parse(peers)
    assert kind.parse(kind.render(value)) == value
