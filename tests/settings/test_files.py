"""TOML files: what they say, and on which line."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.errors import ConfigError
from canter.settings.files import PYPROJECT_TABLE, has_table, line_of_key, toml_layer
from canter.settings.gunicorn.names import DIRTY, FOREIGN

NOT_HERE = "is a Gunicorn setting that canter does not have"


def entries(text, table=()):
    layer = toml_layer(text, "canter.toml", table)
    return {entry.name: (entry.value, str(entry.source)) for entry in layer.entries}


def test_keys_are_settings_and_know_their_lines():
    text = """\
# the site
threads = 4

bind = [
    "127.0.0.1:8000",  # threads = 5
    "unix:/run/site.sock",
]
"workers" = 'auto'

[secure_scheme_headers]
X-Forwarded-Proto = "https"
"""
    assert entries(text) == {
        "threads": (4, "canter.toml:2"),
        "bind": (["127.0.0.1:8000", "unix:/run/site.sock"], "canter.toml:4"),
        "workers": ("auto", "canter.toml:8"),
        "secure_scheme_headers": ({"X-Forwarded-Proto": "https"}, "canter.toml:10"),
    }


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[tool.canter]\nthreads = 4", 2),
        ("[tool]\ncanter.threads = 4", 2),
        ("tool.canter.threads = 4", 1),
        ("[tool.other]\nthreads = 1\n[tool.canter]\nthreads = 4", 4),
        ("[tool.canter]\nthreads = 4\n[tool.other]\nthreads = 1", 2),
        ('[tool.other]\ntext = """\n[tool.canter]\nthreads = 1\n"""\n[tool.canter]\nthreads=4', 7),
        ("[tool.canter]\n  'threads'=4", 2),
    ],
)
def test_the_line_is_that_of_the_key_and_not_of_one_that_looks_like_it(text, line):
    assert entries(text, PYPROJECT_TABLE) == {"threads": (4, f"canter.toml:{line}")}


def test_a_key_whose_line_cannot_be_told_is_in_the_file():
    assert entries("tool = {canter = {threads = 4}}", PYPROJECT_TABLE) == {
        "threads": (4, "canter.toml")
    }


@given(st.lists(st.sampled_from(["threads", "workers", "bind", "reload"]), unique=True))
def test_every_key_is_found_wherever_it_stands(names):
    text = "".join(f"# {name} = 1\n\n{name} = 1\n" for name in names)
    lines = text.splitlines()
    for name in names:
        line = line_of_key(text, (name,))
        assert line is not None
        assert lines[line - 1] == f"{name} = 1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nthreds = 4", "canter.toml:2: unknown setting threds; did you mean threads?"),
        (
            "access_logfile = '-'",
            "canter.toml:1: unknown setting access_logfile; did you mean accesslog?",
        ),
        ("frobnicate = 1", "canter.toml:1: unknown setting frobnicate"),
        ("[server]\nthreads = 4", "canter.toml:1: unknown setting server"),
        (
            "worker_tmp_dir = '/dev/shm'",
            f"canter.toml:1: worker_tmp_dir {NOT_HERE}: {FOREIGN['worker_tmp_dir'].note}",
        ),
        (
            "dirty_post_fork = 'x'",
            f"canter.toml:1: dirty_post_fork {NOT_HERE}: {DIRTY}",
        ),
        ("config = 'x'", "canter.toml:1: config cannot be set in a file"),
        ("a = 1\nthreads = x\n", "canter.toml:2: Invalid value"),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(text, message):
    with pytest.raises(ConfigError) as caught:
        entries(text)
    assert str(caught.value) == message


def test_text_that_ends_too_early_is_an_error_in_the_file():
    with pytest.raises(ConfigError, match=r"^canter\.toml: .*end of document"):
        entries('threads = "')


@pytest.mark.parametrize("text", ["", "[tool]\nx = 1", "tool = 1", "[tool]\ncanter = 1"])
def test_a_file_without_the_table_is_refused_where_it_was_asked_for(text):
    with pytest.raises(ConfigError, match=r"there is no table \[tool\.canter\]"):
        entries(text, PYPROJECT_TABLE)


def test_a_file_of_others_may_lack_the_table():
    assert has_table("[tool.canter]\nthreads = 4", "p", PYPROJECT_TABLE)
    assert not has_table("[tool.other]\ntext = 'canter'", "p", PYPROJECT_TABLE)


def test_a_broken_file_that_does_not_mention_us_is_not_our_business():
    assert not has_table("[tool.other", "p", PYPROJECT_TABLE)
    with pytest.raises(ConfigError, match=r"^p"):
        has_table("[tool.canter", "p", PYPROJECT_TABLE)


@given(st.text(alphabet="ab=[]\"'#\n .1{},\\"))
def test_any_text_is_read_or_refused_in_one_way(text):
    try:
        toml_layer(text, "canter.toml")
    except ConfigError as error:
        assert str(error).startswith("canter.toml")  # noqa: PT017 - either end is right
    else:
        assert tomllib.loads(text) == {}
