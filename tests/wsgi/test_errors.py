"""wsgi.errors: text becomes lines of the error log."""

from __future__ import annotations

import threading

import pytest

from canter.wsgi.errors import ErrorStream


@pytest.fixture
def emitted():
    """What was handed over."""
    return []


@pytest.fixture
def stream(emitted):
    """A stream into that list."""
    return ErrorStream(emitted.append)


def test_text_waits_for_the_end_of_its_line(stream, emitted):
    assert stream.write("one ") == 4
    assert emitted == []
    stream.write("line\n")
    assert emitted == ["one line"]


def test_lines_written_together_stay_together(stream, emitted):
    stream.write("Traceback:\n  line\nValueError\n")
    assert emitted == ["Traceback:\n  line\nValueError"]


def test_print_works(stream, emitted):
    print("to", "the", "log", file=stream)
    assert emitted == ["to the log"]


def test_flush_hands_over_an_unfinished_line(stream, emitted):
    stream.write("unfinished")
    stream.flush()
    assert emitted == ["unfinished"]


@pytest.mark.parametrize("text", ["", "\n", "\n\n"])
def test_nothing_is_not_handed_over(stream, emitted, text):
    stream.write(text)
    stream.flush()
    assert emitted == []


def test_writelines_joins(stream, emitted):
    stream.writelines(["a\n", "b", "c\n"])
    assert emitted == ["a\nbc"]


@pytest.mark.parametrize("text", [b"bytes", None, 1])
def test_only_text_is_taken(stream, text):
    with pytest.raises(TypeError, match=type(text).__name__):
        stream.write(text)


def test_a_line_that_never_ends_fills_no_memory(stream, emitted):
    for _ in range(1000):
        stream.write("x" * 100)
    assert sum(map(len, emitted)) > 90_000
    assert max(map(len, emitted)) <= 20_000


def test_lines_of_several_threads_all_arrive(stream, emitted):
    def write(name: str) -> None:
        for number in range(500):
            stream.write(f"{name}{number}\n")

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = [line for text in emitted for line in text.split("\n")]
    assert sorted(lines) == sorted(f"{name}{number}" for name in "abcd" for number in range(500))
