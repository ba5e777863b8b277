"""Every case of the corpus, delivered in every way to every build."""

from __future__ import annotations

import pytest

from canter.protocol import faults
from tests.protocol.http1.corpus import ACCEPTED, REJECTED
from tests.protocol.http1.feeding import (
    REQUIRED,
    SUBJECTS,
    assert_next_request_is_untouched,
    assert_reads_alike,
)

# What the engine raises, who knows the time and the load; and the two that only others derive from.
NOT_OF_THE_WIRE = {
    faults.Fault,
    faults.BadRequest,
    faults.RequestTimeout,
    faults.Overloaded,
    faults.RequestExpired,
    faults.StorageFull,
    # Of other formats than HTTP, whose wires are in the folders beside this one.
    faults.BadPacket,
    faults.BadProxyHeader,
    faults.PlainOnTls,
    faults.Untrusted,
}


def names(cases):
    return [case.name for case in cases]


@pytest.mark.parametrize("case", ACCEPTED, ids=names(ACCEPTED))
def test_is_accepted(case):
    events = assert_reads_alike(case.wire, case.setup)
    assert events[-1][0] == "end", events[-1]
    requests = [event[1] for event in events if event[0] == "request"]
    bodies = [event[1] for event in events if event[0] == "body"]
    assert len(requests) == len(case.requests)
    for told, request, body in zip(case.requests, requests, bodies, strict=True):
        expected = dict(told)
        assert body == expected.pop("body", body)
        environ = request["environ"]
        assert not set(expected.pop("absent", [])) & set(environ)
        wanted = expected.pop("environ", {})
        assert {key: environ.get(key) for key in wanted} == wanted
        assert {key: request[key] for key in expected} == expected


@pytest.mark.parametrize("case", ACCEPTED, ids=names(ACCEPTED))
def test_leaves_the_next_request_alone(case):
    if case.follows:
        assert_next_request_is_untouched(case.wire, case.setup)
    else:
        assert_reads_alike(case.wire, case.setup)


@pytest.mark.parametrize("case", REJECTED, ids=names(REJECTED))
def test_is_rejected(case):
    events = assert_reads_alike(case.wire, case.setup)
    if case.fault is faults.Truncated:
        assert events[-1][:2] == ("end", faults.Truncated)
        return
    kind, fault, detail = events[-1]
    assert (kind, fault) == ("fault", case.fault), detail
    assert fault.status == case.status
    assert fault.closes
    assert case.says in detail
    assert detail.isascii()
    assert detail.isprintable()


@pytest.mark.parametrize("case", REJECTED, ids=names(REJECTED))
def test_is_rejected_whatever_follows(case):
    if case.follows:
        assert_next_request_is_untouched(case.wire, case.setup)
    else:
        assert case.fault is faults.Truncated


def test_every_fault_of_the_wire_has_a_case():
    def all_of(fault):
        return {fault}.union(*(all_of(derived) for derived in fault.__subclasses__()))

    assert {case.fault for case in REJECTED} == all_of(faults.Fault) - NOT_OF_THE_WIRE


def test_every_rejection_says_what_it_is_about():
    unsaid = [case.name for case in REJECTED if not case.says or not case.status]
    assert unsaid == [case.name for case in REJECTED if case.fault is faults.Truncated]


def test_the_compiled_build_is_among_the_subjects_where_it_is_required():
    assert "compiled" in SUBJECTS or not REQUIRED
