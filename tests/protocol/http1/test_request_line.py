"""Methods and versions, judged by themselves."""

from __future__ import annotations

import pytest

from canter.protocol.faults import BadRequestLine, UnsupportedVersion
from canter.protocol.http1.request_line import judge_method, judge_version
from canter.protocol.limits import Leniency

STRICT = Leniency()
ANY_METHOD = Leniency(permit_unconventional_http_method=True)
ANY_VERSION = Leniency(permit_unconventional_http_version=True)


@pytest.mark.parametrize("method", ["GET", "M-SEARCH", "A.B", "X_Y", "A" * 20])
def test_conventional_methods_pass_as_they_are(method):
    assert judge_method(method, STRICT) == method


@pytest.mark.parametrize("method", ["get", "Get", "GE#T", "GO", "X", "A" * 21])
def test_unconventional_methods_are_refused_unless_permitted(method):
    with pytest.raises(BadRequestLine):
        judge_method(method, STRICT)
    assert judge_method(method, ANY_METHOD) == method


def test_changing_the_case_does_not_permit_a_method():
    with pytest.raises(BadRequestLine):
        judge_method("get", Leniency(casefold_http_method=True))


@pytest.mark.parametrize(
    ("version", "rules"),
    [("HTTP/1.0", "HTTP/1.0"), ("HTTP/1.1", "HTTP/1.1"), ("HTTP/1.2", "HTTP/1.1")],
)
def test_versions_of_one_major_are_read_by_the_rules_that_are_known(version, rules):
    assert judge_version(version, STRICT) == rules


@pytest.mark.parametrize(
    ("version", "rules"),
    [("HTTP/0.9", "HTTP/1.0"), ("HTTP/2.0", "HTTP/1.1"), ("HTTP/9.9", "HTTP/1.1")],
)
def test_other_major_versions_are_refused_unless_permitted(version, rules):
    with pytest.raises(UnsupportedVersion):
        judge_version(version, STRICT)
    assert judge_version(version, ANY_VERSION) == rules
