"""wsgi.file_wrapper: files that go out whole, and those that are read (PEP 3333)."""

from __future__ import annotations

import io

import pytest

from canter.protocol.http1.writer import Writer
from canter.wsgi.exchange import Ending, Exchange
from canter.wsgi.file_wrapper import FileWrapper
from tests.wsgi.recording import Recording, answering, call

CONTENT = b"0123456789" * 20


@pytest.fixture
def file(tmp_path):
    """A plain file, open for reading."""
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    with path.open("rb") as opened:
        yield opened


def test_a_plain_file_is_handed_over_whole_with_its_length(file):
    done = call(answering(FileWrapper(file)))
    answer = done.answer()
    assert done.sink.files == [(0, 200)]
    assert answer.header("Content-Length") == "200"
    assert (answer.body, answer.whole) == (CONTENT, True)
    assert done.exchange.body_bytes == 200
    assert done.exchange.ending is Ending.OK
    assert file.closed, "the wrapper's close() is the file's"


def test_a_file_is_sent_from_where_it_stands(file):
    file.seek(150)
    answer = call(answering(FileWrapper(file))).answer()
    assert (answer.body, answer.header("Content-Length")) == (CONTENT[150:], "50")


def test_a_declared_length_within_the_file_sends_no_more(file):
    done = call(answering(FileWrapper(file), ("Content-Length", "30")))
    assert done.answer().body == CONTENT[:30]
    assert done.answer().whole
    assert done.writer.keep_alive


def test_a_declared_length_beyond_the_file_is_cut(file):
    done = call(answering(FileWrapper(file), ("Content-Length", "300")))
    assert done.answer().body == CONTENT
    assert not done.answer().whole
    assert done.exchange.ending is Ending.CUT
    assert "100 bytes are missing" in str(done.exchange.remarks)


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_no_file_goes_where_no_body_may(file, status):
    done = call(answering(FileWrapper(file), status=status))
    assert done.sink.files == []
    assert done.answer().body == b""
    assert file.closed


def test_head_gets_no_file(file):
    done = call(answering(FileWrapper(file), ("Content-Length", "200")), method="HEAD")
    assert done.sink.files == []
    assert done.answer().header("Content-Length") == "200"
    assert file.closed


def test_what_cannot_be_handed_over_is_read_in_blocks():
    source = io.BytesIO(CONTENT)
    done = call(answering(FileWrapper(source, 64)))
    assert done.answer().body == CONTENT
    assert done.answer().header("Transfer-Encoding") == "chunked"
    assert len(done.sink.sent) == 5, "four blocks and the end"
    assert source.closed


def test_a_wrapper_in_other_hands_is_an_ordinary_iterable(file):
    wrapper = FileWrapper(file, 50)
    done = call(answering(block.upper() for block in wrapper))
    assert done.sink.files == []
    assert done.answer().body == CONTENT


def test_a_file_without_start_response_is_a_failed_request(file):
    done = call(lambda environ, start_response: FileWrapper(file))
    assert done.answer().status == 500
    assert file.closed


def test_a_client_that_leaves_during_a_file_is_an_aborted_request(file):
    done = call(answering(FileWrapper(file)), sink=Recording(10))
    assert done.exchange.ending is Ending.ABORTED
    assert file.closed


def test_an_abandoned_request_gives_its_file_back(file):
    sink = Recording()
    exchange = Exchange({}, sink, Writer(False, False, True))
    exchange.abandoned = True
    exchange.run(answering(FileWrapper(file)))
    assert not sink.descriptors
    assert not sink.sent
    assert file.closed


def test_a_text_file_is_a_failed_request(tmp_path):
    path = tmp_path / "text"
    path.write_text("hello")
    with path.open() as opened:
        done = call(answering(FileWrapper(opened)), sink=Recording(sends_files=False))
    assert done.answer().status == 500
    assert isinstance(done.exchange.problem, TypeError)


# -- the wrapper itself --------------------------------------------------------------------------


def test_the_wrapper_gives_blocks_of_the_asked_size():
    assert list(FileWrapper(io.BytesIO(CONTENT), 90)) == [
        CONTENT[:90],
        CONTENT[90:180],
        CONTENT[180:],
    ]


def test_the_wrapper_has_a_close_only_where_its_source_has_one():
    class Source:
        def read(self, size):
            return b""

    assert not hasattr(FileWrapper(Source()), "close")
    source = io.BytesIO()
    FileWrapper(source).close()
    assert source.closed
