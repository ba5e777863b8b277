"""Which requests are answered with a file, and by what."""

from __future__ import annotations

import logging
import os
import resource
from contextlib import contextmanager

import pytest

from canter.engine.answers import FileRange
from canter.protocol.request import Request
from canter.worker.files.static import StaticFiles

LOG = logging.getLogger("tests.static")


def request(path: str, method: str = "GET", **fields: str) -> Request:
    made = Request()
    made.method = method
    made.target = path
    made.environ = {"PATH_INFO": path, "REQUEST_METHOD": method}
    made.environ |= {f"HTTP_{name.upper()}": value for name, value in fields.items()}
    return made


def body(answer) -> bytes:
    """All of an answer's content; its descriptors are closed."""
    parts = []
    for part in answer.content:
        if isinstance(part, FileRange):
            parts.append(os.pread(part.descriptor, part.count, part.offset))
            os.close(part.descriptor)
        else:
            parts.append(part)
    return b"".join(parts)


@pytest.fixture
def site(tmp_path):
    for path, content in {
        "pub/site.css": "css",
        "pub/media/a.txt": "pub's media",
        "media/a.txt": "media",
        "root/robots.txt": "robots",
        "root/static/site.css": "never seen",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(content)
    mounts = {
        "/": str(tmp_path / "root"),
        "/static": str(tmp_path / "pub"),
        "/static/media": str(tmp_path / "media"),
        "/é": str(tmp_path / "pub"),
    }
    return StaticFiles(mounts, 60, LOG)


def test_the_longest_prefix_has_the_path(site):
    assert body(site(request("/static/site.css"))) == b"css"
    assert body(site(request("/static/media/a.txt"))) == b"media"
    assert body(site(request("/robots.txt"))) == b"robots"


def test_a_prefix_outside_ascii_is_compared_as_paths_come(site):
    assert body(site(request("/é/site.css".encode().decode("latin-1")))) == b"css"


@pytest.mark.parametrize(
    "path", ["/static", "/static/", "/static/nothing", "/static/../x", "/static/media", "/static//"]
)
def test_below_a_prefix_what_is_not_there_is_404(site, path):
    for method in ("GET", "HEAD"):
        assert site(request(path, method)).status == "404 Not Found"


@pytest.mark.parametrize("path", ["/", "", "/nothing", "/statics", "/.env", "/robots.txt/", "*"])
def test_below_the_root_it_is_the_application_s(site, path):
    assert site(request(path)) is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get"])
def test_other_methods_are_refused_below_a_prefix_and_passed_on_below_the_root(site, method):
    answer = site(request("/static/site.css", method))
    assert answer.status == "405 Method Not Allowed"
    assert ("Allow", "GET, HEAD") in answer.fields
    assert site(request("/robots.txt", method)) is None


def test_the_age_is_told_with_the_file_and_not_with_an_error(site):
    answer = site(request("/static/site.css", "HEAD"))
    assert ("Cache-Control", "max-age=60") in answer.fields
    assert answer.length == 3
    body(answer)
    assert "Cache-Control" not in dict(site(request("/static/nothing")).fields)


def open_files() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"range": "bytes=0-0"},
        {"range": "bytes=0-0,2-2"},
        {"range": "bytes=100-"},
        {"if_none_match": "*"},
        {"if_match": '"x"'},
    ],
)
def test_every_answer_leaves_the_descriptors_that_it_names_and_no_other(site, fields):
    before = open_files()
    answer = site(request("/static/site.css", **fields))
    ours = {str(part.descriptor) for part in answer.content if isinstance(part, FileRange)}
    assert len(ours) == sum(isinstance(part, FileRange) for part in answer.content)
    body(answer)
    assert open_files() == before


@contextmanager
def descriptors_used_up(but: int):
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    opened = [os.open("/dev/null", os.O_RDONLY)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, open_files())) + 1, limits[1]))
    try:
        while True:
            opened.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        for _ in range(min(but, len(opened))):
            os.close(opened.pop())
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        for descriptor in opened:
            os.close(descriptor)


@pytest.mark.parametrize("but", [0, 1])
def test_without_descriptors_it_is_503_and_one_line(site, caplog, but):
    before = open_files()
    with descriptors_used_up(but):
        answers = [site(request("/static/site.css", range="bytes=0-0,2-2")) for _ in range(20)]
    assert {answer.status for answer in answers} == {"503 Service Unavailable"}
    assert open_files() == before
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "static: /static/site.css: Too many open files"
    assert len(lines) <= 10
