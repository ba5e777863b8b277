"""One connection without its socket: bytes in, requests out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.engine.contract import BodyMode, EngineConfig
from canter.engine.phases import FOLLOWERS, Phase
from canter.engine.session import IllegalMove, Session, Step
from canter.protocol.faults import BodyTooLarge, ExpectationFailed, StorageFull, Truncated
from canter.protocol.http1.reader import Reader
from canter.protocol.limits import Limits
from tests.engine.serving import descriptors

GET = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
BODY = b"0123456789" * 3
POST = b"POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\n\r\n" + BODY
CHUNKED = (
    b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"a\r\n0123456789\r\n14\r\n01234567890123456789\r\n0\r\n\r\n"
)
EXPECTING = b"POST /d HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
CONFIG = EngineConfig(limits=Limits(body=100))


def make(config: EngineConfig = CONFIG) -> Session:
    return Session(Reader(config.limits, config.leniency), {"base": "value"}, config)


def body_of(session: Session) -> bytes:
    assert session.request is not None
    return bytes(session.request.environ["wsgi.input"].read())


def answer(session: Session) -> Step:
    """The request was answered; go on with what is at hand."""
    session.finish_request()
    return session.resume()


def test_a_request_without_a_body_is_ready_with_an_empty_input():
    session = make()
    assert session.receive(GET) is Step.READY
    assert session.request is not None
    assert session.request.environ["PATH_INFO"] == "/a"
    assert session.request.environ["base"] == "value"
    assert body_of(session) == b""


@pytest.mark.parametrize(("request_bytes", "length"), [(POST, "30"), (CHUNKED, "30")])
def test_a_body_is_read_whole_and_has_its_length(request_bytes, length):
    session = make()
    assert session.receive(request_bytes) is Step.READY
    assert body_of(session) == BODY
    assert session.request is not None
    assert session.request.environ["CONTENT_LENGTH"] == length
    assert "HTTP_TRANSFER_ENCODING" not in session.request.environ
    session.request.environ["wsgi.input"].seek(0)
    assert body_of(session) == BODY


@given(st.lists(st.integers(1, 60), max_size=12), st.permutations([GET, POST, CHUNKED]))
def test_requests_come_out_in_order_however_the_bytes_are_cut(cuts, order):
    stream = b"".join(order)
    session = make()
    paths = []
    step = Step.MORE
    while stream or step is not Step.MORE:
        if step is Step.READY:
            assert session.request is not None
            expected = b"" if session.request.method == "GET" else BODY
            assert body_of(session) == expected
            paths.append(session.request.target)
            step = answer(session)
        else:
            assert step is Step.MORE
            size = cuts.pop() if cuts else len(stream)
            piece, stream = stream[:size], stream[size:]
            step = session.receive(piece)
    assert paths == [request.split()[1].decode() for request in order]
    assert session.served == 3
    assert session.receive_end() is None


def test_a_body_over_the_threshold_is_spooled_and_given_back(tmp_path):
    config = replace(CONFIG, body_memory_bytes=10, spool_directory=str(tmp_path))
    session = make(config)
    before = descriptors()
    assert session.receive(POST) is Step.READY
    assert len(descriptors() - before) == 1
    assert body_of(session) == BODY
    session.finish_request()
    assert descriptors() == before


def test_a_body_that_is_given_up_half_way_is_given_back(tmp_path):
    config = replace(CONFIG, body_memory_bytes=10, spool_directory=str(tmp_path))
    session = make(config)
    before = descriptors()
    assert session.receive(POST[:-5]) is Step.MORE
    assert len(descriptors() - before) == 1
    session.drop_body()
    assert descriptors() == before


def test_a_body_that_cannot_be_kept_is_refused(tmp_path):
    config = replace(CONFIG, body_memory_bytes=10, spool_directory=str(tmp_path / "missing"))
    session = make(config)
    assert session.receive(POST) is Step.REFUSED
    assert isinstance(session.fault, StorageFull)
    session.drop_body()


@pytest.mark.parametrize("size", [0, 5])
def test_the_client_that_waits_for_100_continue_gets_it(size):
    session = make()
    assert session.receive(EXPECTING % size) is Step.CONTINUE
    step = session.resume()
    if size:
        assert step is Step.MORE
        step = session.receive(b"hello")
    assert step is Step.READY
    assert body_of(session) == b"hello"[:size]


def test_the_client_that_sends_its_body_at_once_needs_no_100_continue():
    session = make()
    assert session.receive(EXPECTING % 5 + b"h") is Step.MORE
    assert session.receive(b"ello") is Step.READY
    assert body_of(session) == b"hello"


def test_a_body_that_is_too_large_is_refused_before_it_is_sent():
    session = make()
    assert session.receive(EXPECTING % 101) is Step.REFUSED
    assert isinstance(session.fault, BodyTooLarge)


def test_another_expectation_is_refused():
    session = make()
    request = EXPECTING.replace(b"100-continue", b"200-maybe") % 5
    assert session.receive(request) is Step.REFUSED
    assert isinstance(session.fault, ExpectationFailed)


def test_a_chunked_body_is_refused_as_soon_as_it_is_too_large():
    session = make()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert session.receive(head + b"64\r\n" + b"x" * 100 + b"\r\n") is Step.MORE
    assert session.receive(b"1\r\nx") is Step.REFUSED
    assert isinstance(session.fault, BodyTooLarge)


# -- bodies that are streamed --------------------------------------------------------------------

STREAMING = replace(CONFIG, request_body=BodyMode.STREAM)


@pytest.mark.parametrize("request_bytes", [POST[:-30], POST[:-7], POST, CHUNKED])
def test_a_streamed_request_is_ready_with_its_head(request_bytes):
    session = make(STREAMING)
    assert session.receive(request_bytes) is Step.READY
    assert session.request is not None
    assert "wsgi.input" not in session.request.environ


def test_a_streamed_request_without_a_body_is_like_any_other():
    session = make(STREAMING)
    assert session.receive(GET) is Step.READY
    assert body_of(session) == b""
    assert answer(session) is Step.MORE
    assert session.receive(EXPECTING % 0) is Step.CONTINUE
    assert session.resume() is Step.READY
    assert body_of(session) == b""


# -- the end of the input ------------------------------------------------------------------------


@pytest.mark.parametrize("cut", range(1, len(GET)))
def test_an_end_inside_a_head_cuts_a_request(cut):
    session = make()
    assert session.receive(GET[:cut]) is Step.MORE
    assert isinstance(session.receive_end(), Truncated)


@pytest.mark.parametrize("cut", [1, 15, 29])
def test_an_end_inside_a_body_cuts_a_request(cut):
    session = make()
    assert session.receive(POST[:-cut]) is Step.MORE
    assert isinstance(session.receive_end(), Truncated)


def test_an_end_between_requests_cuts_nothing():
    session = make()
    assert session.receive_end() is None
    session.receive(GET)
    assert session.receive_end() is None, "a client that has only closed its sending side"
    answer(session)
    assert session.receive_end() is None


# -- phases --------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", Phase)
@pytest.mark.parametrize("after", Phase)
def test_only_the_tables_moves_are_possible(before, after):
    session = make()
    session.phase = before
    if after in FOLLOWERS[before]:
        session.move(after)
        assert session.phase == after
    else:
        with pytest.raises(IllegalMove, match=f"{before.name} to {after.name}"):
            session.move(after)
        assert session.phase == before
