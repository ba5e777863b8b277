"""canter behind real web servers, in every wire format that they speak with it.

One canter and one front for each pair; the tests are the same for all of them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.live.apps import surface
from tests.live.fronts import apache, nginx
from tests.live.fronts.front import Behind, Front, Make, running
from tests.live.harness import Server, starting
from tests.live.programs import needs
from tests.live.raw_http import chunked, request_head
from tests.live.waiting import eventually

PAIRS: dict[str, tuple[str, Make, str]] = {
    "nginx-uwsgi": ("nginx", nginx.http_front, "uwsgi"),
    "nginx-fastcgi": ("nginx", nginx.http_front, "fastcgi"),
    "nginx-scgi": ("nginx", nginx.http_front, "scgi"),
    "apache-uwsgi": ("apache2", apache.front, "uwsgi"),
    "apache-fastcgi": ("apache2", apache.front, "fastcgi"),
    "apache-scgi": ("apache2", apache.front, "scgi"),
}
MEGABYTE = 1024 * 1024


@dataclass
class Site:
    """A front and what stands behind it."""

    name: str
    front: Front
    server: Server
    folder: Path


def start_site(stack: ExitStack, name: str, prefix: str = "") -> Site:
    program, make, protocol = PAIRS[name]
    # Short, since a unix socket's path has about a hundred bytes.
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="canter-")))
    folder.chmod(0o755)  # the front's own user has to reach the socket
    start = stack.enter_context(starting(folder))
    socket = folder / "app.sock"
    over_unix = program == "nginx"
    bind = f"{protocol}+unix:{socket}" if over_unix else f"{protocol}://127.0.0.1:0"
    server = start("tests.live.apps.plain", "--threads", "4", bind=bind)
    behind = (
        Behind(protocol, path=socket, prefix=prefix)
        if over_unix
        else Behind(protocol, address=server.address, prefix=prefix)  # type: ignore[arg-type]
    )
    front = stack.enter_context(running(make, folder, behind))
    return Site(name, front, server, folder)


@pytest.fixture(scope="module", params=[pytest.param(n, marks=needs(PAIRS[n][0])) for n in PAIRS])
def site(request) -> Iterator[Site]:
    with ExitStack() as stack:
        yield start_site(stack, request.param)


def test_a_page_is_served(site: Site):
    with site.front.client() as client:
        answer = client.get("/hello")
        assert (answer.status, answer.body) == (200, b"hello")
        head = client.get("/hello", method="HEAD")
        assert head.status == 200
        # Apache leaves it out for what it takes for a script.
        length = head.header("Content-Length")
        assert length == "5" or (length is None and site.name.startswith("apache"))


@pytest.mark.parametrize("size", [0, 10, MEGABYTE])
def test_a_body_arrives_whole(site: Site, size: int):
    body = os.urandom(size)
    with site.front.client() as client:
        told = client.post("/echo", body).json()
    assert (told["size"], told["digest"]) == (size, surface.digest(body))


def test_a_chunked_body_arrives_whole_or_is_refused_by_the_front(site: Site):
    body = chunked(b"hello", b"x" * 70_000)
    with site.front.client() as client:
        client.send(request_head("POST", "/echo", "Transfer-Encoding: chunked") + body)
        answer = client.read_answer("POST")
    if answer.status == 411:
        # Apache passes no chunks on to uwsgi and SCGI, which need a length.
        assert site.name in ("apache-uwsgi", "apache-scgi")
        return
    told = answer.json()
    assert told["size"] == 70_005
    assert told["transfer_encoding"] is None
    assert told["content_length"] == "70005"


@pytest.mark.parametrize("path", ["/one_big_item?megabytes=10", "/streams?blocks=160"])
def test_a_download_arrives_whole(site: Site, path: str):
    with site.front.client() as client:
        answer = client.get(path)
    assert (answer.status, len(answer.body), answer.whole) == (200, 10 * MEGABYTE, True)


def test_a_file_is_sent(site: Site):
    with site.front.client() as client:
        assert client.get("/file_wrapped").body == surface.DOWNLOAD
        assert client.get("/file_wrapped?kind=memory").body == surface.DOWNLOAD


def test_a_stream_arrives_while_it_is_made(site: Site, mark: str):
    gate = site.folder / mark
    with site.front.client() as client:
        client.send(request_head("GET", f"/gated_stream?gate={gate}"))
        first = b""
        while b"before the gate" not in first:
            first += client.read_some()
        gate.touch()
        answer = client.read_answer(already=first)
    assert answer.body == b"before the gate\nafter the gate\n"


def test_paths_and_queries_are_what_was_asked_for(site: Site):
    with site.front.client() as client:
        told = client.get("/show_environ?q=caf%C3%A9&a=%2F").json()
        assert told["QUERY_STRING"] == "q=caf%C3%A9&a=%2F"
        assert told["SCRIPT_NAME"] == ""
        assert told["PATH_INFO"] == "/show_environ"
        assert told["REQUEST_URI"] == told["RAW_URI"] == "/show_environ?q=caf%C3%A9&a=%2F"
    for path, seen in (("/caf%C3%A9%20x", "/caf\xc3\xa9 x"), ("/a%2Fb", "/a/b")):
        with site.front.client() as client:
            client.get(path)
            if "%2F" in path and site.name == "apache-uwsgi":
                continue  # it decodes the slash itself and then refuses it
        entry = site.server.wait_for_access_at_least(path, 1)[0]
        assert '" 404 ' in entry, seen


def test_repeated_fields_and_cookies_arrive(site: Site):
    with site.front.client() as client:
        told = client.get(
            "/show_environ", "X-Thing: one", "X-Thing: two", "Cookie: a=1", "Cookie: b=2"
        ).json()
    assert told["HTTP_X_THING"].replace(" ", "") == "one,two"
    assert told["HTTP_COOKIE"] in ("a=1; b=2", "a=1, b=2")


def test_the_client_and_the_host_are_the_front_s_client_and_host(site: Site):
    with site.front.client() as client:
        port = str(client.socket.getsockname()[1])
        told = client.get("/show_environ").json()
    assert told["REMOTE_ADDR"] == "127.0.0.1"
    assert told["REMOTE_PORT"] == port
    assert told["HTTP_HOST"] == "localhost"
    assert told["wsgi.url_scheme"] == "http"
    assert told["SERVER_PROTOCOL"] == "HTTP/1.1"
    assert told["SERVER_SOFTWARE"].startswith("canter")
    assert told["SERVER_PORT"] in (str(site.front.address[1]), "80")


@pytest.mark.parametrize("line", ["404 Not Found", "503 Service Unavailable", "418 I'm a teapot"])
def test_a_status_reaches_the_client(site: Site, line: str):
    with site.front.client() as client:
        answer = client.get(f"/status?line={line.replace(' ', '%20')}")
    assert answer.status == int(line[:3])


@pytest.mark.parametrize("line", ["204 No Content", "304 Not Modified"])
def test_a_status_without_a_body_has_none(site: Site, line: str):
    with site.front.client() as client:
        answer = client.get(f"/status?line={line.replace(' ', '%20')}")
        assert (answer.status, answer.body) == (int(line[:3]), b"")
        assert client.get("/hello").body == b"hello"


def test_an_application_that_fails_is_a_500_and_the_next_request_is_served(site: Site):
    with site.front.client() as client:
        assert client.get("/counts_close?name=x&fails=before&blocks=x").status == 500
    with site.front.client() as client:
        assert client.get("/hello").body == b"hello"


def test_a_stream_that_breaks_before_its_length_does_not_look_whole(site: Site, mark: str):
    if site.name not in ("nginx-uwsgi", "nginx-scgi", "apache-uwsgi"):
        pytest.skip("this front takes the end of what is behind it for the end of the body")
    with site.front.client() as client:
        answer = client.get(f"/counts_close?name={mark}&fails=after&declare=1")
    assert answer.status == 502 or not answer.whole


def test_a_client_that_leaves_ends_its_response(site: Site, mark: str):
    with site.front.client() as client:
        client.send(request_head("GET", f"/streams?blocks=20000&tag={mark}"))
        client.read_some()
        client.reset()
    entry = site.server.wait_for_request(mark)
    assert entry.outcome in ("aborted", "timeout")
    with site.front.client() as client:
        assert client.get("/hello").body == b"hello"


def test_an_application_that_wsgiref_validates_runs(site: Site):
    with site.front.client() as client:
        assert client.post("/validated", b"12345").body == b"read 5"


def test_many_requests_over_one_connection(site: Site):
    with site.front.client() as client:
        for number in range(50):
            assert client.get(f"/who?tag={number}").json()["tag"] == str(number)


def test_nothing_that_was_sent_made_the_server_stumble(site: Site):
    eventually(lambda: "Traceback" not in site.server.output(), "no traceback")
    assert "engine failed" not in site.server.log()


@pytest.mark.parametrize("name", [pytest.param(n, marks=needs(PAIRS[n][0])) for n in PAIRS])
def test_an_application_is_mounted_below_a_prefix(name: str):
    with ExitStack() as stack:
        mounted = start_site(stack, name, prefix="/app")
        with mounted.front.client() as client:
            told = client.get("/app/show_environ?x=1").json()
    assert (told["SCRIPT_NAME"], told["PATH_INFO"]) == ("/app", "/show_environ")
