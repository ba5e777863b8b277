"""Answers that the server gives by itself, without the application.

A responder is asked about every complete request before it waits for an application thread, in the
order of `EngineConfig.responders`. It answers at once or not at all: the loop calls it, so whatever
it waits for, every client waits for. Values only; the engine does the sending.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from canter.protocol.request import Request


@dataclass(frozen=True, slots=True)
class FileRange:
    """A stretch of an open file; whoever gets the answer owns the descriptor and closes it."""

    descriptor: int
    offset: int
    count: int


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response. The length is declared, and a HEAD gets no body: not its maker's business.

    status: "200 OK". fields: (name, value) pairs. content: the body, in order.
    """

    status: str
    fields: tuple[tuple[str, str], ...] = ()
    content: tuple[bytes | FileRange, ...] = ()

    @property
    def length(self) -> int:
        """Bytes of the body."""
        return sum(
            part.count if isinstance(part, FileRange) else len(part) for part in self.content
        )


Responder: TypeAlias = Callable[[Request], Answer | None]
"""The answer to a request, or None: it is for the next responder, and at last the application.

The environ is not complete yet, but has REMOTE_ADDR. A responder that raises has no answer.
"""
