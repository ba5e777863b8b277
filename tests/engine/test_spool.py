"""Where bodies are kept: in memory, then on a disk that may be full."""

from __future__ import annotations

import io
import os
import resource
import socket
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.engine.spool import Budget, Spool
from tests.engine.serving import descriptors


def make(
    memory_bytes: int, directory: Path | None = None, total: int = 1000, length: int = -1
) -> Spool:
    return Spool(memory_bytes, None if directory is None else str(directory), Budget(total), length)


@given(
    pieces=st.lists(st.binary(max_size=40), max_size=10),
    memory_bytes=st.integers(0, 100),
    total=st.integers(0, 100),
    length=st.integers(-1, 200) | st.none(),
)
def test_a_body_comes_back_as_it_was_written(pieces, memory_bytes, total, length):
    """Whether its length was known, unknown or a lie."""
    whole = b"".join(pieces)
    budget = Budget(total)
    spool = Spool(memory_bytes, None, budget, len(whole) if length is None else length)
    for piece in pieces:
        spool.write(piece)
    with spool.open() as body:
        assert body.read() == whole
        assert body.seek(0) == 0
        assert body.read(3) == whole[:3]
    assert spool.size == len(whole)
    spool.close()
    assert budget.take(total), "something was not given back"


@given(st.binary(min_size=1, max_size=300), st.integers(0, 300), st.integers(1, 100))
def test_what_is_read_straight_from_a_socket_is_the_body(body, written, pieces):
    near, far = socket.socketpair()
    with near, far:
        far.setblocking(False)
        spool = make(300, length=len(body))
        spool.write(body[:written])
        for start in range(written, len(body), pieces):
            near.sendall(body[start : start + pieces])
            if start % 2:
                assert spool.fill(far.fileno()) > 0
        while spool.left:
            assert spool.fill(far.fileno()) > 0
        near.sendall(b"next")
        assert spool.open().read() == body
        assert far.recv(100) == b"next", "it took what is not the body's"
        spool.close()


def test_what_stands_behind_a_body_is_told_by_its_first_byte():
    near, far = socket.socketpair()
    with near, far:
        far.setblocking(False)
        near.sendall(b"body and more")
        spool = make(300, length=4)
        assert spool.fill(far.fileno()) == 5
        assert (spool.size, spool.left) == (4, 0)
        assert spool.behind() == b" "
        assert spool.open().read() == b"body"
        assert far.recv(100) == b"and more"
        spool.close()


def test_a_socket_without_news_fills_nothing():
    near, far = socket.socketpair()
    with near, far:
        far.setblocking(False)
        spool = make(300, length=10)
        assert spool.fill(far.fileno()) == -1
        near.close()
        assert spool.fill(far.fileno()) == 0
        assert spool.left == 10
        spool.close()


def test_what_the_bodies_of_a_worker_have_together_is_limited(tmp_path):
    budget = Budget(25)
    first = Spool(10, str(tmp_path), budget, 10)
    second = Spool(10, str(tmp_path), budget)
    for _ in range(10):
        second.write(b"x")
    third = Spool(10, str(tmp_path), budget, 10)
    third.write(b"x" * 10)
    assert len(files_in(tmp_path)) == 1, "there was memory for two"
    first.close()
    fourth = Spool(10, str(tmp_path), budget, 10)
    fourth.write(b"x" * 10)
    assert len(files_in(tmp_path)) == 1, "what was given back can be had again"
    for spool in (second, third, fourth):
        spool.close()


def test_a_body_that_the_application_still_looks_at_is_given_up_quietly():
    spool = make(10, length=4)
    spool.write(b"body")
    body = spool.open()
    assert isinstance(body, io.BytesIO)
    seen = body.getbuffer()
    spool.close()
    assert bytes(seen) == b"body"


ROOMY = 100_000
"""Bytes of a body whose memory is kept for another one."""


def spooled(budget: Budget, body: bytes, length: int | None = None) -> Spool:
    spool = Spool(ROOMY, None, budget, len(body) if length is None else length)
    spool.write(body)
    return spool


@given(st.lists(st.tuples(st.integers(1, ROOMY), st.booleans(), st.booleans()), max_size=12))
def test_what_the_application_keeps_of_a_body_stays_what_it_was(requests):
    """Memory serves one body after the other, but none that is still in somebody's hands."""
    budget = Budget(4 * ROOMY)
    kept = []
    for number, (size, keeps, at_once) in enumerate(requests):
        body = bytes([65 + number]) * size
        spool = spooled(budget, body)
        file = spool.open()
        assert isinstance(file, io.BytesIO)
        seen = file.read() if at_once else file.getvalue()
        assert seen == body
        assert hash(seen) == hash(body), "a hash of bytes that were there before"
        if keeps:
            kept.append((seen, body))
        del seen
        spool.close()
        assert file.closed
    for seen, body in kept:
        assert seen == body
    assert budget.take(4 * ROOMY), "something was not given back"


def test_a_view_of_a_body_stays_what_it_was():
    budget = Budget(10 * ROOMY)
    spool = spooled(budget, b"a" * ROOMY)
    file = spool.open()
    assert isinstance(file, io.BytesIO)
    views = [memoryview(file.read()), file.getbuffer()]
    spool.close()
    spooled(budget, b"b" * ROOMY).close()
    assert all(bytes(view) == b"a" * ROOMY for view in views)


def test_what_an_application_writes_to_its_body_is_not_in_the_next_one():
    budget = Budget(10 * ROOMY)
    for _ in range(2):
        spool = spooled(budget, b"a" * ROOMY)
        file = spool.open()
        assert file.read(3) == b"aaa"
        file.write(b"bbb")
        spool.close()


def test_memory_that_is_kept_makes_room_for_bodies_it_does_not_fit():
    budget = Budget(2 * ROOMY)
    first, second = spooled(budget, b"a" * ROOMY), spooled(budget, b"a" * ROOMY)
    for spool in (first, second):
        spool.open()
        spool.close()
    small = [Spool(ROOMY, None, budget, 100) for _ in range(20)]
    assert all(spool.left == 100 for spool in small), "one was sent to the disk"


def test_memory_that_nobody_wants_for_some_time_is_let_go():
    budget = Budget(4 * ROOMY)
    tracemalloc.start()
    try:
        for spool in [spooled(budget, b"a" * ROOMY) for _ in range(4)]:
            spool.close()
        for second in (1, 2, 3):
            spooled(budget, b"a" * ROOMY).close()
            budget.tidy(second * 1_000_000_000)
        assert tracemalloc.get_traced_memory()[0] < 2 * ROOMY, "more than the one that is used"
        for second in (4, 5):
            budget.tidy(second * 1_000_000_000)
        assert tracemalloc.get_traced_memory()[0] < ROOMY
    finally:
        tracemalloc.stop()


def files_in(folder) -> list[str]:
    return [entry for entry in descriptors() if str(folder) in entry]


def test_a_small_body_touches_no_disk(tmp_path):
    spool = make(10, tmp_path)
    spool.write(b"x" * 10)
    spool.open().close()
    spool.close()
    assert not files_in(tmp_path)


def test_a_larger_one_goes_into_an_unnamed_file_in_the_folder(tmp_path):
    spool = make(10, tmp_path)
    spool.write(b"x" * 10)
    spool.write(b"y")
    assert len(files_in(tmp_path)) == 1
    assert os.listdir(tmp_path) == []
    with spool.open() as body:
        assert body.read() == b"x" * 10 + b"y"
    assert not files_in(tmp_path)


def test_a_body_that_is_given_up_leaves_nothing_open(tmp_path):
    spool = make(0, tmp_path)
    spool.write(b"x")
    spool.close()
    assert not files_in(tmp_path)
    spool.close()


def test_a_folder_that_is_not_there_is_an_error_of_writing(tmp_path):
    spool = make(0, tmp_path / "missing")
    with pytest.raises(OSError, match="missing"):
        spool.write(b"x")
    spool.close()


FULL_DISK = """
import resource, sys
from canter.engine.spool import Budget, Spool
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
spool = Spool(100, sys.argv[1], Budget())
failed = False
try:
    for _ in range(400):
        spool.write(b"x" * int(sys.argv[2]))
    spool.open()
except OSError as error:
    failed = True
assert failed, "a full disk was not noticed"
spool.close()
spool.close()
import os
assert not [fd for fd in os.listdir("/proc/self/fd") if sys.argv[1] in
            os.path.realpath(f"/proc/self/fd/{fd}")], "a file was left open"
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print("done")
"""


@pytest.mark.parametrize("piece_bytes", [150, 1000, 9000, 300_000])
def test_a_full_disk_is_an_error_of_writing_and_never_of_giving_up(tmp_path, piece_bytes):
    """A file-size limit stands for the full disk: the same error at the same place."""
    assert resource.RLIMIT_FSIZE
    ended = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), str(piece_bytes)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    assert ended.stdout == "done\n", ended.stderr
