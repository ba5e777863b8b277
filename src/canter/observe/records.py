"""Requests as they lie on the scoreboard: a fixed number of machine words for each.

A record has the moment the call began, how long it took (0 while it goes on), its facts in one word
(length of the line, status, outcome), and the start of the request line. `ThreadSlot` in
`canter.observe.scoreboard` writes those of a thread, `NotedRequests` those worth a second look.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from canter.observe.outcomes import Outcome

WORD_BYTES: Final = 8
RECORD_WORDS: Final = 17
BEGAN: Final = 0
TOOK: Final = 1
FACTS: Final = 2
TEXT: Final = 3
"""Where a record's parts lie, in words."""
LINE_BYTES: Final = (RECORD_WORDS - TEXT) * WORD_BYTES
STATUS_SHIFT: Final = 16
_OUTCOME_SHIFT = 32

_OUTCOMES = tuple(Outcome)
_NOTED = 16
NOTED_WORDS: Final = _NOTED * RECORD_WORDS


class PastRequest(NamedTuple):
    """A call of the application that is over, or (took_ns 0) was never finished.

    Times are `time.monotonic_ns()`; `status` is 0 where nothing was sent.
    """

    began_ns: int
    took_ns: int
    status: int
    outcome: Outcome
    line: str


class NotedRequests:
    """The last requests of a worker that failed or were slow.

    Noted by any of its threads under the GIL. In the interpreted build two that end in the same
    instant may be noted as one.
    """

    __slots__ = ("_next", "_text", "_words")

    def __init__(self, words: memoryview, text: memoryview) -> None:
        self._words = words
        self._text = text
        self._next = 0

    def note(self, began_ns: int, took_ns: int, status: int, outcome: Outcome, line: bytes) -> None:
        """Keep this one; the oldest is forgotten for it."""
        at = self._next * RECORD_WORDS
        self._next = (self._next + 1) % _NOTED
        line = line[:LINE_BYTES]
        words = self._words
        # Whoever reads meanwhile sees that the record is being changed.
        words[at + BEGAN] = 0
        first = (at + TEXT) * WORD_BYTES
        self._text[first : first + len(line)] = line
        facts = len(line) | status << STATUS_SHIFT | _OUTCOMES.index(outcome) << _OUTCOME_SHIFT
        words[at + FACTS] = facts
        words[at + TOOK] = max(took_ns, 1)
        words[at + BEGAN] = began_ns

    def all(self) -> list[PastRequest]:
        """Those that are kept, in the order in which they ended."""
        found = []
        for at in range(0, NOTED_WORDS, RECORD_WORDS):
            record = read_record(self._words, self._text, at)
            if record is not None:
                found.append(record)
        return sorted(found, key=lambda it: it.began_ns + it.took_ns)


def read_record(words: memoryview, text: memoryview, at: int) -> PastRequest | None:
    """The record at word `at`; None where there is none, or where it changes just now."""
    began_ns = int(words[at + BEGAN])
    if not began_ns:
        return None
    facts = int(words[at + FACTS])
    first = (at + TEXT) * WORD_BYTES
    line = bytes(text[first : first + min(facts & 0xFFFF, LINE_BYTES)])
    outcome = _OUTCOMES[facts >> _OUTCOME_SHIFT & 0xFF]
    status = facts >> STATUS_SHIFT & 0xFFFF
    found = PastRequest(began_ns, int(words[at + TOOK]), status, outcome, shown(line))
    return found if words[at + BEGAN] == began_ns else None


def shown(line: bytes) -> str:
    """A request line for people: bytes outside printable ASCII are escaped."""
    text = line.decode("latin-1")
    return "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in text)


def without_query(line: str) -> str:
    """A request line's method and path."""
    return " ".join(line.partition("?")[0].split(" ")[:2])
