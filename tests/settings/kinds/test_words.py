"""Booleans, choices, texts and paths."""

from __future__ import annotations

import tomllib
from pathlib import Path as FilePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.settings.kinds import Boolean, Choice, Path, Text


@pytest.mark.parametrize("written", [True, "true", "True", "YES", "y", "on", "1", " true "])
def test_these_are_true(written):
    assert Boolean().parse(written) is True


@pytest.mark.parametrize("written", [False, "false", "No", "n", "OFF", "0"])
def test_these_are_false(written):
    assert Boolean().parse(written) is False


@pytest.mark.parametrize("written", ["maybe", "", 1, 0, None, []])
def test_everything_else_is_neither_true_nor_false(written):
    with pytest.raises(ValueError, match="neither true nor false"):
        Boolean().parse(written)


def test_white_space_around_a_text_is_not_part_of_it():
    assert Text().parse("  app:app ") == "app:app"


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (3, "is not a text"),
        (None, "is not a text"),
        ("", "empty"),
        ("  ", "empty"),
        ("a\0b", "NUL"),
    ],
)
def test_a_text_is_a_text_with_something_in_it(written, problem):
    with pytest.raises(ValueError, match=problem):
        Text().parse(written)


def test_a_text_for_names_and_numbers_takes_both():
    assert Text(numbers=True).parse(1000) == "1000"
    with pytest.raises(ValueError, match="is not a text"):
        Text(numbers=True).parse(True)


def test_a_path_is_kept_as_it_was_written():
    assert Path().parse("run/../pid ") == "run/../pid "
    assert Path().parse(FilePath("/run/pid")) == "/run/pid"


@pytest.mark.parametrize(
    ("written", "problem"),
    [(3, "not a path"), (b"x", "not a path"), (" ", "empty"), ("a\0b", "NUL")],
)
def test_what_cannot_be_a_path_is_refused(written, problem):
    with pytest.raises(ValueError, match=problem):
        Path().parse(written)


LEVELS = Choice("debug", "info", "warning", aliases={"warn": "warning", "Class.Path": "info"})


@pytest.mark.parametrize(
    ("written", "word"),
    [
        ("info", "info"),
        ("INFO", "info"),
        ("warn", "warning"),
        ("WARN", "warning"),
        ("Class.Path", "info"),
    ],
)
def test_a_choice_takes_its_words_and_their_aliases(written, word):
    assert LEVELS.parse(written) == word


@pytest.mark.parametrize("written", ["", "inf", None, 3, "class.path"])
def test_a_choice_names_its_words_to_who_missed_them(written):
    with pytest.raises(ValueError, match="is not one of 'debug', 'info' and 'warning'"):
        LEVELS.parse(written)


def test_a_choice_of_one_word_says_so():
    with pytest.raises(ValueError, match=r"'gevent' is not 'threads'$"):
        Choice("threads").parse("gevent")


def test_a_very_long_value_is_cut_in_the_message():
    with pytest.raises(ValueError, match="neither true nor false") as caught:
        Boolean().parse("x" * 10_000)
    assert len(str(caught.value)) < 200


@given(st.text())
@pytest.mark.parametrize("kind", [Text(), Path()], ids=["text", "path"])
def test_a_text_survives_being_written_down(kind, written):
    try:
        value = kind.parse(written)
    except ValueError:
        return
    assert kind.parse(kind.render(value)) == value
    try:
        document = f"x = {kind.toml(value)}".encode()
    except UnicodeEncodeError:
        return  # a lone surrogate is in no file
    assert kind.parse(tomllib.loads(document.decode())["x"]) == value
