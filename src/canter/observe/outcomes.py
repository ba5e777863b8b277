"""How a request ended: the word that every access-log line closes with.

A status alone does not tell an operator what happened: a 200 may have been cut half-way, a 500 may
be the application's own page or an exception. Each request ends in exactly one of these.
"""

from __future__ import annotations

from enum import Enum, unique


@unique
class Outcome(Enum):
    """The end of one request; the value is the word in the log."""

    OK = "ok"
    """The application answered and all of its answer went out, whatever its status."""

    ABORTED = "aborted"
    """The client was gone before the answer, or the rest of it, could be sent."""

    TIMEOUT = "timeout"
    """Its time was over: the head or body came too slowly, the client took the answer too slowly,
    or the application ran longer than it may."""

    REFUSED = "refused"
    """Understood but not accepted: over a limit, a method, version or expectation not served."""

    MALFORMED = "malformed"
    """Not a request that can be read in one way only; the application was not called."""

    FAILED = "failed"
    """The application raised or broke its contract before the head was sent: 500 was sent."""

    CUT = "cut"
    """The application failed after the head was sent: the connection was cut, so that the client
    can tell that the answer is not whole."""

    SHED = "shed"
    """Answered 503 by the server itself: it could not have been served in time."""

    TAKEN = "taken"
    """The application took the connection over, for WebSocket say, and answered by itself."""
