"""Five frameworks behind the real command, driven by httpx, curl and wrk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.live.apps import surface
from tests.live.harness import Access
from tests.live.programs import curl, needs, wrk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.live.harness import Server, Start


@dataclass(frozen=True)
class Framework:
    """How an application is started, and what its error page leaves in a log."""

    name: str
    application: str
    broken: str


FRAMEWORKS = [
    Framework("django", "tests.live.apps.django_site.wsgi", "RuntimeError: the Django view broke"),
    Framework("flask", "tests.live.apps.flask_app:app", "RuntimeError: the Flask view broke"),
    Framework(
        "falcon", "tests.live.apps.falcon_app:make_app()", "RuntimeError: the Falcon view broke"
    ),
    Framework("bottle", "tests.live.apps.bottle_app", "RuntimeError: the Bottle view broke"),
    Framework(
        "pyramid", "tests.live.apps.pyramid_app:make_app()", "RuntimeError: the Pyramid view broke"
    ),
]


@pytest.fixture(scope="module", params=FRAMEWORKS, ids=lambda framework: framework.name)
def framework(request: pytest.FixtureRequest) -> Framework:
    chosen: Framework = request.param
    return chosen


@pytest.fixture(scope="module")
def server(
    framework: Framework, start_shared: Start, make_django_site: Callable[[], Path]
) -> Server:
    environment = {}
    if framework.name == "django":
        environment["DJANGO_SITE_DIRECTORY"] = str(make_django_site())
    return start_shared(
        framework.application, "--workers", "2", "--threads", "2", environment=environment
    )


@pytest.fixture
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=20) as client:
        yield client


def test_answers_a_page_and_logs_it(server: Server, http: httpx.Client, mark: str) -> None:
    answer = http.get(f"/hello?name=you&{mark}")
    assert (answer.status_code, answer.text) == (200, "hello, you")
    assert answer.headers["Content-Type"].startswith("text/plain")
    logged = server.wait_for_request(mark)
    assert logged.request == f"GET /hello?name=you&{mark} HTTP/1.1"
    assert (logged.status, logged.size, logged.outcome) == (200, len("hello, you"), "ok")
    assert logged.peer == "127.0.0.1"


def test_answers_several_requests_on_one_connection(server: Server, mark: str) -> None:
    with server.client() as client:
        for number in range(5):
            answer = client.get(f"/hello?name={number}&{mark}")
            assert (answer.status, answer.body) == (200, f"hello, {number}".encode())
            assert not answer.closes
    assert len(server.wait_for_access(mark, 5)) == 5


def test_head_has_the_head_of_get_and_no_body(
    server: Server, http: httpx.Client, mark: str
) -> None:
    got = http.get("/hello?name=head")
    answer = http.head(f"/hello?name=head&{mark}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers.get("Content-Length") in {None, got.headers.get("Content-Length")}
    assert answer.headers["Content-Type"] == got.headers["Content-Type"]
    logged = server.wait_for_request(mark)
    assert (logged.request[:5], logged.status, logged.size) == ("HEAD ", 200, 0)


def test_a_path_in_utf_8_reaches_the_view(http: httpx.Client) -> None:
    assert http.get("/hello/été").text == "hello, été"
    assert http.get("/hello/%E2%98%83").text == "hello, ☃"


def test_the_application_sees_the_request_as_it_was_sent(
    server: Server, http: httpx.Client
) -> None:
    seen = http.get("/json?a=1&b=%20x").json()
    assert seen == {
        "method": "GET",
        "path": "/json",
        "query": "a=1&b=%20x",
        "host": server.url.removeprefix("http://"),
        "scheme": "http",
    }


def test_reads_a_form(server: Server, http: httpx.Client, mark: str) -> None:
    answer = http.post(f"/form?{mark}", data={"name": "Zoë & co"})
    assert (answer.status_code, answer.text) == (200, "hello, Zoë & co")
    logged = server.wait_for_request(mark)
    assert (logged.request[:5], logged.status, logged.outcome) == ("POST ", 200, "ok")


@pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
def test_receives_an_uploaded_file_whole(http: httpx.Client, size: int) -> None:
    data = (b"upload %d\n" % size) * (size // 10 + 1)
    data = data[:size]
    answer = http.post("/upload", files={"file": ("some file.bin", data)})
    assert answer.status_code == 200
    assert answer.json() == {
        "name": "some file.bin",
        "size": size,
        "digest": surface.digest(data),
    }


def test_a_chunked_body_arrives_whole_and_with_its_length(
    server: Server, http: httpx.Client, mark: str
) -> None:
    blocks = [b"a" * 10_000, b"b" * 70_000, b"c"]
    answer = http.post(f"/raw?{mark}", content=iter(blocks))
    whole = b"".join(blocks)
    assert answer.json() == {
        "size": len(whole),
        "digest": surface.digest(whole),
        "length": len(whole),
    }
    assert server.wait_for_request(mark).status == 200


def test_streams_a_long_answer(server: Server, http: httpx.Client, mark: str) -> None:
    answer = http.get(f"/stream?lines=20000&{mark}")
    assert answer.content == b"".join(surface.lines(20_000))
    logged = server.wait_for_request(mark)
    assert (logged.status, logged.size, logged.outcome) == (200, len(answer.content), "ok")


def test_a_stream_arrives_as_it_is_made(
    server: Server, http: httpx.Client, tmp_path: Path, mark: str
) -> None:
    gate = tmp_path / mark
    with http.stream("GET", "/stream", params={"gate": str(gate)}) as answer:
        received = answer.iter_raw()
        first = b""
        while len(first) < len("before the gate\n"):
            first += next(received)
        assert first == b"before the gate\n"
        gate.touch()
        assert b"".join(received) == b"after the gate\n"
    assert server.wait_for_request(mark).outcome == "ok"


def test_downloads_a_file_byte_for_byte(server: Server, http: httpx.Client, mark: str) -> None:
    answer = http.get(f"/file?{mark}")
    assert answer.content == surface.DOWNLOAD
    assert answer.headers["Content-Length"] == str(len(surface.DOWNLOAD))
    logged = server.wait_for_request(mark)
    assert (logged.status, logged.size) == (200, len(surface.DOWNLOAD))


def test_every_cookie_is_set_and_comes_back(http: httpx.Client) -> None:
    answer = http.get("/cookie/set")
    assert len(answer.headers.get_list("Set-Cookie")) == 2
    assert http.get("/cookie/read").json() == {"first": "one", "second": "two"}


def test_a_redirect_leads_where_it_says(server: Server, http: httpx.Client, mark: str) -> None:
    answer = http.get(f"/redirect?{mark}", follow_redirects=True)
    assert (answer.status_code, answer.text) == (200, "hello, again")
    assert answer.history[0].status_code == 302
    assert server.wait_for_request(mark).status == 302


@pytest.mark.parametrize(("path", "status"), [("/forbidden", 403), ("/no/such/page", 404)])
def test_passes_the_frameworks_refusals_on(
    server: Server, http: httpx.Client, mark: str, path: str, status: int
) -> None:
    assert http.get(f"{path}?{mark}").status_code == status
    logged = server.wait_for_request(mark)
    assert (logged.status, logged.outcome) == (status, "ok")


def test_a_view_that_raises_is_a_500_with_its_traceback_in_a_log(
    server: Server, http: httpx.Client, framework: Framework, mark: str
) -> None:
    assert http.get(f"/error?{mark}").status_code == 500
    assert server.wait_for_request(mark).status == 500
    assert framework.broken in server.log() + server.output()
    assert http.get("/hello").status_code == 200


@needs("curl")
def test_curl_downloads_a_file(server: Server, tmp_path: Path, mark: str) -> None:
    answer = curl(tmp_path, f"{server.url}/file?{mark}")
    assert (answer.exit_status, answer.status) == (0, 200)
    assert answer.body == surface.DOWNLOAD
    logged = server.wait_for_request(mark)
    assert (logged.status, logged.size) == (200, len(surface.DOWNLOAD))


@needs("curl")
def test_curl_uploads_a_file_in_a_form(server: Server, tmp_path: Path, mark: str) -> None:
    data = surface.DOWNLOAD * 8
    (tmp_path / "sent.bin").write_bytes(data)
    form = f"file=@{tmp_path / 'sent.bin'};filename=sent.bin"
    answer = curl(tmp_path, "--form", form, f"{server.url}/upload?{mark}")
    assert (answer.exit_status, answer.status) == (0, 200)
    assert surface.digest(data).encode() in answer.body
    assert server.wait_for_request(mark).outcome == "ok"


@needs("curl")
def test_curl_uploads_a_body_of_unknown_length(server: Server, tmp_path: Path, mark: str) -> None:
    (tmp_path / "sent.bin").write_bytes(surface.DOWNLOAD)
    answer = curl(
        tmp_path,
        "--request",
        "POST",
        "--header",
        "Transfer-Encoding: chunked",
        "--data-binary",
        f"@{tmp_path / 'sent.bin'}",
        f"{server.url}/raw?{mark}",
    )
    assert (answer.exit_status, answer.status) == (0, 200)
    assert surface.digest(surface.DOWNLOAD).encode() in answer.body
    assert server.wait_for_request(mark).status == 200


@needs("wrk")
def test_wrk_finds_no_failed_request(server: Server, mark: str) -> None:
    report = wrk(f"{server.url}/json?{mark}", seconds=1, connections=8)
    assert report.requests > 0
    assert report.failed == 0, report.text
    # wrk leaves without waiting for the last answers: those are logged too, whole or aborted.
    lines = server.wait_for_access_at_least(mark, report.requests)
    logged = [Access.parse(line) for line in lines]
    assert len(logged) <= report.requests + 8
    assert sum(entry.status == 200 for entry in logged) >= report.requests
