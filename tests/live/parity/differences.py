"""Every difference between the sides that a parity test knows, with its reason.

docs/switching.md has the same tables, and a test compares: nothing differs silently.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tests.live.parity.sides import CANTER, Side

SAME_DEFAULT_IN_OTHER_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "config": "not set means the usual file of the working directory, as Gunicorn's path does",
        "chdir": "not set means the working directory, which is Gunicorn's default",
        "user": "not set means the user who starts it, whose number is Gunicorn's default",
        "group": "not set means the group of who starts it",
        "sendfile": "Gunicorn's None means on",
        "logger_class": "not set means the usual class, by whatever name",
    }
)

DEFAULTS: Mapping[str, str] = MappingProxyType(
    {
        "keepalive": "a server that closes earlier than its load balancer makes it answer 502",
        "access_log_format": "a status alone does not say whether the answer arrived",
        "control_socket": "one path for all servers of a user is a socket that they fight over",
    }
)
"""Changed defaults."""

DIFFERENCES: Mapping[str, str] = MappingProxyType(
    {
        "HUP with a broken configuration": "a broken deploy must not take the site down",
        "HUP sent to a worker": "`pkill -HUP` should reload, not kill",
        "SCRIPT_NAME and another path": "it is a wrong request, not a failure of the server",
        "empty `WEB_CONCURRENCY`": "an unset variable in a start script is no mistake",
        "attribute of an application": "one word less; dotted names are what people try first",
        "umask as text": "that is what is meant",
        "worker classes from elsewhere": "a start command that worked should go on working",
        "application that exits on import": "a start that cannot succeed should end",
        "`gunicorn.socket`": "no other request should pay for it",
        "keep-alive with one thread": "a new connection for every request costs more than it",
        "chunked body": "frameworks read an empty body otherwise",
        "truncated body": "half an upload must not look whole",
        "refused requests in the log": "an operator cannot mend what is not seen",
        "size of a failed request in the access log": "the answer was sent",
        "repeated Cookie fields": "a comma is no separator between cookies (RFC 6265)",
        "case in `secure_scheme_headers`": "field names have no case",
        "`start_response` never called": "PEP 3333",
        "`SystemExit` in a request, with threads": "one request must not end its neighbours",
        "request over its `--timeout`": "the front and the log should say what it was",
        "SERVER_SOFTWARE": "each server says its own name",
        "unknown names in a file": "a slip in a name is a setting that silently does not hold",
    }
)
"""What differs on purpose, or does not yet agree."""


def differs(side: Side, subject: str) -> bool:
    """Whether this side is canter, whose behaviour in `subject` is another by intent."""
    assert subject in DIFFERENCES, f"{subject} is not in the table"
    return side is CANTER
