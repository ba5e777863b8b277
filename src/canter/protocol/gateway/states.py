"""The states of a connection that brings one request, and the one table that moves it."""

from __future__ import annotations

from enum import IntEnum, auto


class Phase(IntEnum):
    """What the next unread byte belongs to."""

    HEAD = auto()
    BODY = auto()
    OVER = auto()
    """The request was read; these formats have no next one."""
    FAILED = auto()


class Event(IntEnum):
    """What was read."""

    HEAD_WITH_BODY = auto()
    HEAD_WITHOUT_BODY = auto()
    BODY_READ = auto()
    FAULT = auto()


TABLE: dict[tuple[Phase, Event], Phase] = {
    (Phase.HEAD, Event.HEAD_WITH_BODY): Phase.BODY,
    (Phase.HEAD, Event.HEAD_WITHOUT_BODY): Phase.OVER,
    (Phase.BODY, Event.BODY_READ): Phase.OVER,
    (Phase.HEAD, Event.FAULT): Phase.FAILED,
    (Phase.BODY, Event.FAULT): Phase.FAILED,
}
