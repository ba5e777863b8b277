"""Directories by prefix."""

from __future__ import annotations

import re

import pytest

from canter.settings.kinds import Mounts

KIND = Mounts()


@pytest.mark.parametrize(
    ("given", "mounts"),
    [
        ("", {}),
        ("/static=pub", {"/static": "pub"}),
        ("/static/ = pub , /=www", {"/static": "pub", "/": "www"}),
        (["/a=x", "/b=y,/c=z=1"], {"/a": "x", "/b": "y", "/c": "z=1"}),
        ({"/a/b/": "/srv/x"}, {"/a/b": "/srv/x"}),
        ("/é=x", {"/é": "x"}),
    ],
)
def test_prefixes_and_their_directories(given, mounts):
    value = KIND.parse(given)
    assert value == mounts
    assert KIND.parse(KIND.render(value)) == mounts


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("/static", "is not of the form /PREFIX=DIRECTORY"),
        ("static=pub", "is not the path of a URL"),
        ("/a?b=pub", "is not the path of a URL"),
        ("/a//b=pub", "is not the path of a URL"),
        ("/../b=pub", "is not the path of a URL"),
        ("/a=", "/a needs a directory, not ''"),
        ({"/a": 5}, "/a needs a directory, not 5"),
        ({"/a": "x,y"}, "has a NUL byte or a comma in it"),
        ("/a=x,/a/=y", "/a is given twice"),
        (5, "is neither a text nor a table"),
    ],
)
def test_what_is_wrong_is_said(given, problem):
    with pytest.raises(ValueError, match=re.escape(problem)):
        KIND.parse(given)
