"""What is raised in an application's call that takes too long."""

from __future__ import annotations


class RequestTimeout(BaseException):
    """The request has run for longer than `--soft-timeout`. Raised by the server in its thread.

    An application may catch it, clean up, and answer in its own way; what does not catch it is
    answered 504. It is raised once for a request. A BaseException, as SystemExit is: a handler for
    every error, or a loop that tries again, does not take it for one of its own.
    """
