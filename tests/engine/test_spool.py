"""Where bodies are kept: in memory, then on a disk that may be full."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canter.engine.spool import Spool
from tests.engine.serving import descriptors


@given(st.lists(st.binary(max_size=40), max_size=10), st.integers(0, 100))
def test_a_body_comes_back_as_it_was_written(pieces, memory_bytes):
    spool = Spool(memory_bytes, None)
    for piece in pieces:
        spool.write(piece)
    with spool.open() as body:
        assert body.read() == b"".join(pieces)
        assert body.seek(0) == 0
        assert body.read(3) == b"".join(pieces)[:3]
    assert spool.size == sum(map(len, pieces))


def files_in(folder) -> list[str]:
    return [entry for entry in descriptors() if str(folder) in entry]


def test_a_small_body_touches_no_disk(tmp_path):
    spool = Spool(10, str(tmp_path))
    spool.write(b"x" * 10)
    spool.open().close()
    spool.close()
    assert not files_in(tmp_path)


def test_a_larger_one_goes_into_an_unnamed_file_in_the_folder(tmp_path):
    spool = Spool(10, str(tmp_path))
    spool.write(b"x" * 10)
    spool.write(b"y")
    assert len(files_in(tmp_path)) == 1
    assert os.listdir(tmp_path) == []
    with spool.open() as body:
        assert body.read() == b"x" * 10 + b"y"
    assert not files_in(tmp_path)


def test_a_body_that_is_given_up_leaves_nothing_open(tmp_path):
    spool = Spool(0, str(tmp_path))
    spool.write(b"x")
    spool.close()
    assert not files_in(tmp_path)
    spool.close()


def test_a_folder_that_is_not_there_is_an_error_of_writing(tmp_path):
    spool = Spool(0, str(tmp_path / "missing"))
    with pytest.raises(OSError, match="missing"):
        spool.write(b"x")
    spool.close()


FULL_DISK = """
import resource, sys
from canter.engine.spool import Spool
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
spool = Spool(100, sys.argv[1])
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
