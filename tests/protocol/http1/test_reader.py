"""What an engine may rely on from a reader, apart from what bytes mean (that is the corpus)."""

from __future__ import annotations

import sys

import pytest

from canter.protocol import faults
from canter.protocol.http1.reader import Reader
from canter.protocol.http1.scan import Scan
from canter.protocol.http1.scan_ref import REFERENCE
from canter.protocol.http1.states import Phase
from canter.protocol.limits import Leniency, Limits
from canter.protocol.request import CHUNKED
from tests.protocol.http1.feeding import NEXT_REQUEST, SUBJECTS, Setup

GET = b"GET /first HTTP/1.1\r\nHost: a.example\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 10\r\n\r\n"
CHUNKS = b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
BASE = {"SCRIPT_NAME": "", "REMOTE_ADDR": "127.0.0.1"}


@pytest.fixture(params=list(SUBJECTS.values()), ids=list(SUBJECTS))
def subject(request):
    return request.param


@pytest.fixture
def reader(subject):
    return Setup().reader(subject)


def test_a_reader_needs_limits_and_leniency_and_chooses_its_scanner_itself():
    reader = Reader(Limits(), Leniency())
    reader.feed(GET)
    request = reader.next_request(BASE)
    assert request is not None
    assert request.target == "/first"


def test_there_is_no_request_before_its_head_is_complete(reader):
    for byte in GET[:-1]:
        reader.feed(bytes([byte]))
        assert reader.next_request(BASE) is None
    reader.feed(GET[-1:])
    assert reader.next_request(BASE).target == "/first"
    assert reader.next_request(BASE) is None


def test_every_environ_is_a_copy_of_the_base(reader):
    base = dict(BASE)
    reader.feed(GET + NEXT_REQUEST)
    first, second = reader.next_request(base), reader.next_request(base)
    assert base == BASE
    assert first.environ is not second.environ
    assert first.environ["REMOTE_ADDR"] == second.environ["REMOTE_ADDR"] == "127.0.0.1"
    assert first.environ["HTTP_HOST"] == "a.example"
    assert second.environ["HTTP_HOST"] == "next.example"


def test_the_script_name_is_there_even_if_the_base_has_none(reader):
    reader.feed(GET)
    assert reader.next_request({}).environ["SCRIPT_NAME"] == ""


def test_an_application_mounted_below_a_path_sees_the_rest(reader):
    reader.feed(GET)
    environ = reader.next_request({"SCRIPT_NAME": "/first"}).environ
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/first", "")


def test_head_started_tells_a_slow_head_from_an_idle_connection(reader):
    assert not reader.head_started
    reader.feed(b"G")
    assert reader.head_started
    assert reader.next_request(BASE) is None
    assert reader.head_started
    reader.feed(GET[1:30])
    assert reader.next_request(BASE) is None
    assert reader.head_started
    reader.feed(GET[30:])
    assert reader.next_request(BASE) is not None
    assert not reader.head_started


def test_empty_lines_alone_start_no_head(reader):
    reader.feed(b"\r\n")
    assert reader.next_request(BASE) is None
    assert not reader.head_started


def test_a_body_is_no_started_head(reader):
    reader.feed(POST + b"12345")
    assert reader.next_request(BASE) is not None
    assert not reader.head_started
    reader.read_body(100)
    reader.feed(b"67890" + b"G")
    assert not reader.head_started
    reader.read_body(100)
    assert reader.head_started


def test_the_body_comes_as_it_arrives_and_never_past_its_end(reader):
    reader.feed(POST + b"1234")
    assert reader.next_request(BASE).body_length == 10
    assert not reader.body_complete
    assert reader.read_body(3) == b"123"
    assert reader.read_body(3) == b"4"
    assert reader.read_body(3) == b""
    assert reader.body_received == 4
    reader.feed(b"567890" + GET)
    assert reader.read_body(100) == b"567890"
    assert reader.body_complete
    assert reader.body_received == 10
    assert reader.read_body(100) == b""
    assert reader.next_request(BASE).target == "/first"


def test_a_body_that_came_by_itself_is_not_copied(reader):
    reader.feed(POST)
    reader.next_request(BASE)
    body = b"0123456789"
    reader.feed(body)
    assert reader.read_body(100) is body


def test_a_bodyless_request_is_complete_at_once(reader):
    assert reader.body_complete
    reader.feed(GET)
    reader.next_request(BASE)
    assert reader.body_complete
    assert reader.body_received == 0
    assert reader.read_body(100) == b""


def test_chunks_are_joined_up_to_the_maximum(reader):
    reader.feed(CHUNKS + b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")
    assert reader.next_request(BASE).body_length == CHUNKED
    assert reader.read_body(4) == b"abcd"
    assert not reader.body_complete
    assert reader.read_body(4) == b"ef"
    assert reader.body_complete
    assert reader.body_received == 6


def test_a_chunked_body_is_complete_as_soon_as_its_end_has_come(reader):
    reader.feed(CHUNKS + b"3\r\nabc\r\n0\r\n\r\n")
    reader.next_request(BASE)
    assert reader.read_body(3) == b"abc"
    assert reader.body_complete


def test_what_comes_before_a_bad_chunk_is_handed_out_before_the_fault(reader):
    reader.feed(CHUNKS + b"3\r\nabc\r\nzz\r\n")
    reader.next_request(BASE)
    assert reader.read_body(100) == b"abc"
    assert not reader.body_complete
    with pytest.raises(faults.BadChunk):
        reader.read_body(100)


def test_a_reader_that_failed_raises_the_same_fault_again(reader):
    reader.feed(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n" + GET)
    with pytest.raises(faults.BadHost) as first:
        reader.next_request(BASE)
    for again in (reader.next_request, lambda base: reader.read_body(1)):
        with pytest.raises(faults.BadHost) as second:
            again(BASE)
        assert second.value is first.value
    reader.feed(GET)
    with pytest.raises(faults.BadHost):
        reader.next_request(BASE)
    assert reader.truncated() is first.value
    assert reader.phase is Phase.FAILED
    assert not reader.body_complete
    assert not reader.head_started


def test_asking_for_the_next_request_before_the_body_is_read_is_a_mistake(reader):
    reader.feed(POST + b"1234567890" + GET)
    reader.next_request(BASE)
    with pytest.raises(RuntimeError, match="BODY"):
        reader.next_request(BASE)


def test_the_rest_goes_to_whom_the_connection_goes(reader):
    reader.feed(GET + b"\x81\x05hello")
    reader.next_request(BASE)
    assert reader.buffered == 7
    assert reader.take_rest() == b"\x81\x05hello"
    assert reader.buffered == 0
    assert reader.truncated() is None
    assert reader.phase is Phase.HANDED_OVER
    for asked in (lambda: reader.next_request(BASE), lambda: reader.read_body(1)):
        with pytest.raises(RuntimeError, match="HANDED_OVER"):
            asked()


def test_the_rest_of_a_half_read_body_can_be_taken(reader):
    reader.feed(POST + b"12345")
    reader.next_request(BASE)
    reader.read_body(2)
    assert reader.take_rest() == b"345"


def test_the_end_of_a_connection_between_requests_is_no_fault(reader):
    assert reader.truncated() is None
    reader.feed(GET)
    reader.next_request(BASE)
    assert reader.truncated() is None


def test_buffered_counts_what_is_not_consumed(reader):
    reader.feed(GET + NEXT_REQUEST)
    assert reader.buffered == len(GET) + len(NEXT_REQUEST)
    reader.next_request(BASE)
    assert reader.buffered == len(NEXT_REQUEST)
    reader.next_request(BASE)
    assert reader.buffered == 0


def test_an_idle_reader_holds_nothing_of_what_it_read(reader):
    for wire in (GET, POST + b"0123456789", CHUNKS + b"1\r\nx\r\n0\r\n\r\n"):
        data = bytes(bytearray(wire))
        held = sys.getrefcount(data)
        reader.feed(data)
        request = reader.next_request(BASE)
        while reader.read_body(5):
            pass
        environ = request.environ
        environs = sys.getrefcount(environ)
        del request
        assert reader.body_complete
        assert sys.getrefcount(data) == held
        assert sys.getrefcount(environ) == environs - 1


def test_a_head_that_comes_slowly_holds_no_more_than_its_bytes(reader):
    reader.feed(GET[:-2])
    assert reader.next_request(BASE) is None
    for _ in range(50):
        reader.feed(b"X-A: 1234567890\r\n")
        assert reader.next_request(BASE) is None
        assert reader.buffered == 0


class Noting(Scan):
    """The reference, noting which bytes it was asked to look at."""

    def __init__(self) -> None:
        self.scanned: list[bytes] = []

    def request_line(self, data, pos, limit, environ):
        outcome, behind, facts = REFERENCE.request_line(data, pos, limit, environ)
        self.scanned.append(data[pos:behind])
        return outcome, behind, facts

    def fields(self, data, pos, *rest):
        outcome, behind, facts = REFERENCE.fields(data, pos, *rest)
        self.scanned.append(data[pos:behind])
        return outcome, behind, facts


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_no_complete_line_is_looked_at_twice(subject, size):
    noting = Noting()
    reader = subject.reader(Limits(), Leniency(), noting)
    requests = 0
    for at in range(0, len(GET * 3), size):
        reader.feed((GET * 3)[at : at + size])
        while reader.next_request(BASE) is not None:
            requests += 1
    assert requests == 3
    assert b"".join(noting.scanned) == GET * 3


def test_a_peer_who_sends_endless_small_chunk_extensions_is_refused(reader):
    reader.feed(CHUNKS)
    reader.next_request(BASE)
    chunk = b"1;" + b"a" * 900 + b"\r\nx\r\n"
    for _ in range(18):
        reader.feed(chunk)
        assert reader.read_body(100) == b"x"
    reader.feed(chunk)
    with pytest.raises(faults.BadChunk, match="extensions over 16384 bytes"):
        reader.read_body(100)


def test_a_chunk_without_extensions_costs_nothing_of_their_budget(reader):
    reader.feed(CHUNKS)
    reader.next_request(BASE)
    for _ in range(2000):
        reader.feed(b"0000000000000001\r\nx\r\n")
        assert reader.read_body(100) == b"x"


def test_each_body_has_its_own_budget_of_extensions(reader):
    for _ in range(3):
        reader.feed(CHUNKS + (b"1;" + b"a" * 900 + b"\r\nx\r\n") * 10 + b"0\r\n\r\n")
        reader.next_request(BASE)
        while reader.read_body(100):
            pass
        assert reader.body_complete


def test_the_limit_of_a_chunked_body_counts_every_chunk(subject):
    reader = Setup(limits=Limits(body=100)).reader(subject)
    reader.feed(CHUNKS)
    reader.next_request(BASE)
    for _ in range(100):
        reader.feed(b"1\r\nx\r\n")
        assert reader.read_body(100) == b"x"
    reader.feed(b"1\r\nx\r\n")
    with pytest.raises(faults.BodyTooLarge):
        reader.read_body(100)
    assert reader.body_received == 100


def test_without_limits_everything_is_read(subject):
    reader = Setup(limits=Limits(0, 0, 0, 0, 0)).reader(subject)
    reader.feed(b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: a\r\n")
    reader.feed(b"X-Long: " + b"b" * 200000 + b"\r\n")
    reader.feed(b"".join(b"X-%d: 1\r\n" % number for number in range(500)) + b"\r\n")
    request = reader.next_request(BASE)
    assert len(request.target) == 20001
    assert len(request.environ["HTTP_X_LONG"]) == 200000
    assert request.environ["HTTP_X_499"] == "1"


@pytest.mark.parametrize("name", ["X-Unknown-Name", "x-unknown-name", "X-" + "y" * 100])
def test_names_that_nobody_knows_keep_their_meaning_however_often_they_come(reader, name):
    for _ in range(3):
        reader.feed(GET[:-2] + name.encode() + b": 1\r\nX_Y: 2\r\n\r\n")
        environ = reader.next_request(BASE).environ
        assert environ["HTTP_" + name.upper().replace("-", "_")] == "1"
        assert "HTTP_X_Y" not in environ


def test_the_absolute_form_of_one_request_says_nothing_about_the_next(reader):
    reader.feed(GET.replace(b"/first", b"http://b.example/x") + GET)
    assert reader.next_request(BASE).environ["HTTP_HOST"] == "b.example"
    assert reader.next_request(BASE).environ["HTTP_HOST"] == "a.example"


def test_the_version_of_one_request_says_nothing_about_the_next(reader):
    reader.feed(GET.replace(b"1.1", b"1.0") + GET)
    assert reader.next_request(BASE).http_10
    assert not reader.next_request(BASE).http_10


def test_every_host_is_judged_also_on_a_connection_that_named_a_good_one(reader):
    reader.feed(GET + GET.replace(b"a.example", b"a/example"))
    reader.next_request(BASE)
    with pytest.raises(faults.BadHost):
        reader.next_request(BASE)


def test_the_request_line_is_kept_as_it_was_sent(reader):
    assert reader.request_line == b""
    reader.feed(GET + b"GET /sec")
    assert reader.next_request(BASE) is not None
    assert reader.request_line == b"GET /first HTTP/1.1"
    assert reader.next_request(BASE) is None
    assert reader.request_line == b""


@pytest.mark.parametrize("line", [b"GET /a HTTP/2.0", b"GET / a HTTP/1.1", b"get / HTTP/1.1"])
def test_the_request_line_of_a_refused_request_is_kept(reader, line):
    reader.feed(line + b"\r\n")
    with pytest.raises(faults.Fault):
        reader.next_request(BASE)
    assert reader.request_line == line


def test_of_a_request_line_that_is_too_long_the_beginning_is_kept(reader):
    reader.feed(GET)
    reader.next_request(BASE)
    reader.feed(b"GET /" + b"a" * 10000)
    with pytest.raises(faults.RequestLineTooLong):
        reader.next_request(BASE)
    assert reader.request_line == b"GET /" + b"a" * 251


def test_many_empty_lines_are_forgiven_if_they_come_between_requests(reader):
    for _ in range(20):
        reader.feed(b"\r\n\r\n" + GET)
        assert reader.next_request(BASE) is not None
