"""What the uwsgi reader accepts and refuses, however the bytes come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol import faults
from canter.protocol.limits import Leniency, Limits
from canter.protocol.uwsgi.reader import Reader
from tests.protocol.gateway.feeding import assert_reads_alike, read_all
from tests.protocol.uwsgi.wires import ACCEPTED, GET, NEXT, POST, REJECTED, packet


def reader(*, trusted: bool = True) -> Reader:
    return Reader(Limits(body=1000), Leniency(), trusted=trusted)


def environ(wire: bytes) -> dict[str, str]:
    kind, request = read_all([wire], reader)[0]
    assert kind == "request"
    return request["environ"]


@pytest.mark.parametrize("name", ACCEPTED)
def test_reads_the_same_however_it_comes(name: str):
    events = assert_reads_alike(ACCEPTED[name], reader)
    assert events[-1][0] == "end"


@pytest.mark.parametrize("name", [name for name in ACCEPTED if "not complete" not in name])
def test_what_comes_behind_a_request_is_never_read(name: str):
    alone = assert_reads_alike(ACCEPTED[name], reader)
    both = assert_reads_alike(ACCEPTED[name] + NEXT, reader)
    assert both[:-1] == alone[:-1]
    assert both[-1] == ("end", None, False, len(NEXT))


@pytest.mark.parametrize("name", REJECTED)
def test_refuses_the_same_however_it_comes(name: str):
    wire, fault, says = REJECTED[name]
    for behind in (b"", NEXT):
        *_, (kind, found, detail, answer) = assert_reads_alike(wire + behind, reader)
        assert (kind, found) == ("fault", getattr(faults, fault))
        assert says in detail
        assert answer.startswith(f"HTTP/1.1 {found.status} {found.reason}\r\n".encode())


def test_a_cut_within_a_head_or_a_body_is_told():
    for wire, part in ((packet(GET)[:-1], "head"), (packet(POST) + b"he", "body")):
        found = reader()
        found.feed(wire)
        found.next_request({"SCRIPT_NAME": "", "wsgi.url_scheme": "http"})
        fault = found.truncated()
        assert isinstance(fault, faults.Truncated)
        assert part in fault.detail


def test_a_peer_that_is_not_in_the_list_gets_no_answer():
    events = assert_reads_alike(packet(GET), lambda: reader(trusted=False))
    assert events == [("fault", faults.Untrusted, "a peer that may not speak uwsgi here", b"")]


def test_the_client_is_who_the_web_server_says():
    found = environ(packet(GET))
    assert found["REMOTE_ADDR"] == "192.0.2.7"
    assert found["REMOTE_PORT"] == "4711"
    assert found["wsgi.url_scheme"] == "https"
    assert found["SERVER_NAME"] == "front.example"
    assert found["PATH_INFO"] == "/caf\xc3\xa9"
    assert "CONTENT_LENGTH" not in found


def test_nothing_but_a_web_server_s_variables_gets_into_the_environ():
    found = environ(ACCEPTED["variables that nobody may set are left out"])
    assert found["wsgi.url_scheme"] == "https"
    assert found["SERVER_SOFTWARE"] == "canter"
    assert not {"canter.x", "a b"} & set(found)


def test_modifier_30_takes_the_mount_point_off_the_path():
    found = environ(packet(GET | {"SCRIPT_NAME": "/caf\xc3\xa9", "REQUEST_URI": ""}, modifier1=30))
    assert (found["SCRIPT_NAME"], found["PATH_INFO"]) == ("/caf\xc3\xa9", "")


TEXTS = st.text(st.characters(max_codepoint=255), max_size=20)
VARIABLES = st.dictionaries(
    st.sampled_from([*GET, "HTTP_X", "DOCUMENT_URI", "HTTP_TRANSFER_ENCODING"]) | TEXTS, TEXTS
)


@given(VARIABLES, st.binary(max_size=30), st.lists(st.integers(1, 40)))
def test_any_variables_are_a_request_or_one_fault(variables, behind, widths):
    wire = packet(GET | variables) + behind
    expected = read_all([wire], reader)
    pieces, at = [], 0
    for width in widths:
        pieces.append(wire[at : at + width])
        at += width
    assert read_all([*pieces, wire[at:]], reader) == expected
    for event in expected:
        if event[0] == "request":
            for key, value in event[1]["environ"].items():
                assert type(value) is str
                value.encode("latin-1")
                assert "." not in key or key.startswith(("HTTP_", "wsgi.url_scheme"))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_one_fault(wire):
    assert_reads_alike(wire, reader)
