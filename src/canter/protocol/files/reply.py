"""What a GET or HEAD for a file gets: status, fields, and which stretches of the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from canter.protocol.files.conditions import Verdict, format_date, judge, range_applies
from canter.protocol.files.ranges import Span, wanted_spans

Fields: TypeAlias = tuple[tuple[str, str], ...]

_PLAIN_TEXT = ("Content-Type", "text/plain; charset=utf-8")


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of a file that was opened.

    size: in bytes. modified_ns: since the epoch. media_type: its Content-Type. coding: the content
    coding it is in, "" for none. varies: another client may get another variant of it.
    """

    size: int
    modified_ns: int
    media_type: str
    coding: str = ""
    varies: bool = False

    @property
    def tag(self) -> str:
        """The strong entity tag: another one after every change, the same in every worker."""
        mark = f"-{self.coding}" if self.coding else ""
        return f'"{self.modified_ns & 0xFFFFFFFFFFFFFFFF:x}-{self.size:x}{mark}"'


@dataclass(frozen=True, slots=True)
class Reply:
    """A response. parts: its body in order, bytes as they are and stretches of the file.

    The length is not among the fields: it is that of the parts.
    """

    status: str
    fields: Fields
    parts: tuple[bytes | Span, ...] = ()

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return sum(len(part) if isinstance(part, bytes) else part.length for part in self.parts)


def text_reply(status: str, *fields: tuple[str, str]) -> Reply:
    """A short answer that says its own status."""
    return Reply(status, (_PLAIN_TEXT, *fields), (f"{status}\n".encode(),))


NOT_FOUND = text_reply("404 Not Found")
FORBIDDEN = text_reply("403 Forbidden")
UNAVAILABLE = text_reply("503 Service Unavailable", ("Retry-After", "1"))
WRONG_METHOD = text_reply("405 Method Not Allowed", ("Allow", "GET, HEAD"))


def reply_to(
    environ: Mapping[str, Any],
    facts: FileFacts,
    now_seconds: int,
    make_boundary: Callable[[], str],
    extra: Fields = (),
) -> Reply:
    """The reply to a GET or HEAD for a file with these facts (RFC 9110 sections 13 and 14).

    extra: fields that go with the file, such as Cache-Control. make_boundary: gives what stands
    between several ranges; asked only then.
    """
    modified_seconds = min(facts.modified_ns // 1_000_000_000, now_seconds)
    tag = facts.tag
    validators: Fields = (("ETag", tag), ("Last-Modified", format_date(modified_seconds)), *extra)
    if facts.varies:
        validators += (("Vary", "Accept-Encoding"),)
    verdict = judge(environ, tag, modified_seconds)
    if verdict is Verdict.NOT_MODIFIED:
        return Reply("304 Not Modified", validators)
    if verdict is Verdict.FAILED:
        return text_reply("412 Precondition Failed")
    fields: Fields = (*validators, ("Accept-Ranges", "bytes"))
    if facts.coding:
        fields += (("Content-Encoding", facts.coding),)
    spans = None
    asked = environ.get("HTTP_RANGE") if environ.get("REQUEST_METHOD") == "GET" else None
    if asked is not None and range_applies(environ, tag, modified_seconds, now_seconds):
        spans = wanted_spans(asked, facts.size)
    if spans is None:
        return whole(facts, fields)
    if not spans:
        return text_reply("416 Range Not Satisfiable", ("Content-Range", f"bytes */{facts.size}"))
    status = "206 Partial Content"
    if len(spans) == 1:
        told = ("Content-Range", spans[0].content_range(facts.size))
        return Reply(status, (("Content-Type", facts.media_type), *fields, told), spans)
    boundary = make_boundary()
    kind = ("Content-Type", f"multipart/byteranges; boundary={boundary}")
    return Reply(status, (kind, *fields), _multipart(spans, facts, boundary))


def whole(facts: FileFacts, fields: Fields = (), status: str = "200 OK") -> Reply:
    """All of the file."""
    parts = (Span(0, facts.size),) if facts.size else ()
    return Reply(status, (("Content-Type", facts.media_type), *fields), parts)


def _multipart(
    spans: tuple[Span, ...], facts: FileFacts, boundary: str
) -> tuple[bytes | Span, ...]:
    """The body of multipart/byteranges (RFC 9110 section 14.6)."""
    parts: list[bytes | Span] = []
    before = ""
    for span in spans:
        told = span.content_range(facts.size)
        head = f"{before}--{boundary}\r\nContent-Type: {facts.media_type}\r\n"
        parts += (f"{head}Content-Range: {told}\r\n\r\n".encode("latin-1"), span)
        before = "\r\n"
    return (*parts, f"\r\n--{boundary}--\r\n".encode("latin-1"))
