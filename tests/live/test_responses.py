"""What applications give back: framing, statuses without a body, write(), files, and mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live.apps import misbehaving, surface
from tests.live.harness import Access
from tests.live.raw_http import Ended, Framing, request_head

if TYPE_CHECKING:
    from pathlib import Path

    from tests.live.harness import Server, Start


@pytest.fixture(scope="module")
def server(start_shared: Start) -> Server:
    return start_shared("tests.live.apps.misbehaving", "--threads", "4")


# ---- framing


def test_a_body_of_one_item_has_a_length(server: Server) -> None:
    answer = server.get("/one_item")
    assert (answer.body, answer.framing) == (b"one item", Framing.LENGTH)
    assert answer.header("Content-Length") == "8"


def test_a_body_of_unknown_length_is_chunked(server: Server) -> None:
    answer = server.get("/streams?blocks=3")
    assert (answer.framing, answer.whole) == (Framing.CHUNKED, True)
    assert answer.body == b"A" * 65536 + b"B" * 65536 + b"C" * 65536


def test_an_empty_body_has_the_length_nought(server: Server) -> None:
    answer = server.get("/nothing")
    assert (answer.status, answer.body, answer.framing) == (200, b"", Framing.LENGTH)


def test_every_answer_says_when_and_by_whom(server: Server) -> None:
    answer = server.get("/hello")
    assert answer.header("Date")
    assert "canter" in (answer.header("Server") or "")


@pytest.mark.parametrize("line", ["204 No Content", "304 Not Modified"])
def test_a_status_without_a_body_gets_none(server: Server, line: str) -> None:
    with server.client() as client:
        answer = client.get(f"/status?line={line.replace(' ', '%20')}")
        assert f"{answer.status} {answer.reason}" == line
        assert answer.header("Transfer-Encoding") is None
        assert client.get("/hello").body == b"hello"


def test_204_has_no_content_length(server: Server) -> None:
    assert server.get("/status?line=204%20No%20Content").header("Content-Length") is None


@pytest.mark.parametrize("path", ["/hello", "/streams?blocks=3", "/one_item", "/writes"])
def test_head_is_answered_without_a_body(server: Server, path: str, mark: str) -> None:
    joiner = "&" if "?" in path else "?"
    with server.client() as client:
        answer = client.get(f"{path}{joiner}{mark}", method="HEAD")
        assert (answer.status, answer.body) == (200, b"")
        assert client.get("/hello").body == b"hello"
    logged = server.wait_for_request(mark)
    assert (logged.status, logged.size, logged.outcome) == (200, 0, "ok")


def test_a_reason_of_the_applications_own_is_sent(server: Server) -> None:
    answer = server.get("/status?line=299%20Quite%20Fine")
    assert (answer.status, answer.reason) == (299, "Quite Fine")


def test_write_comes_before_what_is_returned(server: Server) -> None:
    assert server.get("/writes").body == b"written, written again, returned"


def test_a_head_not_yet_sent_can_be_replaced(server: Server) -> None:
    answer = server.get("/replaces_the_head")
    assert (answer.status, answer.body) == (502, b"the second head")
    assert (answer.header("X-First"), answer.header("X-Second")) == (None, "yes")


def test_a_stream_arrives_as_it_is_made(server: Server, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with server.client() as client:
        client.send(request_head("GET", f"/gated_stream?gate={gate}"))
        received = b""
        while b"before the gate\n" not in received:
            received += client.read_some()
        assert b"after" not in received
        gate.touch()
        while not received.endswith(b"0\r\n\r\n"):
            received += client.read_some()
        assert b"after the gate\n" in received


# ---- files


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("file", surface.DOWNLOAD),
        ("part", surface.DOWNLOAD[1000:6000]),
        ("memory", surface.DOWNLOAD),
    ],
)
def test_a_wrapped_file_is_sent_byte_for_byte(
    server: Server, mark: str, kind: str, expected: bytes
) -> None:
    with server.client() as client:
        for _ in range(2):
            answer = client.get(f"/file_wrapped?kind={kind}&{mark}")
            assert (answer.status, answer.whole) == (200, True)
            assert answer.body == expected
    for logged in map(Access.parse, server.wait_for_access(mark, 2)):
        assert (logged.status, logged.size, logged.outcome) == (200, len(expected), "ok")


def test_head_of_a_wrapped_file_has_no_body(server: Server) -> None:
    with server.client() as client:
        assert client.get("/file_wrapped", method="HEAD").body == b""
        assert client.get("/hello").body == b"hello"


def test_a_wrapped_file_is_sent_without_sendfile_too(start: Start) -> None:
    server = start("tests.live.apps.plain", "--no-sendfile")
    assert server.get("/file_wrapped?kind=part").body == surface.DOWNLOAD[1000:6000]
    assert server.get("/file_wrapped").body == surface.DOWNLOAD


# ---- how often close is called


@pytest.mark.parametrize("fails", ["", "first", "after"])
def test_close_is_called_exactly_once(server: Server, mark: str, fails: str) -> None:
    with server.client() as client:
        try:
            client.get(f"/counts_close?name={mark}&fails={fails}")
        except Ended:
            assert fails
    server.wait_for_access(mark)
    tally = server.get("/tally").json()
    assert (tally[f"{mark}.made"], tally[f"{mark}.closed"]) == (1, 1)


def test_close_is_called_for_head_too(server: Server, mark: str) -> None:
    server.get(f"/counts_close?name={mark}", method="HEAD")
    server.wait_for_access(mark)
    tally = server.get("/tally").json()
    assert (tally[f"{mark}.made"], tally[f"{mark}.closed"]) == (1, 1)


def test_close_that_raises_does_not_spoil_the_answer(server: Server, mark: str) -> None:
    answer = server.get(f"/raises_in_close?{mark}")
    assert (answer.status, answer.body, answer.whole) == (200, b"all of it", True)
    server.wait_for_access(mark)
    server.wait_for_log("broken in close")


# ---- mistakes


@pytest.mark.parametrize("application", misbehaving.BEFORE_THE_HEAD, ids=lambda a: a.__name__)
def test_a_mistake_before_the_head_is_a_500_and_its_cause_is_logged(
    server: Server, mark: str, application: object
) -> None:
    name = application.__name__  # type: ignore[attr-defined]
    answer = server.get(f"/{name}?{mark}")
    assert (answer.status, answer.whole) == (500, True)
    assert answer.header("X-Injected") is None
    assert b"Traceback" not in answer.body
    logged = server.wait_for_request(mark)
    assert (logged.status, logged.outcome) == (500, "failed")
    server.wait_for_log(f"/{name}")
    assert server.get("/hello").body == b"hello"


def test_the_error_log_has_the_traceback(server: Server) -> None:
    server.get("/raises_before_head")
    server.wait_for_log(r"Traceback .*in raises_before_head.*RuntimeError: broken before the head")


@pytest.mark.parametrize(
    "name", ["header_is_a_number", "header_has_a_newline", "header_name_has_a_space"]
)
def test_the_error_log_says_which_header_was_wrong(server: Server, name: str) -> None:
    wrong = {
        "header_is_a_number": "X-Number",
        "header_has_a_newline": "X-Split",
        "header_name_has_a_space": "X Split",
    }
    assert server.get(f"/{name}").status == 500
    server.wait_for_log(wrong[name])


@pytest.mark.parametrize("query", ["", "&declare=yes"], ids=["chunked", "declared"])
def test_a_mistake_after_the_head_cuts_the_connection(
    server: Server, mark: str, query: str
) -> None:
    answer = server.get(f"/raises_in_the_middle?{mark}{query}")
    assert (answer.status, answer.body, answer.whole) == (200, b"the first part", False)
    logged = server.wait_for_request(mark)
    assert (logged.status, logged.outcome) == (200, "cut")
    server.wait_for_log("RuntimeError: broken in the middle")


def test_an_exit_in_the_middle_is_a_cut_request_and_not_a_dead_worker(
    server: Server, mark: str
) -> None:
    workers = server.workers()
    assert not server.get(f"/exits_in_the_middle?{mark}").whole
    assert server.wait_for_request(mark).outcome == "cut"
    assert server.get("/exits").status == 500
    assert server.workers() == workers


def test_a_head_already_sent_cannot_be_replaced(server: Server, mark: str) -> None:
    answer = server.get(f"/replaces_a_sent_head?{mark}")
    assert (answer.status, answer.whole) == (200, False)
    assert server.wait_for_request(mark).outcome == "cut"
    server.wait_for_log("too late to change the head")


def test_a_body_shorter_than_declared_cuts_the_connection(server: Server, mark: str) -> None:
    with server.client() as client:
        answer = client.get(f"/sends_less_than_declared?{mark}")
        assert (answer.body, answer.whole) == (b"short", False)
    assert server.wait_for_request(mark).outcome == "cut"


def test_a_body_longer_than_declared_stops_at_the_length(server: Server, mark: str) -> None:
    with server.client() as client:
        answer = client.get(f"/sends_more_than_declared?{mark}")
        assert (answer.body, answer.whole) == (b"abcde", True)
        # What was over the length must not be taken for the next answer.
        try:
            assert client.get("/hello").body == b"hello"
        except (Ended, ConnectionError):
            pass
    server.wait_for_access(mark)


def test_hop_by_hop_headers_are_dropped_and_the_log_says_so(server: Server, mark: str) -> None:
    with server.client() as client:
        answer = client.get(f"/sends_hop_by_hop_headers?{mark}")
        assert (answer.status, answer.body, answer.whole) == (200, b"hops", True)
        assert answer.header("X-Kept") == "yes"
        assert answer.header("Keep-Alive") is None
        assert answer.header("Upgrade") is None
        assert client.get("/hello").body == b"hello"
    server.wait_for_log("(?i)keep-alive")


def test_connection_close_of_the_application_is_honoured(server: Server) -> None:
    with server.client() as client:
        answer = client.get("/asks_to_close")
        assert (answer.body, answer.closes) == (b"closing", True)
        assert client.read_until_closed() == b""


def test_a_big_head_is_sent_whole(server: Server) -> None:
    with server.client() as client:
        answer = client.get("/big_head")
        assert (answer.status, answer.body) == (200, b"after a big head")
        assert sum(name.startswith("X-Field-") for name, _ in answer.headers) == 100
        assert client.get("/hello").body == b"hello"


# ---- the application's view


def test_wsgiref_validate_finds_nothing_to_complain_about(server: Server) -> None:
    with server.client() as client:
        assert client.get("/validated").body == b"read 0"
        assert client.post("/validated", b"abc", "Content-Type: text/plain").body == b"read 3"
        assert client.get("/validated?write=1").body == b"written read 0"
        assert client.get("/validated", method="HEAD").status == 200
    assert "AssertionError" not in server.log()


def test_the_environ_tells_the_truth(server: Server) -> None:
    with server.client() as client:
        host, port = client.socket.getsockname()
        seen = client.get("/show_environ?a=b%20c", "X-Custom: value", "Content-Type: a/b").json()
    expected = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/show_environ",
        "QUERY_STRING": "a=b%20c",
        "RAW_URI": "/show_environ?a=b%20c",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": host,
        "REMOTE_PORT": str(port),
        "SERVER_PORT": server.url.rpartition(":")[2],
        "HTTP_HOST": "localhost",
        "HTTP_X_CUSTOM": "value",
        "CONTENT_TYPE": "a/b",
        "wsgi.version": [1, 0],
        "wsgi.url_scheme": "http",
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    assert {key: seen.get(key) for key in expected} == expected
    assert "HTTP_CONTENT_TYPE" not in seen


def test_one_thread_and_many_workers_are_said_truthfully(start: Start) -> None:
    seen = start("tests.live.apps.plain", "--workers", "2").get("/show_environ").json()
    assert (seen["wsgi.multithread"], seen["wsgi.multiprocess"]) == (False, True)


def test_what_the_application_says_to_wsgi_errors_is_in_the_error_log(
    server: Server, mark: str
) -> None:
    server.get(f"/logs_an_error?say={mark}")
    server.wait_for_log(f"application says {mark}")
    assert f"printed {mark}" not in server.log()


def test_captured_output_is_in_the_error_log(start: Start, mark: str) -> None:
    server = start("tests.live.apps.plain", "--capture-output")
    server.get(f"/logs_an_error?say={mark}")
    server.wait_for_log(f"printed {mark}")


def test_a_local_proxy_is_believed_about_the_scheme(server: Server) -> None:
    assert server.get("/show_environ", "X-Forwarded-Proto: https").json()["wsgi.url_scheme"] == (
        "https"
    )


def test_a_strange_client_is_not_believed_about_the_scheme(start: Start) -> None:
    server = start("tests.live.apps.plain", "--forwarded-allow-ips", "10.9.8.7")
    assert server.get("/show_environ", "X-Forwarded-Proto: https").json()["wsgi.url_scheme"] == (
        "http"
    )
