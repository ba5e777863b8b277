"""What health checks are answered."""

from __future__ import annotations

import pytest

from canter.protocol.request import Request
from canter.worker.health import Health


def request(path: str, method: str = "GET") -> Request:
    made = Request()
    made.method = method
    made.environ = {"PATH_INFO": path}
    return made


def statuses(prefix: str, paths: list[str], *, ready: bool = True) -> list[int | None]:
    health = Health(prefix, lambda: ready)
    answers = [health(request(path)) for path in paths]
    return [None if answer is None else int(answer.status[:3]) for answer in answers]


PATHS = ["/health/livez", "/health/readyz", "/health/startupz", "/health"]


def test_all_checks_are_well_while_the_service_stays():
    assert statuses("/health", PATHS) == [200, 200, 200, 200]
    assert statuses("/health/", PATHS) == [200, 200, 200, 200]


def test_only_readiness_says_that_the_service_leaves():
    assert statuses("/health", PATHS, ready=False) == [200, 503, 200, 503]


def test_other_paths_are_the_application_s():
    paths = ["/", "/health/", "/healthy", "/health/other", "/livez", "/x/health/livez"]
    assert statuses("/health", paths) == [None] * 6


def test_the_checks_may_be_at_the_top():
    paths = ["/livez", "/readyz", "/startupz", "/"]
    assert statuses("/", paths) == [200, 200, 200, None]


@pytest.mark.parametrize("method", ["POST", "DELETE", "OPTIONS"])
def test_a_check_only_reads(method):
    answer = Health("/health", lambda: True)(request("/health/livez", method))
    assert answer is not None
    assert answer.status.startswith("405")
    assert ("Allow", "GET, HEAD") in answer.fields


def test_no_answer_may_be_kept_on_the_way():
    answer = Health("/health", lambda: True)(request("/health"))
    assert answer is not None
    assert ("Cache-Control", "no-store") in answer.fields
