"""Which file a path may mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.files.paths import file_names, names_below


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (b"site.css", (b"site.css",)),
        (b"css/site.css", (b"css", b"site.css")),
        (b"a b/c%2e", (b"a b", b"c%2e")),
        ("déjà.txt".encode(), ("déjà.txt".encode(),)),
        (b"a..b/c.", (b"a..b", b"c.")),
    ],
)
def test_an_ordinary_path_is_its_names(path, names):
    assert file_names(path) == names


@pytest.mark.parametrize(
    "path",
    [
        b"",
        b"/",
        b"css/",
        b"/etc/passwd",
        b"css//site.css",
        b".",
        b"..",
        b"../app.py",
        b"css/../../app.py",
        b"css/./site.css",
        b".git/config",
        b"css/.env",
        b"...",
        b"..\\app.py",
        b"css\\site.css",
        b"site.css\0.png",
        b"a\nb",
        b"a\x7fb",
        b"x" * 256,
        b"/".join([b"a"] * 65),
    ],
)
def test_a_path_that_may_mean_something_else_is_none(path):
    assert file_names(path) is None


@given(path=st.one_of(st.binary(), st.text("./\\a\0").map(str.encode)))
def test_names_never_lead_up_or_to_something_hidden(path):
    names = file_names(path)
    if names is not None:
        assert b"/".join(names) == path
        assert not any(not name or name.startswith(b".") or b"\0" in name for name in names)


@pytest.mark.parametrize(
    ("directory", "path", "names"),
    [
        (b"/srv/pub", b"/srv/pub/a/b", (b"a", b"b")),
        (b"/srv/pub/", b"/srv/pub/a", (b"a",)),
        (b"/", b"/a", (b"a",)),
        (b"/srv/pub", b"/srv/pub", None),
        (b"/srv/pub", b"/srv/public/a", None),
        (b"/srv/pub", b"/srv/pub/../a", None),
        (b"/srv/pub", b"/srv/pub/.git/a", None),
        (b"/srv/pub", b"pub/a", None),
    ],
)
def test_only_what_lies_below_a_directory_has_names_there(directory, path, names):
    assert names_below(directory, path) == names
