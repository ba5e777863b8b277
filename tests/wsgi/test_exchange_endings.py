"""A call of an application that goes wrong: what the client gets, what is closed, what is told."""

from __future__ import annotations

from typing import Any

import pytest

from canter.protocol.faults import BodyTooLarge
from canter.wsgi.exchange import Abandoned, ClientGone, Ending, Exchange
from tests.wsgi.recording import Body, Call, Recording, SizedBody, answering, call

KINDS = [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit, BaseException, MemoryError]


def failed(done: Call, kind: type[BaseException]) -> bool:
    """Answered 500, as a whole response."""
    answer = done.answer()
    return (
        type(done.exchange.problem) is kind
        and done.exchange.ending is Ending.FAILED
        and (answer.status, answer.body, answer.whole)
        == (500, b"500 Internal Server Error\n", True)
        and done.exchange.code == 500
    )


# -- exceptions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_in_the_call_is_a_failed_request(kind):
    def application(environ, start_response):
        raise kind("on purpose")

    assert failed(call(application), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_after_start_response_replaces_the_head(kind):
    def application(environ, start_response):
        start_response("200 OK", [("Content-Length", "1000"), ("X-Gone", "y")])
        raise kind("on purpose")

    done = call(application)
    assert failed(done, kind)
    assert done.answer().header("X-Gone") is None
    assert done.writer.keep_alive, "the connection is in order"


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_before_the_first_block_is_a_failed_request(kind):
    body = Body(problem=kind("on purpose"))
    assert failed(call(answering(body)), kind)
    assert body.closed == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_after_the_first_block_cuts_the_connection(kind):
    body = Body(b"begun", problem=kind("on purpose"))
    done = call(answering(body))
    assert done.answer().body == b"begun"
    assert not done.answer().whole
    assert done.exchange.ending is Ending.CUT
    assert done.exchange.code == 200
    assert type(done.exchange.problem) is kind
    assert not done.writer.keep_alive
    assert body.closed == 1


def test_an_exception_after_write_cuts_the_connection():
    def application(environ, start_response):
        start_response("200 OK", [])(b"begun")
        raise ValueError("on purpose")

    done = call(application)
    assert done.exchange.ending is Ending.CUT
    assert not done.answer().whole


def test_the_body_of_a_failure_is_left_out_for_head():
    def application(environ, start_response):
        raise ValueError("on purpose")

    done = call(application, method="HEAD")
    assert done.answer().status == 500
    assert done.sink.data.endswith(b"\r\n\r\n")
    assert done.exchange.body_bytes == 0


def test_the_answer_to_a_failure_says_nothing_of_its_cause():
    def application(environ, start_response):
        raise ValueError("secret-of-the-house")

    assert b"secret" not in call(application).sink.data


def test_a_fault_of_the_client_that_the_application_lets_through_has_its_own_status():
    """A body that is read while the application runs breaks off under its hands."""

    def application(environ, start_response):
        start_response("200 OK", [])
        raise BodyTooLarge("a body over 5 bytes")

    done = call(application)
    answer = done.answer()
    assert (answer.status, answer.body) == (413, b"413 Content Too Large\n")
    assert done.exchange.ending is Ending.FAILED
    assert isinstance(done.exchange.problem, BodyTooLarge)
    assert answer.header("Connection") == "close", "where the next request begins is not known"


# -- answers that are none -----------------------------------------------------------------------


@pytest.mark.parametrize("result", [[], [b"x"], [b"x", b"y"], iter([b"x"]), iter([])])
def test_an_answer_without_start_response_is_a_failed_request(result):
    done = call(lambda environ, start_response: result)
    assert done.answer().status == 500
    assert "without calling start_response" in str(done.exchange.problem)


def test_write_without_a_head_that_could_be_sent_is_a_failed_request():
    def application(environ, start_response):
        write = start_response("200 OK", [])
        assert write is not None
        start_response("bad status", [], (None, None, None))
        return []

    done = call(application)
    assert done.answer().status == 500
    assert "bad status" in str(done.exchange.problem)


@pytest.mark.parametrize("result", [None, 7, "text", b"bytes", ["text"], ["a", "b"], [b"a", "b"]])
def test_what_is_no_iterable_of_bytes_is_a_failed_request(result):
    done = call(answering(result))
    assert failed(done, TypeError)


@pytest.mark.parametrize("block", ["text", bytearray(b"x"), memoryview(b"x"), 1])
def test_a_block_that_is_not_bytes_is_a_failed_request(block):
    for body in (SizedBody(block), Body(b"", block)):
        done = call(answering(body))
        assert failed(done, TypeError)
        assert type(block).__name__ in str(done.exchange.problem)
        assert body.closed == 1


def test_a_block_that_is_not_bytes_later_on_cuts_the_connection():
    body = Body(b"begun", "text")
    done = call(answering(body))
    assert done.exchange.ending is Ending.CUT
    assert not done.answer().whole
    assert body.closed == 1


@pytest.mark.parametrize(
    ("status", "fields", "named"),
    [
        ("nonsense", [], "nonsense"),
        (200, [], "int"),
        ("200 OK", [("X-Bad", "a\nb")], "X-Bad"),
        ("200 OK", [("X Bad", "a")], "X Bad"),
        ("200 OK", [("X-Bad", 5)], "X-Bad"),
        ("200 OK", [("Content-Length", "many")], "Content-Length"),
        ("200 OK", None, "NoneType"),
    ],
)
def test_a_head_that_cannot_be_sent_is_a_failed_request_that_names_it(status, fields, named):
    def application(environ, start_response):
        start_response(status, fields)
        return [b"never seen"]

    done = call(application)
    assert done.answer().status == 500
    assert named in str(done.exchange.problem)
    assert b"never seen" not in done.sink.data


# -- close() -------------------------------------------------------------------------------------


def test_close_is_called_once_after_a_whole_response():
    sink = Recording()

    class Late(Body):
        def close(self) -> None:
            assert sink.data.endswith(b"0\r\n\r\n"), "only when everything was handed over"
            super().close()

    body = Late(b"a", b"b")
    assert call(answering(body), sink=sink).exchange.problem is None
    assert body.closed == 1


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_close_is_called_once_where_the_body_is_not_sent(status):
    body = Body(b"a")
    call(answering(body, status=status))
    assert body.closed == 1


def test_close_is_called_once_for_head():
    body = Body(b"a")
    call(answering(body), method="HEAD")
    assert body.closed == 1


@pytest.mark.parametrize(
    ("method", "status"),
    [("HEAD", "200 OK"), ("GET", "204 No Content"), ("GET", "304 Not Modified")],
)
def test_a_body_without_end_that_nobody_gets_is_not_asked_for_to_its_end(method, status):
    class Endless(Body):
        def __next__(self) -> bytes:
            self.asked += 1
            return b"" if self.asked < 3 else b"more"

    body = Endless()
    done = call(answering(body, status=status), method=method)
    assert done.exchange.ending is Ending.OK
    assert done.answer().whole
    assert (body.asked, body.closed) == (3, 1)


def test_close_is_called_once_without_start_response():
    body = Body(b"a")
    call(lambda environ, start_response: body)
    assert body.closed == 1


@pytest.mark.parametrize("fields", [[], [("Content-Length", "1")], [("Content-Length", "9")]])
def test_close_is_called_once_whatever_the_length(fields):
    body = Body(b"hello")
    call(answering(body, *fields))
    assert body.closed == 1


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_in_close_is_told_and_leaves_the_response_whole(kind):
    class Stuck(Body):
        def close(self) -> None:
            super().close()
            raise kind("on purpose")

    body = Stuck(b"a")
    done = call(answering(body))
    assert done.answer().whole
    assert done.exchange.ending is Ending.OK
    assert type(done.exchange.problem) is kind
    assert body.closed == 1
    assert done.writer.keep_alive


def test_of_two_exceptions_the_first_is_told():
    class Stuck(Body):
        def close(self) -> None:
            raise KeyError("second")

    done = call(answering(Stuck(b"a", problem=ValueError("first"))))
    assert isinstance(done.exchange.problem, ValueError)


def test_a_body_that_cannot_even_be_asked_for_close_harms_nobody():
    class Odd(Body):
        @property
        def close(self):
            raise OSError("no such thing")

    done = call(answering(Odd(b"a")))
    assert done.answer().whole
    assert isinstance(done.exchange.problem, OSError)


def test_write_inside_close_is_refused():
    class Talkative(Body):
        write: Any = None

        def close(self) -> None:
            self.write(b"more")

    body = Talkative(b"a")

    def application(environ, start_response):
        body.write = start_response("200 OK", [])
        return body

    done = call(application)
    assert isinstance(done.exchange.problem, RuntimeError)
    assert done.answer().body == b"a"
    assert done.answer().whole


# -- a client that leaves ------------------------------------------------------------------------


@pytest.mark.parametrize("takes_bytes", [0, 150, 10_000])
def test_a_client_that_leaves_ends_the_call_and_closes_the_body_once(takes_bytes):
    body = Body(*[b"x" * 1000] * 50)
    done = call(answering(body), sink=Recording(takes_bytes))
    assert done.exchange.ending is Ending.ABORTED
    assert done.exchange.problem is None, "nothing that the application did wrong"
    assert not done.writer.keep_alive
    assert body.closed == 1
    assert body.asked <= takes_bytes // 1000 + 2


@pytest.mark.parametrize("size", [10, 100_000])
@pytest.mark.parametrize("kind", [list, iter, lambda blocks: SizedBody(*blocks)])
@pytest.mark.parametrize("takes_bytes", [0, 300, 120_000, 350_000, 10_000_000])
def test_only_bytes_that_were_taken_over_are_counted(takes_bytes, kind, size):
    done = call(answering(kind([b"x" * size] * 3)), sink=Recording(takes_bytes))
    sent = done.sink.data.count(b"x")
    assert abs(done.exchange.body_bytes - sent) <= 8, "but for a chunk's framing"


@pytest.mark.parametrize("result", [[b"x"], [], [b"x" * 100_000], SizedBody(b"x")])
def test_a_client_that_left_before_the_head_is_an_aborted_request(result):
    done = call(answering(result), sink=Recording(0))
    assert done.exchange.ending is Ending.ABORTED
    assert done.exchange.problem is None


def test_write_tells_an_application_that_the_client_left():
    told = []

    def application(environ, start_response):
        write = start_response("200 OK", [])
        try:
            write(b"x" * 1000)
        except ConnectionError as error:
            told.append(error)
            raise
        return []

    done = call(application, sink=Recording(10))
    assert len(told) == 1
    assert done.exchange.ending is Ending.ABORTED


def test_a_client_that_left_gets_no_500_either():
    def application(environ, start_response):
        raise ValueError("on purpose")

    done = call(application, sink=Recording(0))
    assert done.exchange.ending is Ending.ABORTED
    assert isinstance(done.exchange.problem, ValueError), "told all the same"


def test_an_application_that_hides_the_clients_leaving_is_aborted_all_the_same():
    body = SizedBody(b"y")

    def application(environ, start_response):
        write = start_response("200 OK", [])
        try:
            write(b"x" * 1000)
        except ClientGone:
            pass
        return body

    done = call(application, sink=Recording(10))
    assert done.exchange.ending is Ending.ABORTED
    assert body.closed == 1


# -- requests that the server gives up -----------------------------------------------------------


def given_up(application, *, at_piece: int = 0) -> tuple[Exchange, Recording]:
    """Run a call that is abandoned when its so-manyth piece is sent, or before it begins."""
    from canter.protocol.http1.writer import Writer

    sink = Recording()
    exchange = Exchange({"REQUEST_METHOD": "GET"}, sink, Writer(False, False, True))
    send = sink.send

    def watch(data: bytes) -> None:
        send(data)
        if len(sink.sent) == at_piece:
            exchange.abandoned = True

    sink.send = watch  # type: ignore[method-assign]
    exchange.abandoned = not at_piece
    exchange.run(application)
    return exchange, sink


@pytest.mark.parametrize("make", [lambda: [b"late"], list, lambda: Body(b"late"), lambda: iter([])])
def test_an_abandoned_request_sends_nothing(make):
    exchange, sink = given_up(answering(make()))
    assert sink.sent == []
    assert exchange.ending is Ending.ABANDONED
    assert exchange.problem is None
    assert not exchange.writer.keep_alive


def test_an_abandoned_stream_ends_at_its_next_block():
    body = Body(*[b"x"] * 100)
    exchange, sink = given_up(answering(body), at_piece=3)
    assert len(sink.sent) == 3
    assert exchange.ending is Ending.ABANDONED
    assert body.closed == 1


def test_an_abandoned_request_that_fails_is_abandoned():
    def application(environ, start_response):
        raise ValueError("because the database was too slow")

    exchange, sink = given_up(application)
    assert sink.sent == []
    assert exchange.ending is Ending.ABANDONED


def test_giving_up_is_not_swallowed_by_except_exception():
    swallowed = []

    def application(environ, start_response):
        write = start_response("200 OK", [])
        for _ in range(10):
            try:
                write(b"x")
            except Exception as error:  # noqa: BLE001 - as applications do
                swallowed.append(error)
        return []

    exchange, sink = given_up(application, at_piece=2)
    assert not swallowed
    assert len(sink.sent) == 2
    assert exchange.ending is Ending.ABANDONED
    assert issubclass(Abandoned, BaseException)
    assert not issubclass(Abandoned, Exception)
