"""Static files as real clients get them: curl, a bare socket, HTTP/2, TLS, nginx."""

from __future__ import annotations

import email
import gzip
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.certificates import Authority
from tests.live.fronts.front import running
from tests.live.harness import PLAIN, Server, Start, clean_environment, starting
from tests.live.programs import curl, needs
from tests.live.raw_http import request_head
from tests.live.waiting import eventually

BIG = bytes(range(256)) * 40_000
CSS = b"body { color: black }\n" * 50
SECRET = b"nobody may read this"


def make_tree(directory: Path) -> Path:
    """A directory to serve, with secrets around and in it."""
    pub = directory / "pub"
    (pub / "css").mkdir(parents=True)
    (pub / ".git").mkdir()
    (directory / "secret").write_bytes(SECRET)
    (pub / ".git" / "config").write_bytes(SECRET)
    (pub / ".env").write_bytes(SECRET)
    (pub / "big.bin").write_bytes(BIG)
    (pub / "empty.txt").touch()
    (pub / "css" / "site.css").write_bytes(CSS)
    (pub / "css" / "site.css.gz").write_bytes(gzip.compress(CSS, mtime=0))
    (pub / "leak").symlink_to(directory / "secret")
    (pub / "up").symlink_to("..")
    (pub / "alias.css").symlink_to("css/site.css")
    os.mkfifo(pub / "fifo")
    return pub


@pytest.fixture(scope="module")
def pub(tmp_path_factory) -> Path:
    return make_tree(tmp_path_factory.mktemp("tree"))


ENGINES = {
    "threads": ((), {}),
    "plain core": ((), {"CANTER_EXTENSIONS": "off"}),
    "gevent": (("--worker-class", "gevent"), {}),
}


@pytest.fixture(scope="module", params=ENGINES)
def server(request, start_shared: Start, pub: Path):
    options, environment = ENGINES[request.param]
    if request.param == "gevent":
        pytest.importorskip("gevent")
    started = start_shared(
        PLAIN, *options, f"--static=/static={pub}", "--static-max-age=1m", environment=environment
    )
    yield started
    started.assert_no_traceback()


@needs("curl")
def test_curl_gets_files_asks_again_and_goes_on(server: Server, tmp_path: Path):
    url = f"{server.url}/static/big.bin"
    whole = curl(tmp_path, url)
    assert (whole.status, hashlib.sha256(whole.body).digest()) == (
        200,
        hashlib.sha256(BIG).digest(),
    )
    assert "Cache-Control: max-age=60\n" in whole.head
    assert "Content-Type: application/octet-stream\n" in whole.head
    tag = tmp_path / "tag"
    assert curl(tmp_path, "--etag-save", str(tag), url).status == 200
    again = curl(tmp_path, "--etag-compare", str(tag), url)
    assert (again.status, again.body) == (304, b"")
    modified = re.search(r"Last-Modified: (.+)", whole.head)
    assert modified
    assert curl(tmp_path, "--time-cond", modified[1], url).status == 304
    long_ago = "If-Unmodified-Since: Mon, 01 Jan 2001 00:00:00 GMT"
    assert curl(tmp_path, "-H", long_ago, url).status == 412
    rest = curl(tmp_path, "--continue-at", "10000000", url)
    assert (rest.status, rest.body) == (206, BIG[10_000_000:])
    assert curl(tmp_path, "--range", "-7", url).body == BIG[-7:]
    assert curl(tmp_path, "--range", "99999999-", url).status == 416
    head = curl(tmp_path, "--head", url)
    assert (head.status, f"Content-Length: {len(BIG)}\n" in head.head) == (200, True)
    refused = curl(tmp_path, "--data", "x", url)
    assert (refused.status, "Allow: GET, HEAD\n" in refused.head) == (405, True)


@needs("curl")
def test_curl_unpacks_a_variant_that_lies_there(server: Server, tmp_path: Path):
    url = f"{server.url}/static/css/site.css"
    packed = curl(tmp_path, "--compressed", url)
    assert packed.body == CSS
    assert "Content-Encoding: gzip\n" in packed.head
    assert "Content-Type: text/css; charset=utf-8\n" in packed.head
    assert "Vary: Accept-Encoding\n" in packed.head
    plain = curl(tmp_path, url)
    assert plain.body == CSS
    assert "Vary: Accept-Encoding\n" in plain.head
    assert "Content-Encoding" not in plain.head
    assert curl(tmp_path, "-H", "Accept-Encoding: gzip;q=0", url).body == CSS


def test_several_ranges_come_as_one_message(server: Server):
    with server.client() as client:
        answer = client.get("/static/big.bin", "Range: bytes=5-9,100000-300000,-3")
        assert client.get("/static/empty.txt").body == b""
    head = f"Content-Type: {answer.header('Content-Type')}\r\n\r\n".encode()
    parts = list(email.message_from_bytes(head + answer.body).walk())[1:]
    assert [part["Content-Range"] for part in parts] == [
        f"bytes 5-9/{len(BIG)}",
        f"bytes 100000-300000/{len(BIG)}",
        f"bytes {len(BIG) - 3}-{len(BIG) - 1}/{len(BIG)}",
    ]
    for stretch in (BIG[5:10], BIG[100_000:300_001], BIG[-3:]):
        assert b"\r\n\r\n" + stretch + b"\r\n--" in answer.body


def test_ranges_that_only_an_attack_asks_for_get_the_file_once(server: Server):
    for ranges in ("0-,0-", ",".join(f"{n}-{n + 5}" for n in range(100)), "0-99999,5-"):
        answer = server.get("/static/big.bin", f"Range: bytes={ranges}")
        assert (answer.status, len(answer.body)) == (200, len(BIG))


ESCAPES = [
    "/static/../secret",
    "/static/%2e%2e/secret",
    "/static/%2e%2e%2fsecret",
    "/static/..%2fsecret",
    "/static/css/..%2f..%2f..%2fsecret",
    "/static/%252e%252e/secret",
    "/static/..%5csecret",
    "/static/..\\secret",
    "/static//secret",
    "/static/%2fetc/passwd",
    "/static/.%00./secret",
    "/static/css/site.css%00.png",
    "/static/leak",
    "/static/up/secret",
    "/static/.git/config",
    "/static/.GIT/config",
    "/static/%2egit/config",
    "/static/css/../.env",
    "/static/.env",
    "/static/fifo",
    "/static/css",
    "/static/css/",
    "/static/",
    "/static",
    "/static/css/site.css/",
    "/static/nothing",
    "/static/" + "a/" * 500 + "a",
    "/static/" + "a" * 300,
    "http://other/static/../secret",
]


def test_nothing_leads_out_and_nothing_hidden_is_shown(server: Server):
    with server.client() as client:
        for path in ESCAPES:
            answer = client.get(path)
            assert answer.status == 404, path
            assert answer.body == b"404 Not Found\n"
        assert client.get("/static/alias.css").body == CSS
        assert client.get("/STATIC/css/site.css").body != CSS  # the application's path


def test_pipelined_requests_for_files_and_others_keep_their_order(server: Server):
    paths = ["/static/css/site.css", "/hello", "/static/big.bin", "/static/nothing"] * 5
    with server.client() as client:
        client.send(b"".join(request_head("GET", path) for path in paths))
        bodies = [client.read_answer().body for _ in paths]
    assert bodies == [CSS, b"hello", BIG, b"404 Not Found\n"] * 5


def test_a_file_that_shrinks_is_cut_and_said_to_be(server: Server, pub: Path, mark: str):
    path = pub / f"{mark}.bin"
    path.write_bytes(BIG)
    with server.client(receive_buffer_bytes=4096) as client:
        client.send(request_head("GET", f"/static/{mark}.bin"))
        first = client.read_some()
        os.truncate(path, 1000)
        answer = client.read_answer(already=first)
        assert not answer.whole
        assert len(answer.body) < len(BIG)
    line = server.wait_for_request(mark)
    assert (line.status, line.outcome) == (200, "cut")
    path.unlink()
    assert server.get(f"/static/{mark}.bin").status == 404


def test_files_are_in_the_access_log_and_counted(server: Server, mark: str):
    assert server.get(f"/static/css/site.css?{mark}").body == CSS
    line = server.wait_for_request(mark)
    assert (line.status, line.size, line.outcome) == (200, len(CSS), "ok")


def test_files_are_sent_while_every_thread_is_stuck(start: Start, pub: Path, tmp_path: Path):
    server = start(PLAIN, "--threads", "2", f"--static=/static={pub}")
    gate = tmp_path / "gate"
    begun = [tmp_path / f"begun{number}" for number in range(2)]
    with ExitStack() as opened:
        stuck = [opened.enter_context(server.client()) for _ in begun]
        for client, started in zip(stuck, begun, strict=True):
            client.send(request_head("GET", f"/waits_for_file?started={started}&gate={gate}"))
            eventually(started.exists, "one more thread is taken")
        for _ in range(3):
            assert server.get("/static/big.bin").body == BIG
        gate.touch()
        assert [client.read_answer().body for client in stuck] == [b"opened"] * 2


def test_below_the_root_the_application_has_what_is_no_file(start: Start, pub: Path):
    server = start(PLAIN, "--static", f"/={pub}", environment={"CANTER_STATIC_MAX_AGE": "0"})
    with server.client() as client:
        answer = client.get("/css/site.css")
        assert (answer.body, answer.header("Cache-Control")) == (CSS, None)
        assert client.get("/hello").body == b"hello"
        assert client.post("/echo_length", b"abc").status in {200, 404}
        assert client.get("/.env").body != SECRET
        assert client.get("/up/secret").body != SECRET


def test_mounts_come_from_variables_and_files_and_lie_below_the_script_name(
    start: Start, pub: Path, site: Path
):
    (site / "canter.toml").write_text(
        f'static = {{ "/assets" = "{pub}", "/css" = "{pub}/css" }}\nscript_name = "/shop"\n'
    )
    server = start(PLAIN)
    assert server.get("/shop/assets/css/site.css").body == CSS
    assert server.get("/shop/css/site.css").body == CSS
    assert server.get("/assets/css/site.css").status == 400
    other = start(PLAIN, environment={"CANTER_STATIC": f"/a={pub},/b={pub}/css"})
    assert other.get("/a/css/site.css").body == other.get("/b/site.css").body == CSS


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("/static=nowhere", "--static: nowhere is not a directory"),
        ("static=.", "--static: 'static' is not the path of a URL"),
        ("/static", "--static: '/static' is not of the form /PREFIX=DIRECTORY"),
        ("/a/../b=.", "--static: '/a/../b' is not the path of a URL"),
    ],
)
def test_what_is_wrong_is_one_message_and_no_start(tmp_path: Path, option: str, message: str):
    done = subprocess.run(
        [sys.executable, "-m", "canter", "--check-config", "--static", option, PLAIN],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=clean_environment(),
        check=False,
        timeout=30,
    )
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@needs("curl")
def test_files_over_tls_and_http2(start: Start, pub: Path, tmp_path: Path):
    authority = Authority(tmp_path / "authority")
    files = authority.issue("localhost", "127.0.0.1", into="server")
    server = start(PLAIN, *files.options(), "--http-protocols=h2,h1", f"--static=/static={pub}")
    for version in ("--http1.1", "--http2"):
        options = (version, "--cacert", str(authority.file))
        url = f"{server.url}/static/big.bin"
        whole = curl(tmp_path, *options, url)
        assert whole.head.startswith("HTTP/2 200" if version == "--http2" else "HTTP/1.1 200")
        assert whole.body == BIG
        assert curl(tmp_path, *options, "--range", "1000000-", url).body == BIG[1_000_000:]
        several = curl(tmp_path, *options, "--range", "0-99999,200000-400000", url)
        assert several.status == 206
        assert BIG[200_000:400_001] in several.body
        tag = re.search(r'(?i)etag: ("[^"]+")', whole.head)
        assert tag
        assert curl(tmp_path, *options, "-H", f"If-None-Match: {tag[1]}", url).status == 304
        assert curl(tmp_path, *options, "--head", url).status == 200
        assert curl(tmp_path, *options, f"{server.url}/static/leak").status == 404
    server.assert_no_traceback()


@needs("nginx")
@pytest.mark.parametrize("protocol", ["http", "uwsgi", "fastcgi", "scgi"])
def test_files_behind_nginx_in_every_format(pub: Path, protocol: str):
    with ExitStack() as stack:
        # Short, since a unix socket's path has about a hundred bytes.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="canter-")))
        folder.chmod(0o755)
        start = stack.enter_context(starting(folder))
        socket = folder / "app.sock"
        bind = f"unix:{socket}" if protocol == "http" else f"{protocol}+unix:{socket}"
        server = start(PLAIN, f"--static=/static={pub}", bind=bind)
        front = stack.enter_context(
            running("nginx", folder, "--protocol", protocol, "--bind", bind)
        )
        client = stack.enter_context(front.client())
        for _ in range(2):
            answer = client.get("/static/big.bin")
            assert (answer.status, answer.body) == (200, BIG)
            assert client.get("/static/css/site.css").body == CSS
            assert client.get("/hello").body == b"hello"
        tag = answer.header("ETag")
        assert client.get("/static/big.bin", f"If-None-Match: {tag}").status == 304
        part = client.get("/static/big.bin", "Range: bytes=70000-900000")
        assert (part.status, part.body) == (206, BIG[70_000:900_001])
        several = client.get("/static/big.bin", "Range: bytes=0-99999,200000-400000")
        assert several.status == 206
        assert BIG[200_000:400_001] in several.body
        head = client.get("/static/big.bin", method="HEAD")
        assert (head.status, head.body) == (200, b"")
        for path in ("/static/leak", "/static/.env", "/static/css%2f..%2f..%2fsecret"):
            assert client.get(path).status == 404
        server.assert_no_traceback()


def test_collected_files_of_a_django_admin(start: Start, make_django_site, mark: str):
    """What `collectstatic` has made, compressed variants and names with hashes among it."""
    site = make_django_site()
    server = start(
        "tests.live.apps.django_site.wsgi",
        "--static",
        f"/static={site}/static",
        environment={"DJANGO_SITE_DIRECTORY": str(site)},
    )
    with httpx.Client(base_url=server.url, timeout=30) as browser:
        page = browser.get("/admin/login/").text
        links = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
        assert len(links) > 3
        for link in links:
            answer = browser.get(f"{link}?{mark}")
            assert answer.status_code == 200
            assert answer.headers["Content-Encoding"] == "gzip"
            # canter's own tag, and not one of WhiteNoise's: the application was not asked.
            assert answer.headers["ETag"].endswith('-gzip"')
            kept = site / link.removeprefix("/")
            assert answer.content == kept.read_bytes()
    server.wait_for_access(mark, len(links))
