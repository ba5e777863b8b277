"""Files that an application hands over by X-Sendfile and X-Accel-Redirect."""

from __future__ import annotations

import re
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.live.apps.handing import BODY
from tests.live.fronts.front import running
from tests.live.harness import Server, Start, starting
from tests.live.programs import curl, needs

HANDING = "tests.live.apps.handing"
BIG = bytes(range(256)) * 20_000
SECRET = b"nobody may read this"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    base = tmp_path_factory.mktemp("handed")
    (base / "private" / "deep").mkdir(parents=True)
    (base / "private" / "report.pdf").write_bytes(BIG)
    (base / "private" / "a b%.pdf").write_bytes(BIG[:1000])
    (base / "private" / ".hidden").write_bytes(SECRET)
    (base / "private" / "empty").touch()
    (base / "private" / "leak").symlink_to(base / "secret")
    (base / "secret").write_bytes(SECRET)
    (base / "current").symlink_to("private")
    return base


ENGINES = {
    "threads": (),
    "copied": ("--no-sendfile",),
    "gevent": ("--worker-class", "gevent"),
}


@pytest.fixture(scope="module", params=ENGINES)
def server(request, start_shared: Start, folder: Path):
    if request.param == "gevent":
        pytest.importorskip("gevent")
    root = f"--sendfile-root=/protected={folder}/current"
    started = start_shared(HANDING, *ENGINES[request.param], root)
    yield started
    others = re.sub(r"Traceback.*?RuntimeError", "", started.log(), flags=re.DOTALL)
    assert "Traceback" not in others


def asking(value: object, header: str = "X-Sendfile", **more: str) -> str:
    return "/?" + urlencode({"value": str(value), "header": header, **more})


def get(server: Server, path: str, *fields: str, method: str = "GET"):
    """An answer, which never shows where files are, or what was not sent."""
    answer = server.get(path, *fields, method=method)
    assert not [name for name, _ in answer.headers if name.lower().startswith("x-")]
    assert BODY not in answer.body
    assert SECRET not in answer.body
    return answer


@pytest.mark.parametrize("way", ["list", "generator", "write"])
def test_a_file_replaces_the_body_and_the_head_is_kept(server: Server, folder: Path, way: str):
    for where in (folder / "private", folder / "current"):
        answer = get(server, asking(where / "report.pdf", way=way))
        assert (answer.status, answer.body) == (200, BIG)
        assert answer.header("Content-Type") == "application/pdf"
        assert answer.header("Content-Disposition") == 'attachment; filename="report.pdf"'
        assert [v for n, v in answer.headers if n == "Set-Cookie"] == ["a=1", "b=2"]
        assert answer.header("ETag") != '"of the body"'
        assert answer.header("Content-Length") == str(len(BIG))
    assert get(server, asking(folder / "private/empty", way=way)).body == b""


def test_an_internal_path_is_a_prefix_and_what_is_below(server: Server):
    for value in ("/protected/report.pdf", "/protected/%72eport.pdf?token=1"):
        assert get(server, asking(value, "X-Accel-Redirect")).body == BIG
    quoted = get(server, asking("/protected/a%20b%25.pdf", "x-accel-redirect"))
    assert quoted.body == BIG[:1000]


def test_conditions_and_ranges_are_those_of_the_file(server: Server, folder: Path):
    path = asking(folder / "private/report.pdf", kind="application/x-mine")
    tag = get(server, path).header("ETag")
    assert get(server, path, f"If-None-Match: {tag}").status == 304
    assert get(server, path, 'If-Match: "x"').status == 412
    assert get(server, path, f"Range: bytes={len(BIG)}-").status == 416
    for field, stretch in {
        "0-0": BIG[:1],
        "100-199999": BIG[100:200_000],
        "4000000-": BIG[4_000_000:],
        "-5": BIG[-5:],
    }.items():
        answer = get(server, path, f"Range: bytes={field}")
        assert (answer.status, answer.body) == (206, stretch)
        assert answer.header("Content-Type") == "application/x-mine"
        assert answer.header("Content-Disposition") is not None
    several = get(server, path, "Range: bytes=0-9,300000-500000")
    assert several.status == 206
    assert BIG[300_000:500_001] in several.body
    assert b"Content-Type: application/x-mine\r\n" in several.body
    head = get(server, path, method="HEAD")
    assert (head.header("Content-Length"), head.body) == (str(len(BIG)), b"")
    assert "is shorter than" not in server.log()
    assert "longer than" not in server.log()


def test_another_status_than_200_is_kept_with_the_whole_file(server: Server, folder: Path):
    path = asking(folder / "private/report.pdf", status="404 Not Found")
    answer = get(server, path, "Range: bytes=0-1", "If-None-Match: *")
    assert (answer.status, answer.body) == (404, BIG)


def test_what_may_not_be_sent_is_an_error_with_one_line(server: Server, folder: Path, mark: str):
    named = {
        folder / "secret": 500,
        "/etc/passwd": 500,
        f"{folder}/private/../secret": 500,
        "report.pdf": 500,
        "": 500,
        folder / "private/.hidden": 500,
        folder / "private": 500,
        folder / "private/leak": 404,
        folder / "private/deep": 404,
        folder / "private/nothing": 404,
    }
    for value, status in named.items():
        answer = get(server, asking(value, mark=mark))
        assert (answer.status, answer.header("Content-Disposition")) == (status, None), value
        assert str(folder).encode() not in answer.body
    redirects = {
        "/protected/../secret": 500,
        "/protected/%2e%2e/secret": 500,
        "/other/report.pdf": 500,
        "/protected": 500,
        "/protected/leak": 404,
        "http://elsewhere/protected/report.pdf": 500,
    }
    for value, status in redirects.items():
        assert get(server, asking(value, "X-Accel-Redirect", mark=mark)).status == status, value
    lines = [line for line in server.log().splitlines() if mark in line]
    assert len(lines) == len(named) + len(redirects)
    assert all("X-Sendfile names" in it or "X-Accel-Redirect names" in it for it in lines)


def test_an_application_that_fails_after_all_is_a_500(server: Server, folder: Path):
    answer = get(server, asking(folder / "private/report.pdf", way="fails"))
    assert answer.status == 500


def test_without_the_setting_the_header_is_for_the_front(start: Start, folder: Path):
    server = start(HANDING)
    for header in ("X-Sendfile", "X-Accel-Redirect"):
        answer = server.get(asking("/protected/report.pdf", header))
        assert (answer.status, answer.body) == (200, BODY)
        assert answer.header(header) == "/protected/report.pdf"
        assert answer.header("ETag") == '"of the body"'


@needs("nginx")
@pytest.mark.parametrize("protocol", ["uwsgi", "fastcgi"])
def test_files_are_handed_over_in_formats_of_a_front(folder: Path, protocol: str):
    with ExitStack() as stack:
        # Short, since a unix socket's path has about a hundred bytes.
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="canter-")))
        place.chmod(0o755)
        start = stack.enter_context(starting(place))
        socket = place / "app.sock"
        root = f"--sendfile-root=/protected={folder}/private"
        bind = f"{protocol}+unix:{socket}"
        start(HANDING, root, bind=bind)
        words = ("--protocol", protocol, "--bind", bind)
        front = stack.enter_context(running("nginx", place, *words))
        client = stack.enter_context(front.client())
        path = asking(folder / "private/report.pdf")
        assert client.get(path).body == BIG
        part = client.get(path, "Range: bytes=100-199999")
        assert (part.status, part.body) == (206, BIG[100:200_000])


@needs("curl")
def test_a_download_of_a_django_site(start: Start, make_django_site, tmp_path: Path):
    site = make_django_site()
    (site / "media" / "reports").mkdir(parents=True)
    (site / "media" / "reports" / "may 2026.pdf").write_bytes(BIG)
    server = start(
        "tests.live.apps.django_site.wsgi",
        f"--sendfile-root=/protected={site}/media/reports",
        environment={"DJANGO_SITE_DIRECTORY": str(site)},
    )
    for by in ("prefix", "path"):
        url = f"{server.url}/reports/may%202026.pdf?by={by}"
        whole = curl(tmp_path, url)
        assert (whole.status, whole.body) == (200, BIG)
        assert "Content-Type: application/pdf\n" in whole.head
        assert 'Content-Disposition: attachment; filename="may 2026.pdf"\n' in whole.head
        assert re.search('Set-Cookie: +seen="may 2026.pdf"', whole.head)
        assert "/protected" not in whole.head
        rest = curl(tmp_path, "--continue-at", "5000000", url)
        assert (rest.status, rest.body) == (206, BIG[5_000_000:])
        assert curl(tmp_path, f"{server.url}/reports/june.pdf?by={by}").status == 404
    server.assert_no_traceback()
