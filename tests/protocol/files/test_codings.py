"""Which compressed variants a client takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.files.codings import SUFFIXES, wanted_codings


@pytest.mark.parametrize(
    ("accepted", "codings"),
    [
        ("", ()),
        ("gzip", ("gzip",)),
        ("gzip, deflate, br, zstd", ("br", "zstd", "gzip")),
        ("gzip;q=1.0, br;q=0.5", ("gzip", "br")),
        ("br;q=0, gzip", ("gzip",)),
        ("GZIP ; Q=0.5", ("gzip",)),
        ("x-gzip", ("gzip",)),
        ("*", ("br", "zstd", "gzip")),
        ("*;q=0.1, br;q=0", ("zstd", "gzip")),
        ("identity", ()),
        ("identity;q=0.5, gzip;q=0.4", ()),
        ("identity;q=0.5, gzip;q=0.5", ("gzip",)),
        ("identity;q=0, gzip;q=0.1", ("gzip",)),
        ("deflate", ()),
        ("gzip,,br,", ("br", "gzip")),
        ("gzip;q=2", ()),
        ("gzip;level=9", ()),
        ("gzip br", ()),
        ("gzip;q=0.0001", ()),
        ("br, " * 1000, ()),
    ],
)
def test_the_client_s_weights_decide_and_then_the_size(accepted, codings):
    assert wanted_codings(accepted) == codings


PIECES = st.lists(st.sampled_from(["gzip", "br", "*", ";q=0", ",", ";q=1", "="])).map("".join)


@given(text=st.one_of(st.text(), PIECES))
def test_any_text_is_answered_with_codings(text):
    found = wanted_codings(text)
    assert set(found) <= set(SUFFIXES)
    assert len(set(found)) == len(found)
