"""Each harness holds on what is saved and on random inputs, and sees a build that is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canter.worker.files import opening
from fuzz import http1, response, scan, static
from fuzz.inputs import TARGETS
from tests.fuzz.harnesses import HARNESSES, INPUTS, Deaf, Hasty, mutations
from tests.protocol.http1 import feeding

TWO_HOSTS = b"\0\0\0\0GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"
ONE_REQUEST = b"\0\0\3\0GET /H HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture(params=TARGETS)
def target(request):
    return HARNESSES[request.param]


def test_each_harness_states_its_invariant_in_its_first_line(target):
    assert target.invariant.endswith(".")
    assert len(target.invariant.split()) > 8


def test_each_harness_has_inputs_to_begin_with(target):
    assert len(set(INPUTS[target.name])) > 100


def test_the_invariant_holds_on_every_saved_input(target):
    for data in INPUTS[target.name]:
        target.check(data)


def test_the_invariant_holds_on_inputs_too_short_to_say_anything(target):
    for data in (b"", b"\0", b"\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\xff"):
        target.check(data)


@pytest.mark.parametrize("name", TARGETS)
def test_the_invariant_holds_on_random_inputs(name):
    @settings(max_examples=300)
    @given(data=st.one_of(st.binary(max_size=80), mutations(name)))
    def holds(data):
        HARNESSES[name].check(data)

    holds()


def test_a_scanner_that_finds_something_else_is_seen(monkeypatch):
    http1.check(TWO_HOSTS)
    plain = feeding.SUBJECTS["reference"]
    monkeypatch.setitem(feeding.SUBJECTS, "interpreted", plain._replace(scan=Deaf()))
    with pytest.raises(AssertionError, match="interpreted"):
        http1.check(TWO_HOSTS)
    with pytest.raises(AssertionError, match="interpreted"):
        scan.check(b"\0\xff\xff\x0f" + TWO_HOSTS[20:])


def test_a_verdict_that_depends_on_the_cut_is_seen(monkeypatch):
    http1.check(ONE_REQUEST)
    plain = feeding.SUBJECTS["reference"]
    monkeypatch.setitem(feeding.SUBJECTS, "interpreted", plain._replace(scan=Hasty()))
    with pytest.raises(AssertionError, match="interpreted"):
        http1.check(ONE_REQUEST)


def test_an_exception_that_is_no_fault_escapes(monkeypatch):
    plain = feeding.SUBJECTS["reference"]

    def next_request(self, base):
        raise IndexError("out of range")

    Broken = type("Broken", (plain.reader,), {"next_request": next_request})  # noqa: N806
    monkeypatch.setitem(feeding.SUBJECTS, "interpreted", plain._replace(reader=Broken))
    with pytest.raises(IndexError):
        http1.check(ONE_REQUEST)


PLAIN = response.STACKS["interpreted"]


def injecting(self, head, body_length, date_line):
    """Say more than was told."""
    return PLAIN.writer.head(self, head, body_length, date_line + b"X-More: 1\r\n")


def endless(self):
    """Forget the end of a chunked body."""
    return b""


@pytest.mark.parametrize("wrong", [{"head": injecting}, {"end": endless}])
def test_a_writer_that_says_something_else_is_seen(monkeypatch, wrong):
    chunked = response._seed(16, 0, "200 OK", ("X-A", "1"), b"he", b"llo")
    response.check(chunked)
    writer = type("Wrong", (PLAIN.writer,), wrong)
    monkeypatch.setattr(response, "STACKS", {"interpreted": PLAIN._replace(writer=writer)})
    with pytest.raises(AssertionError):
        response.check(chunked)


def test_builds_that_send_differently_are_seen(monkeypatch):
    chunked = response._seed(16, 0, "200 OK", ("X-A", "1"), b"he", b"llo")
    writer = type("Wrong", (PLAIN.writer,), {"end": endless})
    monkeypatch.setattr(
        response, "STACKS", {"interpreted": PLAIN, "compiled": PLAIN._replace(writer=writer)}
    )
    with pytest.raises(AssertionError, match="compiled"):
        response.check(chunked)


def test_a_walk_that_follows_links_is_seen(monkeypatch):
    through_a_link = b"\0up/secret"
    static.check(through_a_link)
    monkeypatch.setattr(opening, "names_below", lambda directory, path: (b"..", b"secret"))
    with pytest.raises(ValueError, match="secret"):
        static.check(through_a_link)
