"""Where bodies are kept: in memory, then on a disk that may be full."""

from __future__ import annotations

import io
import os
import resource
import socket
import subprocess
import sys
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
