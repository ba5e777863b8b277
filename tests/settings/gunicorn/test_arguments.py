"""GUNICORN_CMD_ARGS is a command line of its own."""

from __future__ import annotations

import pytest

from canter.errors import ConfigError
from canter.settings.gunicorn.arguments import gunicorn_arguments_layer
from canter.settings.layers import merge


def test_options_are_split_as_a_shell_splits_them():
    (entry,) = gunicorn_arguments_layer("--access-logformat '%(h)s %(r)s'").entries
    assert entry.value == "%(h)s %(r)s"
    assert str(entry.source) == "env GUNICORN_CMD_ARGS --access-logformat"


def test_an_application_in_it_is_ignored_as_by_gunicorn():
    assert [it.name for it in gunicorn_arguments_layer("-w 2 site:app").entries] == ["workers"]


def test_nothing_says_nothing():
    assert gunicorn_arguments_layer("").entries == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("--treads 4", "GUNICORN_CMD_ARGS: unknown option --treads; did you mean --threads?"),
        ("--name 'x", "GUNICORN_CMD_ARGS: No closing quotation"),
    ],
)
def test_what_cannot_be_understood_is_a_wrong_environment(text, message):
    with pytest.raises(ConfigError) as caught:
        gunicorn_arguments_layer(text)
    assert str(caught.value) == message


def test_warnings_name_the_variable():
    (warning,) = merge([gunicorn_arguments_layer("--worker-tmp-dir /dev/shm")]).warnings
    assert warning.startswith("GUNICORN_CMD_ARGS --worker-tmp-dir: Gunicorn's worker_tmp_dir")
