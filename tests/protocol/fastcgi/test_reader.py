"""What the FastCGI reader accepts, answers and refuses, however the bytes come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol import faults
from canter.protocol.fastcgi.reader import Reader
from canter.protocol.fastcgi.records import (
    Status,
    Type,
    end_request,
    record,
    unknown_type,
    values_result,
)
from canter.protocol.limits import Leniency, Limits
from tests.protocol.fastcgi.wires import (
    ACCEPTED,
    GET,
    NEXT,
    POST,
    REJECTED,
    begin,
    params,
    request,
    stdin,
)
from tests.protocol.gateway.feeding import assert_reads_alike, read_all

NO_MULTIPLEXING = record(Type.GET_VALUES_RESULT, 0, b"\x0f\x01FCGI_MPXS_CONNS0")


def reader(*, trusted: bool = True) -> Reader:
    return Reader(Limits(body=1000), Leniency(), trusted=trusted)


def owed(name: str) -> list[bytes]:
    return [event[1] for event in read_all([ACCEPTED[name]], reader) if event[0] == "owed"]


@pytest.mark.parametrize("name", ACCEPTED)
def test_reads_the_same_however_it_comes(name: str):
    events = assert_reads_alike(ACCEPTED[name], reader)
    assert events[-1][0] == "end"
    assert "not complete" in name or [event[0] for event in events].count("request") == 1


@pytest.mark.parametrize("name", [name for name in ACCEPTED if "not complete" not in name])
def test_the_next_request_is_untouched(name: str):
    alone = assert_reads_alike(ACCEPTED[name], reader)
    both = assert_reads_alike(ACCEPTED[name] + NEXT, reader)
    assert both == alone[:-1] + read_all([NEXT], reader)


@pytest.mark.parametrize("name", REJECTED)
def test_refuses_the_same_however_it_comes(name: str):
    wire, fault, says = REJECTED[name]
    for behind in (b"", NEXT):
        *_, (kind, found, detail, answer) = assert_reads_alike(wire + behind, reader)
        assert (kind, found) == ("fault", getattr(faults, fault))
        assert says in detail
        if answer:
            assert f"Status: {found.status} {found.reason}\r\n".encode() in answer
            assert answer.endswith(end_request(1, Status.REQUEST_COMPLETE))


def test_questions_about_values_are_answered_at_once():
    assert owed("a question about values") == [NO_MULTIPLEXING]
    assert owed("a question within a body") == [NO_MULTIPLEXING]
    assert values_result([]) == record(Type.GET_VALUES_RESULT, 0, b"")


def test_a_management_record_that_is_not_known_is_answered_with_its_type():
    assert owed("a management record that is not known") == [unknown_type(99)]


def test_another_request_at_the_same_time_is_told_that_there_can_be_one():
    refused = [end_request(number, Status.CANT_MPX_CONN) for number in (2, 3)]
    assert owed("another request at the same time") == refused


def test_a_role_that_is_not_played_is_told_so():
    assert owed("a role that is not played") == [end_request(1, Status.UNKNOWN_ROLE)]


def test_a_request_that_is_given_up_is_ended():
    assert owed("a request that is given up") == [end_request(1, Status.REQUEST_COMPLETE)]


def test_whether_the_connection_is_kept_is_the_web_server_s_to_say():
    kept = read_all([request(GET)], reader)[0][1]
    ended = read_all([request(GET, flags=0)], reader)[0][1]
    assert (kept["keep_alive"], ended["keep_alive"]) == (True, False)


def test_a_request_is_not_given_before_it_is_known_if_it_has_a_body():
    found = reader()
    found.feed(begin() + params(POST))
    assert found.next_request({"wsgi.url_scheme": "http"}) is None
    assert found.head_started
    found.feed(stdin(b"hello"))
    assert found.next_request({}) is not None


def test_a_peer_that_is_not_in_the_list_gets_no_answer():
    events = assert_reads_alike(request(GET), lambda: reader(trusted=False))
    assert events == [("fault", faults.Untrusted, "a peer that may not speak FastCGI here", b"")]


RECORDS = st.builds(
    record, st.integers(0, 12), st.integers(0, 3), st.binary(max_size=20)
) | st.sampled_from([begin(), begin(2), params(GET), params(POST), stdin(), stdin(b"hello")])


@given(st.lists(RECORDS, max_size=12).map(b"".join), st.lists(st.integers(1, 60)))
def test_any_records_are_requests_and_replies_or_one_fault(wire, widths):
    expected = read_all([wire], reader)
    pieces, at = [], 0
    for width in widths:
        pieces.append(wire[at : at + width])
        at += width
    assert read_all([*pieces, wire[at:]], reader) == expected


@given(st.binary(max_size=100))
def test_any_bytes_are_a_request_or_one_fault(wire):
    assert_reads_alike(wire, reader)
    assert_reads_alike(b"\1" + wire, reader)
