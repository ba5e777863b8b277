"""The command line is read as Gunicorn's, and what is no option is told what it was near."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.errors import CanterError, UsageError
from canter.settings import parse_options
from canter.settings.layers import merge, settle


def settings(*words):
    return settle(merge([parse_options(words).layer]))


@pytest.mark.parametrize(
    "words",
    [
        ["--threads", "4", "site:app"],
        ["site:app", "--threads", "4"],
        ["--threads=4", "site:app"],
        ["--threads", "4", "--", "site:app"],
        ["-b", "x:1", "site:app", "--threads", "4"],
    ],
)
def test_the_application_may_stand_anywhere_among_options(words):
    found = settings(*words)
    assert (found.wsgi_app, found.threads) == ("site:app", 4)


def test_short_options_may_hold_their_value():
    assert settings("-w4").workers == 4
    assert settings("-w", "auto").workers == "auto"


def test_the_last_of_several_options_counts_but_lists_add_up():
    found = settings("--threads", "2", "--threads", "3", "-b", "a:1", "--bind", "b:2,c:3")
    assert found.threads == 3
    assert found.bind == ("a:1", "b:2", "c:3")


def test_an_environment_variable_on_the_command_line_may_hold_anything():
    assert settings("-e", "A=1,2", "--env", "B=x\ny").raw_env == ("A=1,2", "B=x\ny")


def test_an_option_without_a_value_can_be_undone():
    assert settings("--reload").reload
    assert not settings("--reload", "--no-reload").reload
    assert not settings("--no-sendfile").sendfile
    assert settings("--no-sendfile", "--sendfile").sendfile


@pytest.mark.parametrize(
    ("short", "name", "value"),
    [
        ("--thr", "threads", 4),
        ("--time", "timeout", 4.0),
        ("--grace", "graceful_timeout", 4.0),
        ("--keep", "keepalive", 4.0),
        ("--max-requests-j", "max_requests_jitter", 4),
        ("--limit-request-field_", "limit_request_field_size", 4),
    ],
)
def test_long_options_can_be_shortened(short, name, value):
    assert getattr(settings(short, "4"), name) == value
    assert getattr(settings(f"{short}=4"), name) == value
    assert str(settings(short, "4").source(name)).startswith("option --")


@pytest.mark.parametrize(
    ("short", "words", "name"),
    [("--header", ["refuse"], "header_map"), ("--no-s", [], "sendfile"), ("--li", [], None)],
)
def test_what_is_unique_among_gunicorn_s_options_stays_so_here(short, words, name):
    if name is None:
        with pytest.raises(UsageError, match=r"^option --li could be --limit-request-body, --"):
            parse_options([short])
    else:
        assert [entry.name for entry in parse_options([short, *words]).layer.entries] == [name]


def test_two_spellings_of_one_option_are_not_ambiguous():
    assert settings("--limit-request-field-s", "9").limit_request_field_size == 9


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--treads", "4"], "unknown option --treads; did you mean --threads?"),
        (["--treads=4"], "unknown option --treads; did you mean --threads?"),
        (["--prelaod"], "unknown option --prelaod; did you mean --preload?"),
        (["--frobnicate"], "unknown option --frobnicate"),
        (["-Z"], "unknown option -Z"),
        (["a:b", "c:d"], "unexpected argument 'c:d': the application is 'a:b'"),
        (["a:b", "--threads", "2", "c:d"], "unexpected argument 'c:d': the application is 'a:b'"),
    ],
)
def test_what_cannot_be_understood_is_named(words, message):
    with pytest.raises(UsageError) as caught:
        parse_options(words)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "words", [["--threads"], ["-w"], ["--threads", "--reload"], ["--reload=1"]]
)
def test_a_value_too_few_or_too_many_is_an_error(words):
    with pytest.raises(UsageError, match="argument"):
        parse_options(words)


def test_words_after_the_end_of_options_are_no_options():
    assert settings("--", "--threads").wsgi_app == "--threads"


def test_a_value_with_a_space_is_no_option():
    assert settings("--access-logformat", "-- %(h)s").access_log_format == "-- %(h)s"


@pytest.mark.parametrize("flag", ["-h", "--help", "--hel"])
def test_help_is_asked_for(flag):
    assert parse_options([flag]).wants_help


@pytest.mark.parametrize("flag", ["-v", "--version", "--vers"])
def test_the_version_is_asked_for(flag):
    line = parse_options([flag])
    assert line.wants_version
    assert not line.wants_help


@pytest.mark.parametrize(
    ("words", "warning"),
    [
        (["--spew"], "--spew: Gunicorn's spew has no effect"),
        (["--worker-tmp-dir", "/x"], "--worker-tmp-dir: Gunicorn's worker_tmp_dir has no effect"),
        (["--worker-tmp=/x"], "--worker-tmp-dir: Gunicorn's worker_tmp_dir has no effect"),
    ],
)
def test_gunicorn_s_other_options_are_taken_with_a_warning(words, warning):
    found = settings(*words, "site:app")
    assert found.wsgi_app == "site:app"
    assert len(found.warnings) == 1
    assert found.warnings[0].startswith(warning)


@pytest.mark.parametrize("words", [["--protocol", "http"], ["--proxy-protocol", "off"]])
def test_gunicorn_s_options_that_ask_for_nothing_are_taken_in_silence(words):
    assert settings(*words).warnings == ()


WORDS = st.sampled_from(
    ["--threads", "--thr", "4", "-w4", "-b", "x:1", "site:app", "--reload", "--no-r", "--", "-", ""]
)


@given(st.lists(WORDS | st.text(max_size=6), max_size=6))
def test_any_words_are_understood_or_refused_in_one_way(words):
    try:
        settle(merge([parse_options(words).layer]))
    except CanterError as error:
        assert str(error)  # noqa: PT017 - either end is right
