"""A call of an application that goes well: head, body and framing (PEP 3333)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.http1.writer import Writer
from canter.wsgi.exchange import Ending, Exchange, HeadState
from canter.wsgi.file_wrapper import FileWrapper
from tests.wsgi.recording import Body, Recording, SizedBody, answering, call

# -- what an application may return --------------------------------------------------------------


@pytest.mark.parametrize("result", [[b"hello"], (b"hello",), [b"he", b"", b"llo"], (b"hel", b"lo")])
def test_a_list_or_tuple_goes_out_with_its_length_in_one_piece(result):
    done = call(answering(result))
    answer = done.answer()
    assert (answer.status, answer.body, answer.whole) == (200, b"hello", True)
    assert answer.header("Content-Length") == "5"
    assert len(done.sink.sent) == 1
    assert done.exchange.body_bytes == 5
    assert done.exchange.ending is Ending.OK
    assert done.writer.keep_alive


@pytest.mark.parametrize("result", [[], (), [b""], [b"", b""], iter([]), iter([b"", b""])])
def test_no_body_at_all_is_a_body_of_length_nought(result):
    done = call(answering(result))
    assert done.answer().header("Content-Length") == "0"
    assert done.answer().whole
    assert done.exchange.body_bytes == 0


def test_an_iterable_of_one_item_has_the_items_length():
    """PEP 3333: "if the iterable has a length of 1"."""
    answer = call(answering(SizedBody(b"hello"))).answer()
    assert answer.header("Content-Length") == "5"
    assert answer.body == b"hello"


@pytest.mark.parametrize("blocks", [(b"he", b"llo"), (b"", b"hello")])
def test_an_iterable_of_several_items_is_chunked(blocks):
    answer = call(answering(SizedBody(*blocks))).answer()
    assert answer.header("Transfer-Encoding") == "chunked"
    assert answer.body == b"hello"
    assert answer.whole


def test_an_iterable_whose_length_cannot_be_asked_is_chunked():
    class Shy(Body):
        def __len__(self):
            raise TypeError("an unsized object")

    answer = call(answering(Shy(b"hello"))).answer()
    assert answer.header("Transfer-Encoding") == "chunked"
    assert answer.body == b"hello"


def test_a_generator_is_chunked_for_http_11_and_ended_by_closing_for_http_10():
    def blocks():
        yield b"he"
        yield b""
        yield b"llo"

    modern = call(answering(blocks()))
    assert modern.answer().header("Transfer-Encoding") == "chunked"
    assert modern.writer.keep_alive
    old = call(answering(blocks()), http_10=True)
    assert old.answer().header("Connection") == "close"
    assert not old.writer.keep_alive
    for done in (modern, old):
        assert done.answer().body == b"hello"
        assert done.answer().whole
        assert done.exchange.body_bytes == 5


class Bytes(bytes):
    """As some libraries mark bytes; with methods of its own."""

    __slots__ = ()


@pytest.mark.parametrize(
    "result", [[Bytes(b"hello")], [Bytes(b"hel"), b"lo"], Body(Bytes(b"hello"))]
)
def test_a_subclass_of_bytes_is_sent_as_plain_bytes(result):
    done = call(answering(result))
    assert done.answer().body == b"hello"
    assert all(type(piece) is bytes for piece in done.sink.sent)


def test_a_large_body_is_not_copied_into_one_piece_with_its_head():
    body = b"x" * 200_000
    done = call(answering([body]))
    assert any(piece is body for piece in done.sink.sent)
    assert done.answer().body == body
    assert not done.sink.streamed, "a body at hand never holds the application's thread"


def test_large_blocks_of_a_stream_are_not_copied_into_one_piece_with_their_framing():
    block = b"x" * 100_000
    done = call(answering(iter([block, b"y", block])))
    assert sum(piece is block for piece in done.sink.sent) == 2
    assert done.answer().body == block + b"y" + block
    assert done.answer().whole


# -- when the head goes out ----------------------------------------------------------------------


def test_the_head_waits_for_the_first_block_that_is_not_empty():
    sink = Recording()
    seen = []

    def application(environ, start_response):
        start_response("200 OK", [])
        seen.append(len(sink.sent))
        for block in (b"", b"a", b"b"):
            yield block
            seen.append(len(sink.sent))

    done = call(application, sink=sink)
    assert seen == [0, 0, 1, 2]
    assert done.answer().body == b"ab"


def test_each_block_is_handed_over_before_the_next_is_asked_for():
    """PEP 3333: "servers must not delay the transmission of any block"."""
    sink = Recording()

    def blocks():
        for number in range(5):
            yield b"%d" % number
            assert sink.data.count(b"1\r\n%d\r\n" % number) == 1

    assert call(answering(blocks()), sink=sink).exchange.ending is Ending.OK


def test_start_response_may_be_called_as_late_as_for_the_first_block():
    def application(environ, start_response):
        start_response("201 Created", [])
        yield b"made"

    assert call(application).answer().status == 201


def test_start_response_may_be_called_inside_a_later_empty_block():
    def application(environ, start_response):
        yield b""
        start_response("201 Created", [])
        yield b"made"

    assert call(application).answer().status == 201


# -- start_response ------------------------------------------------------------------------------


def test_a_second_start_response_needs_exc_info():
    told = []

    def application(environ, start_response):
        start_response("200 OK", [("X", "first")])
        try:
            start_response("500 Oops", [])
        except RuntimeError as error:
            told.append(str(error))
        return [b"first"]

    answer = call(application).answer()
    assert (answer.status, answer.body) == (200, b"first")
    assert "exc_info" in told[0]


def test_exc_info_replaces_a_head_that_was_not_sent():
    def application(environ, start_response):
        start_response("200 OK", [("X", "first")])
        try:
            raise ValueError("changed my mind")
        except ValueError as error:
            start_response("503 Later", [("Y", "second")], (type(error), error, None))
        return [b"sorry"]

    done = call(application)
    answer = done.answer()
    assert (answer.status, answer.body) == (503, b"sorry")
    assert answer.header("X") is None
    assert answer.header("Y") == "second"
    assert done.exchange.fields == [("Y", "second")]


def test_exc_info_without_a_head_before_it_declares_one():
    def application(environ, start_response):
        error = ValueError("at once")
        start_response("503 Later", [], (ValueError, error, None))
        return [b"sorry"]

    assert call(application).answer().status == 503


def test_exc_info_after_the_head_was_sent_raises_what_it_holds():
    told = []
    original = ValueError("too late")

    def application(environ, start_response):
        start_response("200 OK", [])
        yield b"begun"
        try:
            raise original
        except ValueError as error:
            try:
                start_response("500 Oops", [], (type(error), error, error.__traceback__))
            except ValueError as raised:
                told.append(raised)
                raise

    done = call(application)
    assert told == [original]
    assert done.exchange.problem is original
    assert done.exchange.ending is Ending.CUT
    assert not done.answer().whole


def test_a_head_that_cannot_be_sent_is_refused_in_the_applications_own_call():
    def application(environ, start_response):
        with pytest.raises(ValueError, match="X-Bad"):
            start_response("200 OK", [("X-Bad", "a\r\nb")])
        start_response("200 OK", [("X-Good", "a")])
        return [b"better"]

    answer = call(application).answer()
    assert answer.header("X-Good") == "a"
    assert answer.body == b"better"


def test_the_engine_can_read_what_was_sent():
    done = call(answering([b"x"], ("X-a", "b"), ("Content-Length", "1"), status="404 Gone Fishing"))
    assert done.exchange.code == 404
    assert done.exchange.fields == [("X-a", "b"), ("Content-Length", "1")]
    assert done.exchange.remarks is None
    assert done.exchange.problem is None


# -- write() -------------------------------------------------------------------------------------


def test_write_sends_at_once_and_comes_before_the_iterable():
    sink = Recording()

    def application(environ, start_response):
        write = start_response("200 OK", [])
        assert write(b"") is None
        assert not sink.sent
        assert write(b"first ") is None
        assert b"first " in sink.data
        write(b"second ")
        return [b"third"]

    answer = call(application, sink=sink).answer()
    assert answer.body == b"first second third"
    assert answer.header("Transfer-Encoding") == "chunked"
    assert answer.whole


@pytest.mark.parametrize("rest", [[], (), [b""], iter([])])
def test_write_alone_is_a_whole_response(rest):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", "5")])(b"hello")
        return rest

    done = call(application)
    assert done.answer().body == b"hello"
    assert done.answer().whole
    assert done.exchange.body_bytes == 5


def test_the_file_wrapper_after_write_is_iterated(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"from the file")

    def application(environ, start_response):
        start_response("200 OK", [])(b"written, ")
        return environ["wrap"](path.open("rb"))

    done = call(application, environ={"wrap": FileWrapper})
    assert done.answer().body == b"written, from the file"
    assert not done.sink.files


@pytest.mark.parametrize("block", ["text", bytearray(b"x"), memoryview(b"x"), None, 1])
def test_write_takes_nothing_but_bytes(block):
    def application(environ, start_response):
        start_response("200 OK", [])(block)
        return []

    done = call(application)
    assert isinstance(done.exchange.problem, TypeError)
    assert type(block).__name__ in str(done.exchange.problem)
    assert done.answer().status == 500


def test_write_after_the_end_reaches_no_other_response():
    kept = []

    def application(environ, start_response):
        kept.append(start_response("200 OK", [("Content-Length", "2")]))
        return [b"ok"]

    done = call(application)
    with pytest.raises(RuntimeError, match="after the response had ended"):
        kept[0](b"HTTP/1.1 200 OK\r\n\r\n")
    assert done.answer().body == b"ok"


# -- Content-Length ------------------------------------------------------------------------------


def kinds(body: bytes):
    """The ways of returning the same body."""
    return [
        [body],
        [body[:3], body[3:]],
        iter([body]),
        iter([body[:3], body[3:]]),
        SizedBody(body),
    ]


@pytest.mark.parametrize("way", range(5))
def test_a_body_of_the_declared_length_keeps_the_connection(way):
    done = call(answering(kinds(b"hello")[way], ("Content-Length", "5")))
    answer = done.answer()
    assert (answer.body, answer.whole) == (b"hello", True)
    assert answer.header("Transfer-Encoding") is None
    assert done.writer.keep_alive
    assert done.exchange.remarks is None
    assert done.exchange.ending is Ending.OK


@pytest.mark.parametrize("way", range(5))
def test_a_body_longer_than_declared_is_cut_to_length_and_remarked_once(way):
    done = call(answering(kinds(b"hello, world")[way], ("Content-Length", "5")))
    answer = done.answer()
    assert (answer.body, answer.whole) == (b"hello", True)
    assert done.writer.keep_alive
    assert done.exchange.body_bytes == 5
    assert len(done.exchange.remarks or []) == 1
    assert "longer than its Content-Length" in str(done.exchange.remarks)


def test_an_endless_body_is_asked_for_no_more_than_was_declared():
    """PEP 3333: "the server should stop iterating over the response"."""
    body = Body(*[b"x" * 10] * 100_000)
    done = call(answering(body, ("Content-Length", "25")))
    assert done.answer().body == b"x" * 25
    assert body.asked <= 4
    assert body.closed == 1


def test_a_body_of_the_declared_length_is_iterated_to_its_end():
    """What an application does after its last block is done."""
    ended = []

    def blocks():
        yield b"hello"
        ended.append(True)

    call(answering(blocks(), ("Content-Length", "5")))
    assert ended == [True]


def test_writing_more_than_declared_is_cut_to_length_and_remarked_once():
    def application(environ, start_response):
        write = start_response("200 OK", [("Content-Length", "5")])
        for _ in range(100):
            write(b"abc")
        return []

    done = call(application)
    assert done.answer().body == b"abcab"
    assert len(done.exchange.remarks or []) == 1


@pytest.mark.parametrize("way", range(5))
def test_a_body_shorter_than_declared_is_cut_so_that_it_never_looks_whole(way):
    done = call(answering(kinds(b"hello")[way], ("Content-Length", "7")))
    answer = done.answer()
    assert (answer.body, answer.whole) == (b"hello", False)
    assert not done.writer.keep_alive
    assert done.exchange.ending is Ending.CUT
    assert "2 bytes are missing" in str(done.exchange.remarks)


@pytest.mark.parametrize("result", [[], [b""], iter([])])
def test_no_body_where_one_was_declared_is_cut_too(result):
    done = call(answering(result, ("Content-Length", "7")))
    assert not done.answer().whole
    assert done.exchange.ending is Ending.CUT


def test_a_declared_length_of_nought_lets_no_byte_through():
    done = call(answering(iter([b"hello"]), ("Content-Length", "0")))
    assert done.answer().body == b""
    assert done.answer().whole
    assert "longer" in str(done.exchange.remarks)


# -- responses without a body --------------------------------------------------------------------


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
@pytest.mark.parametrize("result", [[b"hello"], [], [b"a", b"b"], iter([b"hello"]), iter([])])
def test_204_and_304_have_no_body_whatever_the_application_gives(status, result):
    done = call(answering(result, status=status))
    answer = done.answer()
    assert (answer.status, answer.body, answer.whole) == (int(status[:3]), b"", True)
    assert answer.header("Transfer-Encoding") is None
    assert done.sink.data.endswith(b"\r\n\r\n")
    assert done.exchange.body_bytes == 0
    assert done.exchange.ending is Ending.OK
    assert done.writer.keep_alive


@pytest.mark.parametrize("length", ["5", "7", "1"])
@pytest.mark.parametrize("make", [lambda: [b"hello"], list, lambda: iter([b"he", b"llo"])])
def test_head_is_answered_with_the_head_alone_and_its_length_is_not_checked(make, length):
    done = call(answering(make(), ("Content-Length", length)), method="HEAD")
    answer = done.answer()
    assert (answer.status, answer.body, answer.whole) == (200, b"", True)
    assert answer.header("Content-Length") == length
    assert done.sink.data.endswith(b"\r\n\r\n")
    assert done.exchange.body_bytes == 0
    assert done.exchange.remarks is None
    assert done.writer.keep_alive


def test_head_without_a_declared_length_keeps_the_connection():
    for http_10 in (False, True):
        done = call(answering(iter([b"hello"])), method="HEAD", http_10=http_10)
        assert done.answer().header("Transfer-Encoding") is None
        assert done.writer.keep_alive


def test_write_for_head_sends_the_head_alone():
    def application(environ, start_response):
        write = start_response("200 OK", [])
        write(b"hello")
        write(b"more")
        return [b"and more"]

    done = call(application, method="HEAD")
    assert done.sink.data.endswith(b"\r\n\r\n")
    assert done.sink.data.count(b"\r\n\r\n") == 1


# -- what belongs to the server ------------------------------------------------------------------


def test_hop_by_hop_headers_are_left_out_and_remarked():
    done = call(answering([b"x"], ("Transfer-Encoding", "chunked"), ("Keep-Alive", "5")))
    answer = done.answer()
    assert answer.header("Transfer-Encoding") is None
    assert answer.header("Keep-Alive") is None
    assert answer.body == b"x"
    assert "Transfer-Encoding, Keep-Alive" in str(done.exchange.remarks)


def test_the_applications_connection_close_is_honoured():
    done = call(answering([b"x"], ("Connection", "close")))
    assert done.answer().header("Connection") == "close"
    assert not done.writer.keep_alive
    assert done.exchange.remarks is None


@pytest.mark.parametrize(("http_10", "before"), [(False, [True, True]), (True, [False, False])])
def test_interim_responses_are_possible_for_http_11_until_the_head_is_out(http_10, before):
    sink = Recording()
    exchange = Exchange({}, sink, Writer(http_10, False, True))
    seen = [exchange.may_hint()]

    def application(environ, start_response):
        start_response("200 OK", [])
        seen.append(exchange.may_hint())
        yield b"x"
        seen.append(exchange.may_hint())

    exchange.run(application)
    assert seen == [*before, False]
    assert exchange.state is HeadState.SENT


# -- anything ------------------------------------------------------------------------------------

BLOCKS = st.lists(st.binary(max_size=12), max_size=6)


@given(
    written=BLOCKS,
    blocks=BLOCKS,
    way=st.sampled_from([list, tuple, iter, lambda blocks: SizedBody(*blocks)]),
    method=st.sampled_from(["GET", "HEAD"]),
    http_10=st.booleans(),
    declared=st.none() | st.integers(0, 80),
)
def test_whatever_is_written_and_returned_arrives_or_is_known_to_be_cut(
    written, blocks, way, method, http_10, declared
):
    def application(environ, start_response):
        fields = [] if declared is None else [("Content-Length", str(declared))]
        write = start_response("200 OK", fields)
        for block in written:
            write(block)
        return way(blocks)

    done = call(application, method=method, http_10=http_10)
    answer = done.answer()
    body = b"".join(written) + b"".join(blocks)
    if method == "HEAD":
        assert answer.body == b""
        assert answer.whole
    elif declared is None:
        assert answer.body == body
        assert answer.whole
        assert done.writer.keep_alive or http_10
    else:
        assert answer.body == body[:declared]
        assert answer.whole == (len(body) >= declared)
        assert done.writer.keep_alive == answer.whole
    assert done.exchange.problem is None
    assert done.exchange.body_bytes == len(answer.body)
