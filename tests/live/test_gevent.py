"""Workers of class gevent: a greenlet for each connection, and the promises of any other worker."""

from __future__ import annotations

import os
import resource
import signal
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.live.apps import surface
from tests.live.harness import PLAIN, clean_environment
from tests.live.load import Load
from tests.live.raw_http import chunked, request_head
from tests.live.waiting import eventually

pytest.importorskip("gevent")

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.live.harness import Server, Start
    from tests.live.raw_http import Client

GREENLETS = "tests.live.apps.greenlets"
MANY = 1000
GEVENT = ("--worker-class", "gevent")
BIG_MEGABYTES = 64


@pytest.fixture(scope="module")
def server(start_shared: Start) -> Iterator[Server]:
    """A server that waits for no client longer than a second."""
    options = ["header-timeout", "body-timeout", "send-timeout", "keep-alive"]
    started = start_shared(
        GREENLETS,
        *GEVENT,
        *(part for name in options for part in (f"--{name}", "1")),
        "--health-path",
        "/-/health",
    )
    yield started
    started.assert_no_traceback()


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 3 * MANY + 500), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Waiting:
    """Clients whose requests wait in the application until the file `gate` is there."""

    def __init__(self, server: Server, count: int, directory: Path, stack: ExitStack) -> None:
        self._gate = directory / "gate"
        begun = [directory / f"begun{number}" for number in range(count)]
        self.clients: list[Client] = []
        for one in begun:
            client = stack.enter_context(server.client())
            client.send(request_head("GET", f"/waits_for_file?started={one}&gate={self._gate}"))
            self.clients.append(client)
        eventually(lambda: all(one.exists() for one in begun), "all have begun")

    def release(self) -> None:
        self._gate.touch()


@pytest.mark.usefixtures("many_descriptors")
def test_one_worker_holds_a_thousand_slow_requests_at_once(start: Start) -> None:
    server = start(GREENLETS, *GEVENT, "--workers", "1", "--worker-connections", str(MANY + 10))
    with ExitStack() as stack:
        clients = [stack.enter_context(server.client()) for _ in range(MANY)]
        for client in clients:
            client.send(request_head("GET", "/wait"))
        eventually(lambda: server.get("/look").json()["inside"] == MANY, "all are inside")
        (worker,) = server.status()[0]["workers"]
        assert len(worker["running"]) >= MANY, "each is on the scoreboard"
        server.get("/open")
        assert {client.read_answer().body for client in clients} == {b"opened"}
        # They are kept alive, all of them.
        assert {client.get("/hello").status for client in clients[::100]} == {200}
    server.wait_for_access("GET /wait ", MANY)


def test_the_standard_library_is_patched_before_the_application_is_imported(
    server: Server,
) -> None:
    assert server.get("/look").json()["socket"].startswith("gevent.")


def test_threads_that_the_application_starts_at_import_go_on(server: Server) -> None:
    before = server.get("/look").json()["ticks"]
    eventually(lambda: server.get("/look").json()["ticks"] > before, "the thread ticks")


def test_pipelined_requests_are_answered_in_order_on_one_connection(server: Server) -> None:
    with server.client() as client:
        client.send(b"".join(request_head("GET", f"/who?tag={n}") for n in range(20)))
        assert [client.read_answer().json()["tag"] for _ in range(20)] == [
            str(n) for n in range(20)
        ]
        assert client.get("/hello").body == b"hello"


def test_a_stream_flows_while_it_is_made(server: Server, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with server.client() as client:
        client.send(request_head("GET", f"/gated_stream?gate={gate}"))
        first = client.read_some()
        assert b"200 OK" in first
        gate.touch()
        assert client.read_answer(already=first).whole


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_large_body_is_whole_before_the_application_is_called(
    server: Server, framing: str
) -> None:
    body = os.urandom(1024) * 3000
    with server.client() as client:
        if framing == "chunked":
            client.send(request_head("POST", "/echo", "Transfer-Encoding: chunked"))
            client.send(chunked(body[:1_000_000], body[1_000_000:]))
            answer = client.read_answer()
        else:
            answer = client.post("/echo", body)
        assert (answer.json()["size"], answer.json()["digest"]) == (len(body), surface.digest(body))
        assert client.get("/hello").status == 200


def test_a_client_that_asks_is_told_to_go_on(server: Server) -> None:
    with server.client() as client:
        client.send(request_head("POST", "/echo", "Content-Length: 4", "Expect: 100-continue"))
        assert client.read_interim().status == 100
        client.send(b"body")
        assert client.read_answer().json()["size"] == 4


def test_a_body_can_be_read_while_it_arrives(start: Start, tmp_path: Path) -> None:
    server = start(GREENLETS, *GEVENT, "--request-body", "stream")
    flag = tmp_path / "flag"
    with server.client() as client:
        client.send(request_head("POST", f"/reads_the_first_line?flag={flag}", "Content-Length: 9"))
        client.send(b"line\n")
        eventually(flag.exists, "the first line has arrived")
        assert server.get("/hello").status == 200, "it waits for its client, and for nobody else"
        client.send(b"rest")
        assert client.read_answer().json() == {"first": "line\n", "rest": 4}


def test_other_wire_formats_and_the_proxy_protocol_are_read(start: Start) -> None:
    server = start(PLAIN, *GEVENT, "--protocol", "uwsgi", "--proxy-protocol", "auto")
    asked = {
        "REQUEST_METHOD": "GET",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REQUEST_URI": "/show_environ",
        "PATH_INFO": "/show_environ",
        "QUERY_STRING": "",
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "192.0.2.7",
    }
    variables = b"".join(
        len(part).to_bytes(2, "little") + part.encode() for pair in asked.items() for part in pair
    )
    with server.client() as client:
        client.send(b"PROXY TCP4 192.0.2.1 192.0.2.2 1111 80\r\n")
        client.send(b"\0" + len(variables).to_bytes(2, "little") + b"\0" + variables)
        assert client.read_answer().json()["REMOTE_ADDR"] == "192.0.2.7"


def test_health_is_answered_by_the_server(server: Server) -> None:
    assert server.get("/-/health").status == 200


# ---- clients that are too slow, or leave


@pytest.mark.parametrize(
    "sent",
    [b"GET /hello HTTP/1.1\r\nHost:", request_head("POST", "/echo", "Content-Length: 9") + b"half"],
    ids=["head", "body"],
)
def test_a_request_that_stops_is_answered_408(server: Server, peer: str, sent: bytes) -> None:
    with server.client(source=peer) as client:
        client.send(sent)
        answer = client.read_answer()
        assert (answer.status, answer.closes) == (408, True)
        assert client.read_until_closed() == b""
    logged = server.wait_for_peer(peer)
    assert (logged.status, logged.outcome) == (408, "timeout")


def test_an_idle_connection_is_closed_without_a_word(server: Server, peer: str) -> None:
    with server.client(source=peer) as client:
        assert client.get("/hello").body == b"hello"
        assert client.read_until_closed() == b""
    server.wait_for_peer(peer)


@pytest.mark.parametrize("path", [f"/big_file?megabytes={BIG_MEGABYTES}", "/streams?blocks=2000"])
def test_a_client_that_takes_nothing_is_cut_off(server: Server, peer: str, path: str) -> None:
    with server.client(source=peer, receive_buffer_bytes=4096) as client:
        client.send(request_head("GET", path))
        logged = server.wait_for_peer(peer)
        assert (logged.status, logged.outcome) == (200, "timeout")
        assert server.get("/hello").status == 200


def test_the_application_can_see_that_its_client_has_left(
    server: Server, mark: str, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    with server.client() as client:
        client.send(request_head("GET", f"/disconnect_watch?name={mark}&started={started}"))
        eventually(started.exists, "the application runs")
    server.wait_for_request(mark)
    assert server.get("/tally").json()[f"{mark}.gone"] == 1


# ---- requests that take too long


def test_a_request_over_its_time_is_answered_504_and_its_greenlet_ended(
    start: Start, peer: str
) -> None:
    server = start(PLAIN, *GEVENT, "--timeout", "1")
    with Load(server.address, connections=2) as load:
        with server.client(source=peer) as client:
            answer = client.get("/sleeps_in_one_call?seconds=40")
            assert (answer.status, answer.closes) == (504, True)
        logged = server.wait_for_peer(peer)
        assert (logged.status, logged.outcome) == (504, "timeout")
        found = server.wait_for_log(r"over its time of 1 s: GET /sleeps_in_one_call.*in greenlet")
        assert "plain.py" in server.log()[found.start() :], "its stack is told"
        begun = load.count()
        eventually(lambda: load.count() > begun + 20, "the others go on")
    load.report.assert_flawless(server.access_lines)
    assert server.stop() == 0


def test_a_greenlet_that_does_not_let_itself_be_ended_holds_up_nobody(start: Start) -> None:
    server = start(GREENLETS, *GEVENT, "--timeout", "1", "--graceful-timeout", "60")
    old = server.workers()
    assert server.get("/stubborn").status == 504
    server.wait_for_new_workers(old, 1)
    assert server.stop() == 0


def test_a_soft_timeout_interrupts_a_greenlet_where_it_waits(start: Start, peer: str) -> None:
    server = start(PLAIN, *GEVENT, "--soft-timeout", "1")
    old = server.workers()
    with server.client(source=peer) as client:
        assert client.get("/sleeps_in_one_call?seconds=40").status == 504
        assert client.get("/hello").status == 200, "the connection goes on"
    assert server.workers() == old


# ---- ends, and limits


def test_a_stop_under_load_loses_no_request(start: Start, tmp_path: Path) -> None:
    server = start(PLAIN, *GEVENT, "--workers", "2")
    with ExitStack() as stack:
        waiting = Waiting(server, 20, tmp_path, stack)
        idle = stack.enter_context(server.client())
        assert idle.get("/hello").status == 200
        server.signal(signal.SIGTERM)
        server.wait_for_log("draining")
        assert idle.read_until_closed() == b""
        waiting.release()
        for client in waiting.clients:
            answer = client.read_answer()
            assert (answer.body, answer.closes) == (b"opened", True)
    assert server.wait_for_exit() == 0
    server.wait_for_access("/waits_for_file", 20)
    server.assert_no_traceback()


def test_reloads_under_load_lose_no_request(start: Start) -> None:
    server = start(PLAIN, *GEVENT, "--workers", "2")
    with Load(server.address, connections=4) as load:
        for _ in range(2):
            old = server.workers()
            server.signal(signal.SIGHUP)
            server.wait_for_new_workers(old, 2)
    load.report.assert_flawless(server.access_lines)


def test_a_worker_that_has_served_its_share_is_replaced(start: Start) -> None:
    server = start(PLAIN, *GEVENT, "--max-requests", "20")
    (old,) = server.workers()
    with Load(server.address, connections=2) as load:
        server.wait_for_replacement(old, 1)
    load.report.assert_flawless(server.access_lines)


def test_connections_above_the_limit_wait_until_there_is_room(start: Start, tmp_path: Path) -> None:
    server = start(PLAIN, *GEVENT, "--worker-connections", "3")
    with ExitStack() as stack:
        waiting = Waiting(server, 3, tmp_path, stack)
        late = stack.enter_context(server.client())
        late.send(request_head("GET", "/hello"))
        (worker,) = eventually(
            lambda: [w for w in server.status()[0]["workers"] if w["connections"] == 3],
            "as many connections as are allowed",
        )
        assert len(worker["running"]) == 3
        assert not late.has_input()
        waiting.release()
        for client in waiting.clients:
            assert client.read_answer().body == b"opened"
        # One of those that wait for their next request makes room.
        assert late.read_answer().body == b"hello"


# ---- what it does not do


def test_without_gevent_the_start_ends_with_one_clear_message(start: Start, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden" / "gevent"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('No module named gevent')\n")
    server = start(
        PLAIN, *GEVENT, ready=False, environment={"PYTHONPATH": _before_all(hidden.parent)}
    )
    assert server.wait_for_exit() == 3
    assert "pip install 'canter[gevent]'" in server.log()
    assert "Traceback" not in server.log() + server.output()


def test_tls_is_refused_with_one_clear_message(start: Start) -> None:
    server = start(PLAIN, *GEVENT, "--self-signed", ready=False)
    assert server.wait_for_exit() != 0
    said = server.log() + server.output()
    assert "--worker-class: the gevent engine speaks no TLS" in said
    assert "Traceback" not in said


def test_preloading_has_no_effect_and_is_said_so(start: Start) -> None:
    server = start(GREENLETS, *GEVENT, "--preload", "--threads", "2")
    assert "threads and preload_app have no effect with worker_class gevent" in server.output()
    assert server.status()[-1]["fork_server"] is None
    assert server.get("/look").json()["socket"].startswith("gevent.")


def _before_all(directory: Path) -> str:
    return os.pathsep.join((str(directory), clean_environment()["PYTHONPATH"]))
