"""What a file is said to be."""

from __future__ import annotations

import pytest

from canter.protocol.files.media_types import TYPES, may_have_variants, media_type


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (b"site.css", "text/css; charset=utf-8"),
        (b"app.3f2a.JS", "text/javascript; charset=utf-8"),
        (b"index.html", "text/html; charset=utf-8"),
        (b"data.json", "application/json"),
        (b"logo.svg", "image/svg+xml"),
        (b"a.tar.gz", "application/gzip"),
        (b"module.wasm", "application/wasm"),
        (b"font.woff2", "font/woff2"),
        (b"README", "application/octet-stream"),
        (b"css", "application/octet-stream"),
        (b"x.unheard", "application/octet-stream"),
    ],
)
def test_the_end_of_the_name_tells(name, kind):
    assert media_type(name) == kind


def test_variants_are_for_what_is_not_compressed_already():
    assert all(map(may_have_variants, (b"a.css", b"a.svg", b"a.unheard", b"LICENSE")))
    assert not any(map(may_have_variants, (b"a.png", b"a.woff2", b"a.zip", b"a.gz")))


def test_every_type_is_one():
    for ending, kind in TYPES.items():
        assert ending == ending.lower()
        assert "/" in kind
        assert kind.startswith("text/") == ("charset" in kind)
