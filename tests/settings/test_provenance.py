"""Every source can say what it is, and whose fault a wrong value is."""

from __future__ import annotations

import pytest

from canter.errors import ConfigError, UsageError
from canter.settings.provenance import DEFAULT, Source, SourceKind


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (DEFAULT, "default"),
        (Source(SourceKind.FILE, "canter.toml:3"), "canter.toml:3"),
        (Source(SourceKind.ENVIRONMENT, "CANTER_THREADS"), "env CANTER_THREADS"),
        (Source(SourceKind.OPTION, "--threads"), "option --threads"),
        (Source(SourceKind.OPTION, "argument"), "command line"),
        (Source(SourceKind.ARGUMENT, "threads"), "argument"),
    ],
)
def test_a_source_is_shown_in_few_words(source, text):
    assert str(source) == text


@pytest.mark.parametrize(
    ("source", "message", "status"),
    [
        (Source(SourceKind.FILE, "canter.toml:3"), "canter.toml:3: threads: wrong", 1),
        (Source(SourceKind.ENVIRONMENT, "CANTER_THREADS"), "CANTER_THREADS: wrong", 1),
        (Source(SourceKind.OPTION, "--threads"), "--threads: wrong", 2),
        (Source(SourceKind.ARGUMENT, "threads"), "threads: wrong", 1),
        (DEFAULT, "threads: wrong", 1),
    ],
)
def test_an_error_begins_with_the_place_to_mend(source, message, status):
    error = source.blame("threads", "wrong")
    assert (str(error), error.exit_status) == (message, status)
    assert isinstance(error, UsageError if status == 2 else ConfigError)
