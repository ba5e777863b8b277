"""What a request for a file gets, all together."""

from __future__ import annotations

import email

import pytest

from canter.protocol.files.reply import FileFacts, reply_to

NOW = 1_700_000_000
CONTENT = bytes(range(100))
FACTS = FileFacts(100, 1_600_000_000_123_456_789, "text/css; charset=utf-8")


def reply(facts=FACTS, method="GET", now=NOW, extra=(), **fields):
    environ = {f"HTTP_{name.upper()}": value for name, value in fields.items()}
    return reply_to({"REQUEST_METHOD": method, **environ}, facts, now, lambda: "BOUNDARY", extra)


def body(found):
    parts = (p if isinstance(p, bytes) else CONTENT[p.offset :][: p.length] for p in found.parts)
    return b"".join(parts)


def test_the_whole_file_with_its_validators():
    found = reply(extra=(("Cache-Control", "max-age=60"),))
    assert found.status == "200 OK"
    assert dict(found.fields) == {
        "Content-Type": "text/css; charset=utf-8",
        "ETag": '"16345785d8a0c000-64"'.replace("16345785d8a0c000", f"{FACTS.modified_ns:x}"),
        "Last-Modified": "Sun, 13 Sep 2020 12:26:40 GMT",
        "Cache-Control": "max-age=60",
        "Accept-Ranges": "bytes",
    }
    assert body(found) == CONTENT
    assert found.length == 100


def test_a_variant_has_a_tag_of_its_own_and_caches_are_told():
    packed = FileFacts(100, FACTS.modified_ns, FACTS.media_type, "br", varies=True)
    fields = dict(reply(packed).fields)
    assert (fields["Content-Encoding"], fields["Vary"]) == ("br", "Accept-Encoding")
    assert fields["ETag"] != FACTS.tag


def test_not_modified_says_what_a_cache_needs_and_no_more():
    extra = (("Cache-Control", "max-age=60"),)
    varied = FileFacts(100, FACTS.modified_ns, FACTS.media_type, varies=True)
    found = reply(varied, extra=extra, if_none_match=FACTS.tag)
    assert (found.status, found.parts) == ("304 Not Modified", ())
    assert set(dict(found.fields)) == {"ETag", "Last-Modified", "Cache-Control", "Vary"}


def test_one_range():
    found = reply(range="bytes=10-19")
    assert found.status == "206 Partial Content"
    assert dict(found.fields)["Content-Range"] == "bytes 10-19/100"
    assert body(found) == CONTENT[10:20]


def test_several_ranges_are_parts_of_a_message():
    found = reply(range="bytes=0-4,-5,50-50")
    assert found.status == "206 Partial Content"
    fields = dict(found.fields)
    assert "Content-Range" not in fields
    assert found.length == len(body(found))
    head = f"Content-Type: {fields['Content-Type']}\r\n\r\n".encode()
    parts = list(email.message_from_bytes(head + body(found)).walk())[1:]
    assert [part["Content-Range"] for part in parts] == [
        "bytes 0-4/100",
        "bytes 95-99/100",
        "bytes 50-50/100",
    ]
    assert {part.get_content_type() for part in parts} == {"text/css"}
    for part in (CONTENT[:5], CONTENT[95:], CONTENT[50:51]):
        assert b"/100\r\n\r\n" + part + b"\r\n--BOUNDARY" in body(found)
    assert body(found).endswith(b"\r\n--BOUNDARY--\r\n")


def test_a_range_outside_is_told_the_size():
    found = reply(range="bytes=100-")
    assert found.status == "416 Range Not Satisfiable"
    assert dict(found.fields)["Content-Range"] == "bytes */100"


def test_a_condition_goes_before_a_range():
    assert reply(range="bytes=0-1", if_none_match=FACTS.tag).status[:3] == "304"
    assert reply(range="bytes=0-1", if_match='"x"').status[:3] == "412"
    assert reply(range="bytes=0-1", if_range=FACTS.tag).status[:3] == "206"
    assert reply(range="bytes=0-1", if_range='"x"').status[:3] == "200"


@pytest.mark.parametrize("asked", ["bytes=0-4", "bytes=100-"])
def test_head_takes_no_notice_of_a_range(asked):
    found = reply(method="HEAD", range=asked)
    assert (found.status, found.length) == ("200 OK", 100)


def test_a_time_to_come_is_not_told():
    fields = dict(reply(FileFacts(1, (NOW + 1000) * 10**9, "a/b")).fields)
    assert fields["Last-Modified"] == "Tue, 14 Nov 2023 22:13:20 GMT"


def test_every_change_has_a_tag_of_its_own():
    others = [
        FileFacts(101, FACTS.modified_ns, "a/b"),
        FileFacts(100, FACTS.modified_ns + 1, "a/b"),
        FileFacts(100, -1, "a/b"),
    ]
    assert len({FACTS.tag, *(facts.tag for facts in others)}) == 4


def test_an_empty_file_is_an_answer():
    found = reply(FileFacts(0, FACTS.modified_ns, "a/b"), range="bytes=0-")
    assert (found.status, found.parts) == ("200 OK", ())
