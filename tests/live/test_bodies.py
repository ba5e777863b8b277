"""Request bodies: every way of reading them, 100-continue, refusals while they come, and size."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.live.apps import surface
from tests.live.harness import PLAIN
from tests.live.programs import curl, needs
from tests.live.raw_http import Ended, chunked, request_head
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live.harness import Server, Start
    from tests.live.raw_http import Client

BLOCK = bytes(range(256)) * 4096
"""One mebibyte."""

WAYS = ["read", "blocks", "readline", "readlines", "iteration"]


@pytest.fixture(scope="module")
def server(start_shared: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    spool = tmp_path_factory.mktemp("spool")
    started = start_shared(
        PLAIN, "--threads", "2", "--workers", "1", environment={"TMPDIR": str(spool)}
    )
    yield started
    started.assert_no_traceback()


@pytest.fixture(scope="module")
def limited(start_shared: Start) -> Server:
    return start_shared(PLAIN, "--limit-request-body", "100K")


@pytest.mark.parametrize("by", WAYS)
@pytest.mark.parametrize("size", [0, 5, 70_000, 700_000])
def test_a_body_of_known_length_is_read_whole_and_no_further(
    server: Server, by: str, size: int
) -> None:
    body = (b"some line\n" * (size // 10 + 1))[:size]
    with server.client() as client:
        seen = client.post(f"/echo?by={by}", body).json()
        assert (seen["size"], seen["digest"]) == (size, surface.digest(body))
        assert (seen["content_length"], seen["after_the_end"]) == (str(size), 0)
        assert client.get("/hello").body == b"hello"


@pytest.mark.parametrize("by", WAYS)
def test_a_chunked_body_is_read_whole_and_has_its_length(server: Server, by: str) -> None:
    blocks = [b"a" * 3, b"\n" * 5, b"b" * 100_000, b"c\n" * 300_000]
    body = b"".join(blocks)
    with server.client() as client:
        head = request_head("POST", f"/echo?by={by}", "Transfer-Encoding: chunked")
        client.send(head + chunked(*blocks))
        seen = client.read_answer().json()
        assert (seen["size"], seen["digest"]) == (len(body), surface.digest(body))
        assert (seen["content_length"], seen["transfer_encoding"]) == (str(len(body)), None)
        assert client.get("/hello").body == b"hello"


def test_a_chunked_body_may_have_extensions_and_trailers(server: Server) -> None:
    with server.client() as client:
        head = request_head("POST", "/echo", "Transfer-Encoding: chunked")
        client.send(head + b'3;a=b;c="d"\r\nabc\r\n0\r\nX-Trailer: yes\r\n\r\n')
        assert client.read_answer().json()["digest"] == surface.digest(b"abc")
        assert client.get("/hello").body == b"hello"


@pytest.mark.parametrize("path", ["/ignores_the_body", "/reads_half_the_body"])
@pytest.mark.parametrize("size", [10, 1_000_000])
def test_what_the_application_leaves_unread_is_not_the_next_request(
    server: Server, path: str, size: int
) -> None:
    with server.client() as client:
        for _ in range(2):
            assert client.post(path, b"G" * size).status == 200
        assert client.get("/hello").body == b"hello"


# ---- 100-continue


def test_a_client_that_waits_for_100_continue_gets_it(server: Server) -> None:
    with server.client() as client:
        client.send(request_head("POST", "/echo", "Content-Length: 3", "Expect: 100-continue"))
        assert client.read_interim().status == 100
        client.send(b"abc")
        answer = client.read_answer()
        assert (answer.status, answer.interim) == (200, [])
        assert answer.json()["digest"] == surface.digest(b"abc")
        assert client.get("/hello").body == b"hello"


def test_a_client_that_does_not_wait_gets_its_answer_all_the_same(server: Server) -> None:
    with server.client() as client:
        head = request_head("POST", "/echo", "Content-Length: 3", "Expect: 100-continue")
        client.send(head + b"abc")
        assert client.read_answer().json()["digest"] == surface.digest(b"abc")
        assert client.get("/hello").body == b"hello"


def test_100_continue_is_answered_for_a_chunked_body(server: Server) -> None:
    with server.client() as client:
        client.send(
            request_head("POST", "/echo", "Transfer-Encoding: chunked", "Expect: 100-continue")
        )
        assert client.read_interim().status == 100
        client.send(chunked(b"abc"))
        assert client.read_answer().json()["digest"] == surface.digest(b"abc")


def test_an_expectation_without_a_body_is_answered(server: Server) -> None:
    with server.client() as client:
        client.send(request_head("POST", "/echo", "Content-Length: 0", "Expect: 100-continue"))
        assert client.read_answer().status == 200
        assert client.get("/hello").body == b"hello"


@needs("curl")
def test_curl_uploads_a_big_file_after_100_continue(
    server: Server, tmp_path: Path, mark: str
) -> None:
    (tmp_path / "sent.bin").write_bytes(BLOCK * 10)
    # curl would go on by itself after this time: the upload then takes longer than curl may.
    patient = ["--expect100-timeout", "300", "--header", "Expect: 100-continue"]
    answer = curl(
        tmp_path,
        *patient,
        "--data-binary",
        f"@{tmp_path / 'sent.bin'}",
        f"{server.url}/echo?{mark}",
    )
    assert (answer.exit_status, answer.status) == (0, 200)
    assert "100 Continue" in answer.head
    assert json.loads(answer.body)["digest"] == surface.digest(BLOCK * 10)
    assert server.wait_for_request(mark).status == 200


# ---- refused while they come


def send_all_or_until_refused(client: Client, blocks: int) -> None:
    """Keep sending as a client does that does not look: a reset here loses the answer."""
    for _ in range(blocks):
        try:
            client.send(BLOCK)
        except ConnectionError:
            return


def test_an_early_413_reaches_a_client_that_is_still_sending(limited: Server, peer: str) -> None:
    with limited.client(source=peer) as client:
        client.send(request_head("POST", "/echo", f"Content-Length: {50 * len(BLOCK)}"))
        send_all_or_until_refused(client, 5)
        answer = client.read_answer()
        assert (answer.status, answer.closes, answer.whole) == (413, True, True)
    logged = limited.wait_for_peer(peer)
    assert (logged.status, logged.outcome) == (413, "refused")


def test_a_chunked_body_over_the_limit_is_refused_when_it_passes_it(
    limited: Server, peer: str
) -> None:
    with limited.client(source=peer) as client:
        client.send(request_head("POST", "/echo", "Transfer-Encoding: chunked"))
        client.send(chunked(b"x" * 90_000, b"x" * 90_000))
        assert client.read_answer().status == 413
    assert limited.wait_for_peer(peer).outcome == "refused"


def test_a_refused_expectation_gets_no_100(limited: Server) -> None:
    with limited.client() as client:
        client.send(
            request_head("POST", "/echo", "Content-Length: 9999999", "Expect: 100-continue")
        )
        answer = client.read_answer()
        assert (answer.status, answer.interim) == (413, [])


@needs("curl")
def test_curl_sees_a_413_for_an_upload_over_the_limit(limited: Server, tmp_path: Path) -> None:
    (tmp_path / "sent.bin").write_bytes(BLOCK * 20)
    answer = curl(
        tmp_path,
        "--header",
        "Expect:",
        "--data-binary",
        f"@{tmp_path / 'sent.bin'}",
        f"{limited.url}/echo",
    )
    assert answer.status == 413, answer.stderr


# ---- big, and streamed


def test_an_upload_of_100_megabytes_goes_to_disk_and_memory_stays_flat(
    server: Server, mark: str
) -> None:
    before = server.get("/memory").json()["peak_kilobytes"]
    with server.client() as client:
        path = f"/digest_in_blocks?{mark}"
        client.send(request_head("POST", path, f"Content-Length: {100 * len(BLOCK)}"))
        for _ in range(100):
            client.send(BLOCK)
        seen = client.read_answer().json()
    assert seen["size"] == 100 * len(BLOCK)
    assert seen["peak_kilobytes"] - before < 20 * 1024
    assert server.wait_for_request(mark).outcome == "ok"


def test_a_spooled_body_leaves_no_file_behind(start: Start, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    server = start(PLAIN, environment={"TMPDIR": str(spool)})
    assert server.post("/echo", BLOCK * 5).status == 200
    assert list(spool.iterdir()) == []


def test_a_streamed_body_is_read_while_it_comes(start: Start, tmp_path: Path) -> None:
    server = start(PLAIN, "--request-body", "stream")
    flag = tmp_path / "first-line"
    with server.client() as client:
        path = f"/reads_the_first_line?flag={flag}"
        client.send(request_head("POST", path, "Content-Length: 1000") + b"first\n")
        eventually(flag.exists, "the application has the first line")
        client.send(b"x" * 994)
        assert client.read_answer().json() == {"first": "first\n", "rest": 994}
        assert client.get("/hello").body == b"hello"


def test_a_streamed_chunked_body_is_read_while_it_comes(start: Start, tmp_path: Path) -> None:
    server = start(PLAIN, "--request-body", "stream")
    flag = tmp_path / "first-line"
    with server.client() as client:
        path = f"/reads_the_first_line?flag={flag}"
        client.send(request_head("POST", path, "Transfer-Encoding: chunked") + b"6\r\nfirst\n\r\n")
        eventually(flag.exists, "the application has the first line")
        client.send(chunked(b"x" * 994))
        assert client.read_answer().json() == {"first": "first\n", "rest": 994}
        assert client.get("/hello").body == b"hello"


def test_a_streamed_body_that_is_cut_short_never_looks_complete(
    start: Start, tmp_path: Path, peer: str
) -> None:
    server = start(PLAIN, "--request-body", "stream")
    flag = tmp_path / "first-line"
    with server.client(source=peer) as client:
        path = f"/reads_the_first_line?flag={flag}"
        client.send(request_head("POST", path, "Content-Length: 1000") + b"first\n")
        eventually(flag.exists, "the application has the first line")
        client.half_close()
        try:
            assert client.read_answer().status != 200
        except Ended:
            pass
    assert server.wait_for_peer(peer).outcome != "ok"


def test_a_streamed_body_that_nobody_reads_is_not_the_next_request(start: Start) -> None:
    server = start(PLAIN, "--request-body", "stream")
    with server.client() as client:
        client.send(request_head("POST", "/ignores_the_body", f"Content-Length: {10 * len(BLOCK)}"))
        send_all_or_until_refused(client, 10)
        answer = client.read_answer()
        assert (answer.status, answer.body) == (200, b"not read")
        if answer.closes:
            assert client.read_until_closed() == b""
        else:
            assert client.get("/hello").body == b"hello"
    assert server.get("/hello").body == b"hello"


def test_in_a_stream_100_continue_comes_when_the_application_reads(
    start: Start, tmp_path: Path
) -> None:
    server = start(PLAIN, "--request-body", "stream")
    flag = tmp_path / "first-line"
    waiting = ["Content-Length: 6", "Expect: 100-continue"]
    with server.client() as client:
        client.send(request_head("POST", f"/reads_the_first_line?flag={flag}", *waiting))
        assert client.read_interim().status == 100
        client.send(b"first\n")
        assert client.read_answer().json()["first"] == "first\n"
    with server.client() as client:
        client.send(request_head("POST", "/ignores_the_body", *waiting))
        answer = client.read_answer()
        assert (answer.status, answer.interim) == (200, [])


def test_a_big_streamed_upload_keeps_memory_flat(start: Start) -> None:
    server = start(PLAIN, "--request-body", "stream")
    before = server.get("/memory").json()["peak_kilobytes"]
    with server.client() as client:
        length = 100 * len(BLOCK)
        client.send(request_head("POST", "/digest_in_blocks", f"Content-Length: {length}"))
        for _ in range(100):
            client.send(BLOCK)
        seen = client.read_answer().json()
    assert seen["size"] == length
    assert seen["peak_kilobytes"] - before < 20 * 1024
