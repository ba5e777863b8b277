"""canter behind real web servers, in every protocol that they speak with it.

The configurations are what `canter front` prints; the tests are the same for all of them.
"""

from __future__ import annotations

import os
import traceback
import uuid
from collections.abc import Callable, Iterator

import pytest

from tests.live.apps import surface
from tests.live.fronts.pairs import PAIRS, Pair, Site, Sites
from tests.live.raw_http import Ended, chunked, request_head
from tests.live.waiting import eventually

MEGABYTE = 1024 * 1024
# Fronts that pass no chunks on to a gateway protocol, and how they say so.
ASK_FOR_A_LENGTH = {("apache", "uwsgi"): 411, ("apache", "scgi"): 411, ("haproxy", "fastcgi"): 400}
ODD_PATHS = {"/caf%C3%A9%20x": "/caf\xc3\xa9 x", "/a%2Fb": "/a/b", "/a//b": "/a//b"}
# Those that make one slash of two, whatever they are told.
MERGE_SLASHES = ("lighttpd",)


@pytest.fixture(scope="session")
def sites() -> Iterator[Sites]:
    with Sites() as found:
        yield found


Check = Callable[[Site], None]
CHECKS: list[Check] = []


def check(function: Check) -> Check:
    """Something that holds for every pair."""
    CHECKS.append(function)
    return function


# One test for each pair, so that a front is started by one process only, and once.
@pytest.mark.parametrize("pair", [it.parameter() for it in PAIRS])
def test_everything_arrives_through_a_front(sites: Sites, pair: Pair):
    site = sites.site(pair)
    failed = []
    for holds in CHECKS:
        try:
            holds(site)
        except (AssertionError, OSError, ValueError, Ended):
            failed.append(f"{holds.__name__}:\n{traceback.format_exc()}")
    assert not failed, "\n".join(failed)


@check
def a_page_is_served(site: Site) -> None:
    with site.front.client() as client:
        answer = client.get("/hello")
        assert (answer.status, answer.body) == (200, b"hello")
        head = client.get("/hello", method="HEAD")
        assert head.status == 200
        # Apache leaves it out for what it takes for a script.
        length = head.header("Content-Length")
        assert length == "5" or (length is None and site.pair.front == "apache")


@check
def a_body_arrives_whole(site: Site) -> None:
    for size in (0, 10, MEGABYTE):
        body = os.urandom(size)
        with site.front.client() as client:
            told = client.post("/echo", body).json()
        assert (told["size"], told["digest"]) == (size, surface.digest(body))


@check
def a_chunked_body_arrives_whole_or_is_refused_by_the_front(site: Site) -> None:
    body = chunked(b"hello", b"x" * 70_000)
    with site.front.client() as client:
        client.send(request_head("POST", "/echo", "Transfer-Encoding: chunked") + body)
        answer = client.read_answer("POST")
    if (site.pair.front, site.pair.protocol) in ASK_FOR_A_LENGTH:
        assert answer.status == ASK_FOR_A_LENGTH[site.pair.front, site.pair.protocol]
        return
    told = answer.json()
    assert told["size"] == 70_005
    assert told["transfer_encoding"] is None
    assert told["content_length"] == "70005"


@check
def a_download_arrives_whole(site: Site) -> None:
    for path in ("/one_big_item?megabytes=10", "/streams?blocks=160"):
        with site.front.client() as client:
            answer = client.get(path)
        assert (answer.status, len(answer.body), answer.whole) == (200, 10 * MEGABYTE, True)


@check
def a_file_is_sent(site: Site) -> None:
    with site.front.client() as client:
        assert client.get("/file_wrapped").body == surface.DOWNLOAD
        assert client.get("/file_wrapped?kind=memory").body == surface.DOWNLOAD


@check
def a_stream_arrives_while_it_is_made(site: Site) -> None:
    mark = uuid.uuid4().hex
    gate = site.folder / mark
    with site.front.client() as client:
        client.send(request_head("GET", f"/gated_stream?gate={gate}"))
        first = b""
        while b"before the gate" not in first:
            first += client.read_some()
        gate.touch()
        answer = client.read_answer(already=first)
    assert answer.body == b"before the gate\nafter the gate\n"


@check
def paths_and_queries_are_what_was_asked_for(site: Site) -> None:
    with site.front.client() as client:
        told = client.get("/show_environ?q=caf%C3%A9&a=%2F").json()
    assert told["QUERY_STRING"] == "q=caf%C3%A9&a=%2F"
    assert told["SCRIPT_NAME"] == ""
    assert told["PATH_INFO"] == "/show_environ"
    assert told["REQUEST_URI"] == told["RAW_URI"] == "/show_environ?q=caf%C3%A9&a=%2F"


@check
def odd_paths_reach_the_application_as_they_are(site: Site) -> None:
    for path, seen in ODD_PATHS.items():
        with site.front.client() as client:
            told = client.get(f"/show_environ{path}").json()
        merged = seen.replace("//", "/") if site.pair.front in MERGE_SLASHES else seen
        assert told["PATH_INFO"] == f"/show_environ{merged}"


@check
def repeated_fields_and_cookies_arrive(site: Site) -> None:
    with site.front.client() as client:
        told = client.get(
            "/show_environ", "X-Thing: one", "X-Thing: two", "Cookie: a=1", "Cookie: b=2"
        ).json()
    assert told["HTTP_X_THING"].replace(" ", "") == "one,two"
    assert told["HTTP_COOKIE"] in ("a=1; b=2", "a=1, b=2")


@check
def repeated_fields_and_cookies_come_back(site: Site) -> None:
    with site.front.client() as client:
        answer = client.get("/cookies")
    cookies = [value for name, value in answer.headers if name.lower() == "set-cookie"]
    assert cookies == ["a=1; Path=/", "b=2; Path=/"]


@check
def the_client_the_host_and_the_scheme_are_the_front_s(site: Site) -> None:
    with site.front.client() as client:
        port = str(client.socket.getsockname()[1])
        told = client.get("/show_environ").json()
    assert told["REMOTE_ADDR"] == "127.0.0.1"
    # X-Forwarded-For has no port, and canter does not make one up.
    expected = "" if site.pair.protocol in ("http", "h2c") else port
    assert told.get("REMOTE_PORT", "") in (expected, port)
    assert told["HTTP_HOST"].partition(":")[0] == "localhost"
    assert told["wsgi.url_scheme"] == "http"
    assert told["SERVER_SOFTWARE"].startswith("canter")


CLAIMS = (
    "X-Forwarded-For: 192.0.2.66",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: evil.example",
    "X-Forwarded-Port: 6666",
    "X-Forwarded-Prefix: /evil",
    "X-Forwarded-Ssl: on",
    "X-Forwarded-Protocol: ssl",
    "Forwarded: for=192.0.2.66;proto=https;host=evil.example",
    "X-Real-IP: 192.0.2.66",
    "Proxy: http://evil.example",
    "SCRIPT_NAME: /evil",
    "PATH_INFO: /evil",
)


@check
def what_a_client_claims_is_not_passed_on(site: Site) -> None:
    if site.pair.protocol == "proxy" and site.pair.front != "varnish":
        return  # a connection that is passed on unopened holds what the client wrote
    with site.front.client() as client:
        told = client.get("/show_environ", *CLAIMS).json()
    assert told["REMOTE_ADDR"] == "127.0.0.1"
    assert told["wsgi.url_scheme"] == "http"
    assert (told["SCRIPT_NAME"], told["PATH_INFO"]) == ("", "/show_environ")
    claimed = {k: v for k, v in told.items() if "192.0.2.66" in str(v) or "evil" in str(v)}
    assert claimed == {}


@check
def a_status_reaches_the_client(site: Site) -> None:
    for line in ("404 Not Found", "503 Service Unavailable", "418 I'm a teapot"):
        with site.front.client() as client:
            answer = client.get(f"/status?line={line.replace(' ', '%20')}")
        assert answer.status == int(line[:3])


@check
def a_status_without_a_body_has_none(site: Site) -> None:
    for line in ("204 No Content", "304 Not Modified"):
        with site.front.client() as client:
            answer = client.get(f"/status?line={line.replace(' ', '%20')}")
            assert answer.body == b"" or answer.status == 503
            if site.pair.front != "varnish" or line.startswith("204"):
                # Varnish takes no 304 for an answer that it has not asked for with conditions.
                assert answer.status == int(line[:3])
        with site.front.client() as client:
            assert client.get("/hello").body == b"hello"


@check
def an_application_that_fails_is_a_500_and_the_next_request_is_served(site: Site) -> None:
    with site.front.client() as client:
        assert client.get("/counts_close?name=x&fails=before&blocks=x").status == 500
    with site.front.client() as client:
        assert client.get("/hello").body == b"hello"


def tells_of_a_break(pair: Pair) -> bool:
    """Whether the front ends its client's connection where canter's ended too early."""
    if pair.front in ("apache", "lighttpd"):
        return (pair.front, pair.protocol) == ("apache", "http")
    return (pair.front, pair.protocol) != ("nginx", "fastcgi")


@check
def a_stream_that_breaks_before_its_length_does_not_look_whole(site: Site) -> None:
    if tells_of_a_break(site.pair):
        with site.front.client() as client:
            answer = client.get(f"/counts_close?name={uuid.uuid4().hex}&fails=after&declare=1")
        assert answer.status in (502, 503) or not answer.whole


@check
def a_client_that_leaves_ends_its_response(site: Site) -> None:
    mark = uuid.uuid4().hex
    with site.front.client() as client:
        client.send(request_head("GET", f"/streams?blocks=20000&tag={mark}"))
        client.read_some()
        client.reset()
    entry = site.server.wait_for_request(mark)
    assert entry.outcome in ("aborted", "timeout")
    with site.front.client() as client:
        assert client.get("/hello").body == b"hello"


@check
def an_application_that_wsgiref_validates_runs(site: Site) -> None:
    with site.front.client() as client:
        assert client.post("/validated", b"12345").body == b"read 5"


@check
def many_requests_over_one_connection(site: Site) -> None:
    with site.front.client() as client:
        for number in range(50):
            assert client.get(f"/who?tag={number}").json()["tag"] == str(number)


@check
def nothing_that_was_sent_made_the_server_stumble(site: Site) -> None:
    eventually(lambda: "Traceback" not in site.server.output(), "no traceback")
    assert "engine failed" not in site.server.log()


@pytest.mark.parametrize("pair", [it.parameter() for it in PAIRS if it.protocol != "proxy"])
def test_an_application_is_mounted_below_a_prefix(sites: Sites, pair: Pair):
    with sites.site(pair, prefix="/app").front.client() as client:
        told = client.get("/app/show_environ?x=1").json()
    assert (told["SCRIPT_NAME"], told["PATH_INFO"]) == ("/app", "/show_environ")


@pytest.mark.parametrize(
    "pair",
    [
        it.parameter()
        for it in PAIRS
        if it.protocol == "http" and it.front not in ("haproxy", "varnish")
    ],
)
def test_static_files_come_from_the_front_itself(sites: Sites, pair: Pair):
    folder = sites.folder / "files"
    folder.mkdir(exist_ok=True)
    (folder / "one.txt").write_text("from the front")
    with sites.site(pair, more=("--static", f"/static={folder}")).front.client() as client:
        assert client.get("/static/one.txt").body == b"from the front"
        assert client.get("/static/two.txt").status == 404
        assert client.get("/hello").body == b"hello"
