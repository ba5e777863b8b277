"""What the SCGI reader accepts and refuses, however the bytes come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol import faults
from canter.protocol.limits import Leniency, Limits
from canter.protocol.scgi.reader import Reader
from tests.protocol.gateway.feeding import assert_reads_alike, read_all
from tests.protocol.scgi.wires import ACCEPTED, GET, NEXT, REJECTED, head


def reader(*, trusted: bool = True) -> Reader:
    return Reader(Limits(body=1000), Leniency(), trusted=trusted)


@pytest.mark.parametrize("name", ACCEPTED)
def test_reads_the_same_however_it_comes(name: str):
    events = assert_reads_alike(ACCEPTED[name], reader)
    assert events[-1][0] == "end"


@pytest.mark.parametrize("name", [name for name in ACCEPTED if "not complete" not in name])
def test_what_comes_behind_a_request_is_never_read(name: str):
    alone = assert_reads_alike(ACCEPTED[name], reader)
    both = assert_reads_alike(ACCEPTED[name] + NEXT, reader)
    assert both == [*alone[:-1], ("end", None, False, len(NEXT))]


@pytest.mark.parametrize("name", REJECTED)
def test_refuses_the_same_however_it_comes(name: str):
    wire, fault, says = REJECTED[name]
    for behind in (b"", NEXT):
        *_, (kind, found, detail, answer) = assert_reads_alike(wire + behind, reader)
        assert (kind, found) == ("fault", getattr(faults, fault))
        assert says in detail
        assert answer.startswith(f"Status: {found.status} {found.reason}\r\n".encode())


def test_a_peer_that_is_not_in_the_list_gets_no_answer():
    events = assert_reads_alike(head(GET), lambda: reader(trusted=False))
    assert events == [("fault", faults.Untrusted, "a peer that may not speak SCGI here", b"")]


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_one_fault(wire):
    assert_reads_alike(wire, reader)


@given(st.binary(max_size=80), st.integers(0, 100))
def test_any_netstring_is_a_request_or_one_fault(data, size):
    assert_reads_alike(b"%d:%b," % (size, data), reader)
    assert_reads_alike(head(GET)[:-1] + data, reader)


@given(
    st.dictionaries(st.sampled_from([*GET, "HTTP_X", "SCRIPT_NAME"]), st.text("a/%\n1", max_size=9))
)
def test_any_variables_are_a_request_or_one_fault(variables):
    read_all([head(GET | variables)], reader)
