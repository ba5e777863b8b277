"""Conditional requests: what the validators of a client say to a file (RFC 9110 section 13)."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import formatdate
from functools import lru_cache
from typing import Any

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CENTURY_TURNS_AT = 70
_DAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTH = "|".join(_MONTHS)
_CLOCK = "[0-2][0-9]:[0-5][0-9]:[0-5][0-9]"
# RFC 9110 section 5.6.7: what everybody sends, and two forms of long ago.
_DATE = re.compile(
    rf"{_DAY}, (?P<day1>[0-3][0-9]) (?P<month1>{_MONTH}) (?P<year1>[0-9]{{4}})"
    rf" (?P<clock1>{_CLOCK}) GMT"
    rf"|{_DAY}[a-z]*, (?P<day2>[0-3][0-9])-(?P<month2>{_MONTH})-(?P<year2>[0-9]{{2}})"
    rf" (?P<clock2>{_CLOCK}) GMT"
    rf"|{_DAY} (?P<month3>{_MONTH}) (?P<day3>[ 0-3][0-9])"
    rf" (?P<clock3>{_CLOCK}) (?P<year3>[0-9]{{4}})"
).fullmatch
_LATEST_SECONDS = 253402300799  # the last one of the year 9999


class Verdict(enum.Enum):
    """What becomes of a conditional request."""

    GO_ON = "as if there were no condition"
    NOT_MODIFIED = "304"
    FAILED = "412"


def judge(environ: Mapping[str, Any], tag: str, modified_seconds: int) -> Verdict:
    """What the conditions of a GET or HEAD say, in the order of RFC 9110 section 13.2.2.

    tag: the file's strong entity tag. modified_seconds: since the epoch. A condition that cannot be
    read is as if it were not there, but for If-Match, which then matches nothing.
    """
    if_match = environ.get("HTTP_IF_MATCH")
    if if_match is not None:
        if if_match.strip() != "*" and tag not in _TAG.findall(if_match):
            return Verdict.FAILED
    else:
        since = parse_date(environ.get("HTTP_IF_UNMODIFIED_SINCE"))
        if since is not None and modified_seconds > since:
            return Verdict.FAILED
    if_none_match = environ.get("HTTP_IF_NONE_MATCH")
    if if_none_match is not None:
        # The weak comparison: a proxy that compresses makes weak tags of ours.
        tags = [found.removeprefix("W/") for found in _TAG.findall(if_none_match)]
        if if_none_match.strip() == "*" or tag in tags:
            return Verdict.NOT_MODIFIED
    else:
        since = parse_date(environ.get("HTTP_IF_MODIFIED_SINCE"))
        if since is not None and modified_seconds <= since:
            return Verdict.NOT_MODIFIED
    return Verdict.GO_ON


def range_applies(
    environ: Mapping[str, Any], tag: str, modified_seconds: int, now_seconds: int
) -> bool:
    """Whether a Range is to be looked at: If-Range, where there is one, means this very file.

    A date is a strong validator only once its second is over (RFC 9110 section 8.8.2.2).
    """
    if_range = environ.get("HTTP_IF_RANGE")
    if if_range is None:
        return True
    if_range = if_range.strip()
    if if_range.endswith('"'):
        return bool(if_range == tag)
    return parse_date(if_range) == modified_seconds and modified_seconds < now_seconds


def parse_date(text: str | None) -> int | None:
    """Seconds since the epoch of a date in one of HTTP's three forms; None for what is none."""
    found = _DATE(text) if text else None
    if found is None:
        return None
    told = {name.rstrip("123"): value for name, value in found.groupdict().items() if value}
    year = int(told["year"])
    if len(told["year"]) == 2:
        year += 1900 if year >= _CENTURY_TURNS_AT else 2000
    hour, minute, second = map(int, told["clock"].split(":"))
    try:
        month = _MONTHS.index(told["month"]) + 1
        day = int(told["day"])
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:  # no such day, hour, minute or second
        return None
    return int(moment.timestamp())


@lru_cache(maxsize=1024)
def format_date(seconds: int) -> str:
    """A time as HTTP writes it; one that it cannot write becomes the nearest one that it can."""
    return formatdate(min(max(seconds, 0), _LATEST_SECONDS), usegmt=True)
