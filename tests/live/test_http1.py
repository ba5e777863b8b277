"""HTTP/1.1 on the wire, as clients send it that are odd, broken, in a hurry or leaving."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.live.apps import surface
from tests.live.harness import PLAIN
from tests.live.raw_http import Framing, chunked, request_head
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live.harness import Server, Start


@pytest.fixture(scope="module")
def server(start_shared: Start) -> Iterator[Server]:
    started = start_shared(PLAIN, "--threads", "4")
    yield started
    started.assert_no_traceback()


@pytest.fixture(scope="module")
def strict(start_shared: Start) -> Server:
    """A server with small limits."""
    return start_shared(
        PLAIN,
        "--limit-request-line",
        "200",
        "--limit-request-fields",
        "10",
        "--limit-request-field_size",
        "300",
        "--limit-request-body",
        "100K",
    )


# ---- connections


def test_a_connection_is_kept_for_the_next_request(server: Server) -> None:
    with server.client() as client:
        for _ in range(3):
            answer = client.get("/hello")
            assert (answer.status, answer.body, answer.framing) == (200, b"hello", Framing.LENGTH)
            assert not answer.closes


def test_connection_close_is_honoured_and_said(server: Server) -> None:
    with server.client() as client:
        answer = client.get("/hello", "Connection: close")
        assert (answer.status, answer.closes) == (200, True)
        assert client.read_until_closed() == b""


def test_http_1_0_gets_an_answer_that_ends_with_the_connection(server: Server) -> None:
    with server.client() as client:
        client.send(b"GET /streams?blocks=2 HTTP/1.0\r\n\r\n")
        answer = client.read_answer()
        assert (answer.status, answer.framing) == (200, Framing.CLOSE)
        assert len(answer.body) == 2 * 64 * 1024


def test_http_1_0_may_keep_the_connection_when_it_asks_to(server: Server) -> None:
    with server.client() as client:
        for _ in range(2):
            client.send(b"GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            answer = client.read_answer()
            assert (answer.status, answer.body) == (200, b"hello")
            assert (answer.header("Connection") or "").lower() == "keep-alive"


def test_pipelined_requests_are_answered_in_their_order(
    server: Server, tmp_path: Path, mark: str
) -> None:
    gate = tmp_path / "gate"
    paths = [f"/waits_for_file?gate={gate}&{mark}", *(f"/who?tag={n}&{mark}" for n in range(4))]
    with server.client() as client:
        client.send(b"".join(request_head("GET", path) for path in paths))
        gate.touch()
        assert client.read_answer().body == b"opened"
        assert [client.read_answer().json()["tag"] for _ in range(4)] == ["0", "1", "2", "3"]
    server.wait_for_access(mark, 5)


def test_pipelined_requests_with_bodies_are_told_apart(server: Server) -> None:
    first, second = b"GET /not HTTP/1.1\r\n\r\n", b"x" * 200_000
    with server.client() as client:
        client.send(
            request_head("POST", "/echo", f"Content-Length: {len(first)}")
            + first
            + request_head("POST", "/echo", "Transfer-Encoding: chunked")
            + chunked(second[:7], second[7:])
            + request_head("GET", "/hello")
        )
        assert client.read_answer().json()["digest"] == surface.digest(first)
        assert client.read_answer().json()["digest"] == surface.digest(second)
        assert client.read_answer().body == b"hello"


def test_a_thousand_pipelined_requests_are_all_answered(server: Server, mark: str) -> None:
    with server.client() as client:
        client.send(request_head("GET", f"/hello?{mark}") * 1000)
        assert {client.read_answer().body for _ in range(1000)} == {b"hello"}
    server.wait_for_access(mark, 1000)


def test_a_client_that_will_send_no_more_still_gets_its_answer(
    server: Server, tmp_path: Path, mark: str
) -> None:
    started, gate = tmp_path / "started", tmp_path / "gate"
    with server.client() as client:
        path = f"/waits_for_file?started={started}&gate={gate}&{mark}"
        client.send(request_head("GET", path))
        client.half_close()
        eventually(started.exists, "the application runs")
        gate.touch()
        answer = client.read_answer()
        assert (answer.status, answer.body) == (200, b"opened")
        assert client.read_until_closed() == b""
    assert server.wait_for_request(mark).outcome == "ok"


def test_a_half_closed_client_gets_all_its_pipelined_answers(server: Server) -> None:
    with server.client() as client:
        client.send(b"".join(request_head("GET", f"/who?tag={n}") for n in range(5)))
        client.half_close()
        assert [client.read_answer().json()["tag"] for _ in range(5)] == list("01234")
        assert client.read_until_closed() == b""


def test_a_client_that_connects_and_leaves_is_not_a_request(server: Server, peer: str) -> None:
    server.client(source=peer).close()
    with server.client(source=peer) as client:
        client.half_close()
        assert client.read_until_closed() == b""
    assert server.get("/hello").status == 200
    assert server.access_lines(f"{peer} - ") == []


def test_empty_lines_before_a_request_are_skipped(server: Server) -> None:
    with server.client() as client:
        client.send(b"\r\n" + request_head("GET", "/hello"))
        assert client.read_answer().status == 200


def test_a_request_may_come_one_byte_at_a_time(server: Server) -> None:
    request = request_head("POST", "/echo", "Transfer-Encoding: chunked") + chunked(b"abc", b"de")
    with server.client() as client:
        for position in range(len(request)):
            client.send(request[position : position + 1])
        assert client.read_answer().json()["digest"] == surface.digest(b"abcde")


# ---- what is refused


@dataclass(frozen=True)
class Refused:
    """A request that must not reach the application."""

    name: str
    sent: bytes
    status: int
    outcome: str = "malformed"


HEAD = b"GET /tally HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /tally HTTP/1.1\r\nHost: a\r\n"
REFUSED = [
    Refused("no-version", b"GET /tally\r\n\r\n", 400),
    Refused("no-target", b"GET  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    Refused("spaces-in-the-target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    Refused("not-http-at-all", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    Refused("bare-line-feeds", b"GET /tally HTTP/1.1\nHost: a\n\n", 400),
    Refused("bare-carriage-return", HEAD + b"A: b\rc\r\n\r\n", 400),
    Refused("nul-in-a-value", HEAD + b"A: b\0c\r\n\r\n", 400),
    Refused("folded-header", HEAD + b"A: b\r\n c\r\n\r\n", 400),
    Refused("space-before-the-colon", HEAD + b"A : b\r\n\r\n", 400),
    Refused("header-without-a-colon", HEAD + b"nonsense\r\n\r\n", 400),
    Refused("empty-header-name", HEAD + b": b\r\n\r\n", 400),
    Refused("no-host", b"GET /tally HTTP/1.1\r\n\r\n", 400),
    Refused("two-hosts", HEAD + b"Host: b\r\n\r\n", 400),
    Refused("host-is-none", b"GET /tally HTTP/1.1\r\nHost: a b/c\r\n\r\n", 400),
    Refused("two-lengths", POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    Refused("list-of-lengths", POST + b"Content-Length: 1, 1\r\n\r\na", 400),
    Refused("signed-length", POST + b"Content-Length: +1\r\n\r\na", 400),
    Refused("length-is-no-number", POST + b"Content-Length: 0x1\r\n\r\na", 400),
    Refused(
        "length-beside-chunked",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    Refused("chunked-not-last", POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n", 400),
    Refused("chunked-twice", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n", 400),
    Refused(
        "chunked-in-http-1-0",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    Refused("bad-chunk-size", POST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
    Refused(
        "chunk-longer-than-said", POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400
    ),
    Refused("unknown-coding", POST + b"Transfer-Encoding: br, chunked\r\n\r\n", 501, "refused"),
    Refused("unknown-expectation", HEAD + b"Expect: wonders\r\n\r\n", 417, "refused"),
    Refused("http-3", b"GET /tally HTTP/3.0\r\nHost: a\r\n\r\n", 505, "refused"),
    Refused("http-2-preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "refused"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_refuses_a_bad_request_closes_and_logs_one_line(
    server: Server, peer: str, case: Refused
) -> None:
    with server.client(source=peer) as client:
        client.send(case.sent)
        answer = client.read_answer()
        assert (answer.status, answer.closes, answer.whole) == (case.status, True, True)
        assert client.read_until_closed() == b""
    logged = server.wait_for_peer(peer)
    assert (logged.status, logged.outcome) == (case.status, case.outcome)
    assert server.get("/hello").status == 200


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_answered_with_a_refusal_or_nothing(server: Server, seed: int) -> None:
    noise = random.Random(seed)
    pieces = [
        b"GET ",
        b"POST /",
        b" HTTP/1.1",
        b"\r\n",
        b"Host: a",
        b"Content-Length: ",
        b"\r\n\r\n",
    ]
    pieces += [b"Transfer-Encoding: chunked", b"5", b":", b" ", b"\0", b"\n", b"\xff", b"chunked"]
    for _ in range(40):
        with server.client() as client:
            client.send(b"".join(noise.choices(pieces, k=noise.randint(1, 30))))
            client.half_close()
            said = client.read_until_closed()
            assert said == b"" or said.startswith(b"HTTP/1.1 "), said
    assert server.get("/hello").body == b"hello"


def test_what_follows_a_bad_request_is_never_answered(server: Server, peer: str) -> None:
    with server.client(source=peer) as client:
        client.send(HEAD + b"A : b\r\n\r\n" + request_head("GET", "/hello"))
        assert client.read_answer().status == 400
        assert client.read_until_closed() == b""
    server.wait_for_peer(peer)


def test_good_requests_before_a_bad_one_are_answered(server: Server, peer: str) -> None:
    with server.client(source=peer) as client:
        client.send(request_head("GET", "/hello") + b"nonsense\r\n\r\n")
        assert client.read_answer().body == b"hello"
        answer = client.read_answer()
        assert (answer.status, answer.closes) == (400, True)
    assert len(server.wait_for_access(f"{peer} - ", 2)) == 2


def test_a_forged_request_line_cannot_forge_a_log_line(server: Server, peer: str) -> None:
    with server.client(source=peer) as client:
        client.send(b'GET /"%0a\x7f\xff HTTP/1.1" 200 0\t- HTTP/1.1\r\nHost: a\r\n\r\n')
        assert client.read_answer().status == 400
    assert server.wait_for_peer(peer).outcome == "malformed"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /" + b"a" * 300 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET /" + b"a" * 300, 414),
        (HEAD + b"A: " + b"b" * 400 + b"\r\n\r\n", 431),
        (HEAD + b"A: " + b"b" * 400, 431),
        (HEAD + b"A: b\r\n" * 20 + b"\r\n", 431),
        (POST + b"Content-Length: 102401\r\n\r\n", 413),
    ],
    ids=["line", "line-without-end", "field", "field-without-end", "fields", "body"],
)
def test_what_is_over_a_limit_is_refused(
    strict: Server, peer: str, sent: bytes, status: int
) -> None:
    with strict.client(source=peer) as client:
        client.send(sent)
        answer = client.read_answer()
        assert (answer.status, answer.closes) == (status, True)
        assert client.read_until_closed() == b""
    logged = strict.wait_for_peer(peer)
    assert (logged.status, logged.outcome) == (status, "refused")


def test_what_is_within_the_limits_is_served(strict: Server) -> None:
    body = b"x" * 102_400
    answer = strict.post("/echo", body, "A: " + "b" * 200)
    assert answer.json()["digest"] == surface.digest(body)


def test_an_absolute_target_names_the_host(server: Server) -> None:
    with server.client() as client:
        client.send(b"GET http://other.example:81/show_environ?a=b HTTP/1.1\r\nHost: x\r\n\r\n")
        seen = client.read_answer().json()
    assert seen["HTTP_HOST"] == "other.example:81"
    assert (seen["PATH_INFO"], seen["QUERY_STRING"]) == ("/show_environ", "a=b")


def test_escapes_in_the_path_are_decoded_and_the_target_is_kept(server: Server) -> None:
    # Nobody but the application says what two dots mean.
    assert server.get("/nowhere/%2e%2e/show_environ").status == 404
    with server.client() as client:
        client.send(request_head("GET", "//show%5Fenviron?%20=%C3"))
        seen = client.read_answer().json()
    assert seen["PATH_INFO"] == "//show_environ"
    assert seen["RAW_URI"] == "//show%5Fenviron?%20=%C3"
    assert seen["QUERY_STRING"] == "%20=%C3"


def test_options_may_ask_about_the_server_itself(server: Server, peer: str) -> None:
    with server.client(source=peer) as client:
        client.send(b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.read_answer().status == 404
    assert server.wait_for_peer(peer).request == "OPTIONS * HTTP/1.1"


def test_connect_is_not_served(server: Server, peer: str) -> None:
    with server.client(source=peer) as client:
        client.send(b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n")
        answer = client.read_answer()
        assert (answer.status in {405, 501}, answer.closes) == (True, True)
    assert server.wait_for_peer(peer).outcome == "refused"


def test_nothing_is_answered_after_a_request_that_closes(server: Server) -> None:
    with server.client() as client:
        client.send(request_head("GET", "/hello", "Connection: close") + HEAD + b"\r\n")
        assert client.read_answer().body == b"hello"
        assert client.read_until_closed() == b""


def test_a_request_leaves_nothing_in_the_next_ones_environ(server: Server) -> None:
    with server.client() as client:
        for _ in range(3):
            assert client.get("/marks_its_environ").body == b"unmarked"
        assert client.get("/clears_its_environ").body == b"cleared"
        assert client.get("/marks_its_environ").body == b"unmarked"


def test_a_request_whose_environ_was_cleared_is_logged_all_the_same(
    server: Server, peer: str
) -> None:
    with server.client(source=peer) as client:
        assert client.get("/clears_its_environ").body == b"cleared"
    assert server.wait_for_peer(peer).status == 200


def test_underscores_cannot_pose_as_dashes(server: Server) -> None:
    seen = server.get("/show_environ", "X_Forwarded_User: root", "X-Other: fine").json()
    assert "HTTP_X_FORWARDED_USER" not in seen
    assert seen["HTTP_X_OTHER"] == "fine"


def test_repeated_fields_are_joined(server: Server) -> None:
    seen = server.get("/show_environ", "X-A: 1", "Cookie: a=1", "X-A: 2", "Cookie: b=2").json()
    assert seen["HTTP_X_A"].replace(" ", "") == "1,2"
    assert seen["HTTP_COOKIE"] == "a=1; b=2"


# ---- interim answers and upgrades


def test_early_hints_come_before_the_answer(server: Server) -> None:
    answer = server.get("/early_hints")
    assert (answer.status, answer.body) == (200, b"after the hint")
    assert [hint.status for hint in answer.interim] == [103]
    assert answer.interim[0].header("Link") == "</style.css>; rel=preload; as=style"


def test_http_1_0_gets_no_early_hints(server: Server) -> None:
    with server.client() as client:
        client.send(b"GET /early_hints HTTP/1.0\r\n\r\n")
        assert client.read_answer().interim == []


def test_an_upgrade_that_is_not_served_is_answered_as_a_plain_request(server: Server) -> None:
    answer = server.get("/hello", "Connection: Upgrade", "Upgrade: websocket")
    assert (answer.status, answer.body) == (200, b"hello")


# ---- clients that leave


def test_a_client_gone_before_its_answer_is_logged_as_aborted(
    server: Server, tmp_path: Path, mark: str, peer: str
) -> None:
    started, gate = tmp_path / "started", tmp_path / "gate"
    client = server.client(source=peer)
    path = f"/waits_for_file?started={started}&gate={gate}"
    client.send(request_head("GET", path))
    eventually(started.exists, "the application runs")
    client.reset()
    gate.touch()
    assert server.wait_for_peer(peer).outcome == "aborted"


def test_a_client_gone_in_the_middle_closes_the_body_once(
    server: Server, mark: str, peer: str
) -> None:
    client = server.client(source=peer, receive_buffer_bytes=4096)
    client.send(request_head("GET", f"/counts_close?name={mark}&blocks=2000"))
    client.read_some()
    client.reset()
    logged = server.wait_for_peer(peer)
    assert (logged.status, logged.outcome) == (200, "aborted")
    assert logged.size < 2000 * 64 * 1024
    tally = server.get("/tally").json()
    assert (tally[f"{mark}.made"], tally[f"{mark}.closed"]) == (1, 1)


def test_a_client_gone_inside_its_body_never_reaches_the_application(
    server: Server, peer: str, mark: str
) -> None:
    client = server.client(source=peer)
    client.send(request_head("POST", f"/counts_close?name={mark}", "Content-Length: 100") + b"x")
    client.close()
    logged = server.wait_for_peer(peer)
    assert logged.outcome in {"aborted", "malformed"}
    assert f"{mark}.made" not in server.get("/tally").json()


def test_the_application_can_ask_whether_its_client_is_gone(
    server: Server, tmp_path: Path, mark: str, peer: str
) -> None:
    started = tmp_path / "started"
    client = server.client(source=peer)
    client.send(request_head("GET", f"/disconnect_watch?name={mark}&started={started}"))
    eventually(started.exists, "the application runs")
    client.close()
    server.wait_for_peer(peer)
    tally = server.get("/tally").json()
    assert (tally[f"{mark}.connected"], tally[f"{mark}.gone"]) == (1, 1)
