"""The static table of HPACK (RFC 7541 appendix A)."""

from __future__ import annotations

from canter.protocol.http2.fields import Field, field_of

_ENTRIES = b"""\
:authority=
:method=GET
:method=POST
:path=/
:path=/index.html
:scheme=http
:scheme=https
:status=200
:status=204
:status=206
:status=304
:status=400
:status=404
:status=500
accept-charset=
accept-encoding=gzip, deflate
accept-language=
accept-ranges=
accept=
access-control-allow-origin=
age=
allow=
authorization=
cache-control=
content-disposition=
content-encoding=
content-language=
content-length=
content-location=
content-range=
content-type=
cookie=
date=
etag=
expect=
expires=
from=
host=
if-match=
if-modified-since=
if-none-match=
if-range=
if-unmodified-since=
last-modified=
link=
location=
max-forwards=
proxy-authenticate=
proxy-authorization=
range=
referer=
refresh=
retry-after=
server=
set-cookie=
strict-transport-security=
transfer-encoding=
user-agent=
vary=
via=
www-authenticate="""

#: The entries, the first at 1; (name, value) in bytes.
PAIRS: tuple[tuple[bytes, bytes], ...] = (
    (b"", b""),
    *((name, value) for name, _, value in (line.partition(b"=") for line in _ENTRIES.split(b"\n"))),
)
#: The same, judged.
STATIC: list[Field] = [field_of(name, value) for name, value in PAIRS]
#: The number of the first entry of the dynamic table.
FIRST_DYNAMIC = len(PAIRS)
#: What each entry of a table counts beside its bytes (4.1).
ENTRY_BYTES = 32
#: The size of a table where nothing else was agreed on (RFC 9113 6.5.2).
TABLE_BYTES = 4096
