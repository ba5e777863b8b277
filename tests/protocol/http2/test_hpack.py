"""HPACK beside the hpack library, both ways, and what neither may read."""

from __future__ import annotations

import hpack
import pytest
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH
from hpack.huffman_table import decode_huffman
from hypothesis import given
from hypothesis import strategies as st

from canter.protocol.http2 import errors, huffman, table
from canter.protocol.http2.decoder import Decoder
from canter.protocol.http2.encoder import Encoder
from canter.protocol.http2.errors import ConnectionFailed, Error

ROOMY = 2**24

NAMES = st.one_of(
    st.sampled_from([b":status", b":path", b"date", b"server", b"cookie", b"set-cookie", b"etag"]),
    st.binary(min_size=1, max_size=12),
)
VALUES = st.one_of(st.sampled_from([b"", b"200", b"/", b"canter"]), st.binary(max_size=300))
HEADS = st.lists(st.lists(st.tuples(NAMES, VALUES), max_size=8), max_size=12)


def read(decoder: Decoder, block: bytes) -> list[tuple[bytes, bytes]]:
    # Where a block lies in the bytes of a connection must not matter.
    fields = decoder.decode(b"before" + block + b"behind", 6, 6 + len(block))
    return [(field.name.raw, field.text.encode("latin-1")) for field in fields]


def failure(block: bytes, decoder: Decoder | None = None) -> errors.Mistake:
    with pytest.raises(ConnectionFailed) as raised:
        read(decoder or Decoder(ROOMY), block)
    return raised.value.mistake


# -- the Huffman code ------------------------------------------------------------------------------


def test_the_code_is_that_of_the_appendix():
    assert list(huffman.LENGTHS) == list(REQUEST_CODES_LENGTH)
    assert huffman.codes() == list(REQUEST_CODES)


@given(st.binary(max_size=200), st.binary(max_size=3))
def test_what_is_encoded_is_read(text, around):
    code = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH).encode(text)
    data = around + code + around
    assert huffman.decode(data, len(around), len(around) + len(code)) == text


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused_as_by_the_library(code):
    try:
        expected = bytes(decode_huffman(code))
    except hpack.HPACKDecodingError:
        expected = None
    assert huffman.decode(code, 0, len(code)) == expected


# -- reading ---------------------------------------------------------------------------------------


def test_the_static_table_is_that_of_the_appendix():
    assert table.PAIRS[1:] == hpack.table.HeaderTable.STATIC_TABLE


@given(heads=HEADS, squeeze=st.booleans())
def test_what_the_library_writes_is_read(heads, squeeze):
    encoder, decoder = hpack.Encoder(), Decoder(ROOMY)
    for fields in heads:
        assert read(decoder, encoder.encode(fields, huffman=squeeze)) == fields


@given(heads=HEADS, sizes=st.lists(st.integers(0, 4096), max_size=12))
def test_tables_may_shrink_and_grow(heads, sizes):
    encoder, decoder = hpack.Encoder(), Decoder(ROOMY)
    for fields, size in zip(heads, sizes, strict=False):
        encoder.header_table_size = size
        assert read(decoder, encoder.encode(fields)) == fields


@given(heads=HEADS, blocks=st.lists(st.binary(max_size=60), max_size=6), changes=st.data())
def test_any_blocks_are_read_or_refused_as_by_the_library(heads, blocks, changes):
    encoder = hpack.Encoder()
    written = [bytearray(encoder.encode(fields)) for fields in heads]
    for block in written:
        if block and changes.draw(st.booleans()):
            block[changes.draw(st.integers(0, len(block) - 1))] ^= changes.draw(st.integers(1, 255))
    theirs, ours = hpack.Decoder(max_header_list_size=ROOMY), Decoder(ROOMY)
    for block in [*written, *blocks]:
        try:
            expected = [(n, v) for n, v in theirs.decode(bytes(block), raw=True)]
        except hpack.HPACKError:
            assert failure(bytes(block), ours).code is Error.COMPRESSION_ERROR
            return
        found: object
        try:
            found = read(ours, bytes(block))
        except ConnectionFailed as refused:
            found = refused.mistake
        if found == errors.INTEGER_TOO_LARGE:
            return  # the library reads integers of any length
        assert found == expected


@pytest.mark.parametrize(
    ("block", "mistake"),
    [
        (b"\x80", errors.NO_SUCH_FIELD),
        (b"\xbe", errors.NO_SUCH_FIELD),
        (b"\x7f\x00\x01x", errors.NO_SUCH_FIELD),
        (b"\xff", errors.BLOCK_CUT),
        (b"\x40", errors.BLOCK_CUT),
        (b"\x40\x01", errors.BLOCK_CUT),
        (b"\x40\x01x", errors.BLOCK_CUT),
        (b"\x40\x01x\x05abc", errors.BLOCK_CUT),
        (b"\xff\xff\xff\xff\xff\x01", errors.INTEGER_TOO_LARGE),
        (b"\xff\x80\x80\x80\x80\x00", errors.INTEGER_TOO_LARGE),
        (b"\x3f\xe2\x1f", errors.TABLE_TOO_LARGE),
        (b"\x82\x20", errors.LATE_TABLE_SIZE),
        (b"\x40\x01x\x81\x00", errors.BAD_HUFFMAN),
        (b"\x40\x01x\x82\x1f\xff", errors.BAD_HUFFMAN),
        (b"\x40\x01x\x84\xff\xff\xff\xff", errors.BAD_HUFFMAN),
    ],
    ids=lambda part: part.hex() if isinstance(part, bytes) else "",
)
def test_what_cannot_be_read_is_refused_with_its_reason(block, mistake):
    assert failure(block) == mistake


def test_a_table_may_be_as_large_as_was_agreed_and_no_larger():
    assert read(Decoder(ROOMY), b"\x3f\xe1\x1f\x82") == [(b":method", b"GET")]


def test_a_head_that_unpacks_to_more_than_the_limit_is_refused():
    # Forty bytes of a name and a value count 32 more, each time that they are named.
    block = b"\x40\x14" + b"n" * 20 + b"\x14" + b"v" * 20
    assert len(read(Decoder(72 * 3), block + b"\xbe" * 2)) == 3
    assert failure(block + b"\xbe" * 3, Decoder(72 * 3)) == errors.FIELDS_TOO_LARGE


def test_a_field_larger_than_the_table_empties_it():
    decoder = Decoder(ROOMY)
    read(decoder, b"\x40\x01a\x01b")
    assert read(decoder, b"\xbe") == [(b"a", b"b")]
    large = b"\x40\x01a\x7f" + bytes([(5000 - 127) & 127 | 128, (5000 - 127) >> 7]) + b"x" * 5000
    read(decoder, large)
    assert failure(b"\xbe", decoder) == errors.NO_SUCH_FIELD


# -- writing ---------------------------------------------------------------------------------------


@given(heads=HEADS)
def test_what_is_written_the_library_reads(heads):
    encoder, decoder = Encoder(), hpack.Decoder(max_header_list_size=ROOMY)
    for fields in heads:
        assert list(decoder.decode(encoder.encode(fields), raw=True)) == fields


@given(heads=HEADS, sizes=st.lists(st.lists(st.integers(0, 5000), max_size=3), max_size=12))
def test_the_peer_is_told_of_a_table_that_changes(heads, sizes):
    encoder, decoder = Encoder(), hpack.Decoder(max_header_list_size=ROOMY)
    for fields, changes in zip(heads, sizes, strict=False):
        for size in changes:
            encoder.resize(size)
            decoder.max_allowed_table_size = max(size, 4096)
        assert list(decoder.decode(encoder.encode(fields), raw=True)) == fields


def test_what_was_said_once_costs_a_byte():
    encoder = Encoder()
    fields = [(b":status", b"200"), (b"server", b"canter"), (b"x-own", b"value")]
    encoder.encode(fields)
    assert len(encoder.encode(fields)) == 3


def test_secrets_are_in_no_table_and_marked():
    encoder = Encoder()
    cookie = [(b"set-cookie", b"session=1")]
    assert encoder.encode(cookie) == encoder.encode(cookie)
    (found,) = hpack.Decoder().decode(encoder.encode(cookie), raw=True)
    assert not found.indexable


def test_values_that_hardly_come_twice_push_none_out():
    encoder = Encoder()
    kept = [(b"server", b"canter")]
    encoder.encode(kept)
    for number in range(1000):
        encoder.encode([(b"etag", b"%d" % number), (b"content-length", b"%d" % number)])
    assert len(encoder.encode(kept)) == 1
