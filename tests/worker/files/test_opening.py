"""Nothing but a regular file below the directory is ever opened."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from canter.protocol.files.paths import file_names
from canter.worker.files.opening import open_below


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    """A directory `pub` with all kinds of things in it, and secrets around it."""
    base = tmp_path_factory.mktemp("tree")
    pub = base / "pub"
    (pub / "css" / "deep").mkdir(parents=True)
    (pub / ".git").mkdir()
    (base / "publicity").mkdir()
    for secret in ("secret", "publicity/secret", "pub/.git/secret", "pub/.env"):
        (base / secret).write_text("secret")
    for name in ("a.css", "css/a.css", "css/deep/a.css", "a.css.gz", "a.css.br"):
        (pub / name).write_text(name)
    links = {
        "inside.css": "css/a.css",
        "absolute.css": str(pub / "css" / "a.css"),
        "styles": "css",
        "chain.css": "inside.css",
        "up": "..",
        "self": ".",
        "out": str(base),
        "secret": "../secret",
        "hidden": ".env",
        "git": ".git",
        "root": "/",
        "loop": "loop",
        "gone": "nothing",
        "beside": "../publicity",
    }
    for name, target in links.items():
        (pub / name).symlink_to(target)
    os.mkfifo(pub / "fifo")
    with socket.socket(socket.AF_UNIX) as sock:
        here = Path.cwd()
        os.chdir(pub)
        sock.bind("socket")
        os.chdir(here)
    (base / "current").symlink_to("pub")
    return base


def read(directory: Path, path: str, codings=()) -> str | None:
    """What is opened for a path, or None; nothing stays open."""
    names = file_names(path.encode())
    if names is None:
        return None
    found = open_below(os.fsencode(directory), names, codings)
    if found is None:
        return None
    content = os.pread(found.descriptor, 1000, 0)
    os.close(found.descriptor)
    assert found.size == len(content)
    return content.decode()


@pytest.mark.parametrize("root", ["pub", "current"])
@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.css", "a.css"),
        ("css/deep/a.css", "css/deep/a.css"),
        ("inside.css", "css/a.css"),
        ("absolute.css", "css/a.css"),
        ("chain.css", "css/a.css"),
        ("styles/deep/a.css", "css/deep/a.css"),
        ("self/self/styles/a.css", "css/a.css"),
        # A way that leads out and in again ends in the directory.
        ("up/pub/a.css", "a.css"),
    ],
)
def test_files_and_links_that_stay_inside_are_opened(tree, root, path, content):
    assert read(tree / root, path) == content


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "css",
        "a.css/b",
        "secret",
        "up/secret",
        "out/secret",
        "root/etc/passwd",
        "beside/secret",
        "hidden",
        "git/secret",
        "loop",
        "gone",
        "fifo",
        "socket",
        "up",
        "x" * 255,
    ],
)
def test_anything_else_is_not_there(tree, path):
    assert read(tree / "pub", path) is None


def test_a_directory_that_is_gone_has_no_files(tree):
    assert read(tree / "nothing", "a.css") is None


def test_a_device_is_not_opened():
    assert read(Path("/dev"), "null") is None


def test_the_first_variant_that_is_there_is_opened(tree):
    assert read(tree / "pub", "a.css", ("zstd", "br", "gzip")) == "a.css.br"
    assert read(tree / "pub", "a.css", ("gzip",)) == "a.css.gz"
    assert read(tree / "pub", "css/a.css", ("br", "gzip")) == "css/a.css"
    assert read(tree / "pub", "nothing.css", ("br",)) is None


@pytest.fixture
def nobody():
    """This process without root's rights, where it has them."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_file_without_rights_is_an_error(tmp_path, nobody):
    path = tmp_path / "a"
    if os.access(tmp_path, os.W_OK, effective_ids=True):
        path.write_text("a")
        path.chmod(0)
    with pytest.raises(PermissionError):
        read(tmp_path, "a")


PIECES = [
    "a.css", "css", "deep", "up", "out", "root", "self", "secret", "pub", "beside", "hidden", "git",
    "..", ".", "", ".git", "etc", "passwd", "publicity", "current", "loop", "fifo", "\\", "%2e%2e",
]  # fmt: skip


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map("/".join))
@example(path="up/publicity/secret")
@example(path="out/pub/../secret")
def test_no_path_leads_out(tree, path):
    assert read(tree / "pub", path) != "secret"
    assert "root:" not in (read(tree / "pub", path) or "")


def test_who_changes_links_meanwhile_gets_nothing_out(tree, tmp_path):
    """A folder that is now a folder, now a link to one outside, never shows what is there."""
    pub = tmp_path / "pub"
    pub.mkdir()
    (pub / "real").mkdir()
    (pub / "real" / "secret").write_text("public")
    (pub / "real" / "new").symlink_to(tree)
    (pub / "door").symlink_to("real")
    stop = threading.Event()

    def turn():
        while not stop.is_set():
            for target in (tree, "real"):
                (pub / "next").symlink_to(target)
                os.replace(pub / "next", pub / "door")

    turning = threading.Thread(target=turn)
    turning.start()
    try:
        seen = {read(pub, "door/secret") for _ in range(1000)}
    finally:
        stop.set()
        turning.join()
    assert seen <= {"public", None}
