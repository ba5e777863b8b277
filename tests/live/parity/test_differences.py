"""The differences by intent: what each side does, and that docs/switching.md tells the same."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from canter.settings.registry import SETTINGS
from tests.live.harness import ROOT
from tests.live.parity.differences import DEFAULTS, DIFFERENCES, differs
from tests.live.parity.rows import real_rows
from tests.live.parity.sides import APP, Side
from tests.live.programs import needs
from tests.live.raw_http import Client, chunked
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.live.harness import Server

PAGE = (ROOT / "docs" / "switching.md").read_text(encoding="utf-8")


@pytest.fixture
def server(side: Side, shared: Callable[..., Server]) -> Server:
    """A server as somebody starts it who sets nothing; these tests only talk to it."""
    return shared(side)


# ---- the page


def table(heading: str) -> list[list[str]]:
    """The rows of the table below a heading, without its own head."""
    part = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def test_the_page_gives_every_difference_its_reason() -> None:
    told = {row[0]: row[-1] for row in table("What differs on purpose")}
    assert {subject: told.get(subject) for subject in DIFFERENCES} == DIFFERENCES


def test_every_difference_is_one_that_a_test_looks_at() -> None:
    sources = [path.read_text() for path in Path(__file__).parent.glob("test_*.py")]
    looked_at = {
        subject for source in sources for subject in re.findall(r'differs\(side, "(.*?)"\)', source)
    }
    assert looked_at == set(DIFFERENCES)


def test_the_page_gives_every_changed_default_its_reason() -> None:
    told = {row[0].strip("`"): row[-1] for row in table("Changed defaults")}
    assert told == DEFAULTS


@needs("gunicorn")
def test_the_page_tells_the_changed_defaults_as_they_are() -> None:
    real = {row.name: row.default for row in real_rows()}
    for name, theirs, ours, _ in table("Changed defaults"):
        setting = SETTINGS[name.strip("`")]
        if setting.name == "control_socket":
            assert setting.default is None
            continue
        assert theirs == f"`{setting.kind.render(setting.kind.parse(real[setting.name]))}`"
        assert ours == f"`{setting.kind.render(setting.default)}`"


# ---- configuration


def test_an_empty_web_concurrency(side: Side, tmp_path: Path) -> None:
    done = side.run(tmp_path, "--check-config", APP, environment={"WEB_CONCURRENCY": ""})
    assert done.status == (0 if differs(side, "empty `WEB_CONCURRENCY`") else 1)


def test_attributes_may_be_dotted_and_app_is_looked_for(side: Side, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(f"import {APP} as inner\nfrom {APP} import app\n")
    for target in ("shop", "shop:inner.app"):
        done = side.run(tmp_path, "--check-config", target)
        assert done.status == (0 if differs(side, "attribute of an application") else 1)


def test_umask_as_text(side: Side, tmp_path: Path) -> None:
    (tmp_path / "gunicorn.conf.py").write_text("umask = '027'\n")
    done = side.run(tmp_path, "--check-config", APP)
    assert done.status == (0 if differs(side, "umask as text") else 1)


def test_a_worker_class_that_cannot_be_loaded(side: Side, tmp_path: Path) -> None:
    done = side.run(tmp_path, "--bind", "127.0.0.1:0", "-k", "eventlet", f"{APP}:nothing")
    assert done.status == (4 if differs(side, "worker classes from elsewhere") else 1)
    assert "eventlet" in done.errors


def test_a_slip_in_a_name_is_told(side: Side, tmp_path: Path) -> None:
    (tmp_path / "gunicorn.conf.py").write_text("worker = 3\n")
    done = side.run(tmp_path, "--check-config", APP)
    assert done.status == 0
    assert ("did you mean workers" in done.errors) == differs(side, "unknown names in a file")


def test_an_application_that_exits_while_it_is_imported(
    side: Side, launch: Callable[..., Server], tmp_path: Path
) -> None:
    (tmp_path / "leaving.py").write_text(
        "import os, sys\nopen('imports', 'a').write(str(os.getpid()) + '\\n')\nsys.exit(1)\n"
    )
    if differs(side, "application that exits on import"):
        assert side.run(tmp_path, "--bind", "127.0.0.1:0", "leaving").status == 3
        return
    words = ("--pythonpath", str(tmp_path))
    server = launch(*words, app="leaving")
    imports = server.directory / "imports"
    eventually(
        lambda: imports.exists() and len(imports.read_text().splitlines()) > 2, "ever new workers"
    )


# ---- requests


def test_a_connection_is_kept_with_one_thread(side: Side, server: Server) -> None:
    with Client(server.address) as client:
        answer = client.get("/")
    assert answer.closes != differs(side, "keep-alive with one thread")


def test_a_request_over_its_time(side: Side, launch: Callable[..., Server]) -> None:
    server = launch("--timeout", "1", "--graceful-timeout", "1")
    (worker,) = server.workers()
    with Client(server.address) as client:
        client.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        said = client.read_until_closed()
    if differs(side, "request over its `--timeout`"):
        assert said.startswith(b"HTTP/1.1 504 ")
    else:
        assert said.startswith(b"HTTP/1.1 500 ")
    server.wait_for_replacement(worker, 1)


def test_server_software_names_the_server(side: Side, server: Server) -> None:
    name = server.get("/").json()["SERVER_SOFTWARE"].partition("/")[0]
    assert name == ("canter" if differs(side, "SERVER_SOFTWARE") else "gunicorn")


def test_the_environ_has_the_socket(side: Side, server: Server) -> None:
    missing = "gunicorn.socket" not in server.get("/").json()
    assert missing == differs(side, "`gunicorn.socket`")
    assert "gunicorn.socket" in server.get("/", "Connection: upgrade", "Upgrade: any").json()


def test_an_application_can_take_the_connection_over(server: Server) -> None:
    with server.client() as client:
        client.send(b"GET /take HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: any\r\n\r\n")
        received = client.read_some()
        assert received == b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
        client.send(b"said back")
        assert client.read_until_closed() == b"said back"


def test_a_chunked_body_has_a_length(side: Side, server: Server) -> None:
    with Client(server.address) as client:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.send(head + chunked(b"abc", b"de"))
        seen = client.read_answer("POST").json()
    if differs(side, "chunked body"):
        assert seen["CONTENT_LENGTH"] == "5"
        assert "HTTP_TRANSFER_ENCODING" not in seen
    else:
        assert "CONTENT_LENGTH" not in seen
        assert seen["HTTP_TRANSFER_ENCODING"] == "chunked"


def test_a_truncated_body_is_not_served(side: Side, server: Server) -> None:
    with Client(server.address) as client:
        client.send(b"POST /cut HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        client.half_close()
        said = client.read_until_closed()
    assert (b" 200 " not in said) == differs(side, "truncated body")


def test_cookies_in_several_fields_are_joined_as_cookies_are(side: Side, server: Server) -> None:
    cookies = server.get("/", "Cookie: a=1", "Cookie: b=2").json()["HTTP_COOKIE"]
    assert cookies == ("a=1; b=2" if differs(side, "repeated Cookie fields") else "a=1,b=2")


def test_a_refused_request_is_in_the_access_log(side: Side, server: Server) -> None:
    with Client(server.address, source="127.0.0.9") as client:
        client.send(b"GET  HTTP/1.1\r\n\r\n")
        assert b" 400 " in client.read_until_closed()
    if differs(side, "refused requests in the log"):
        server.wait_for_access("127.0.0.9")
        return
    server.get("/afterwards")
    server.wait_for_access("/afterwards")
    assert not server.access_lines("127.0.0.9")


def test_a_failed_request_has_its_size_in_the_access_log(side: Side, server: Server) -> None:
    with Client(server.address, source="127.0.0.10") as client:
        answer = client.get("/fail")
    assert answer.status == 500
    (line,) = server.wait_for_access("127.0.0.10")
    size = len(answer.body) if differs(side, "size of a failed request in the access log") else 0
    assert f'"GET /fail HTTP/1.1" 500 {size} ' in line


def test_field_names_in_secure_scheme_headers_have_no_case(
    side: Side, launch: Callable[..., Server], tmp_path: Path
) -> None:
    (tmp_path / "lower.py").write_text("secure_scheme_headers = {'x-scheme': 'https'}\n")
    server = launch("-c", str(tmp_path / "lower.py"))
    scheme = server.get("/", "X-Scheme: https").json()["wsgi.url_scheme"]
    expected = "https" if differs(side, "case in `secure_scheme_headers`") else "http"
    assert scheme == expected


def test_a_mount_point_and_another_path(side: Side, launch: Callable[..., Server]) -> None:
    server = launch(environment={"SCRIPT_NAME": "/shop"})
    assert server.get("/shop/a").json()["PATH_INFO"] == "/a"
    assert server.get("/b").status == (
        400 if differs(side, "SCRIPT_NAME and another path") else 500
    )


def test_an_application_that_never_calls_start_response(
    side: Side, launch: Callable[..., Server]
) -> None:
    server = launch(app=f"{APP}:silent")
    with Client(server.address) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        first = client.read_until_closed().split(b"\r\n")[0]
    wanted = b"HTTP/1.1 500" if differs(side, "`start_response` never called") else b"HTTP/1.1 None"
    assert first.startswith(wanted)


def test_a_request_that_exits_beside_others(side: Side, launch: Callable[..., Server]) -> None:
    server = launch("--threads", "2")
    (worker,) = server.workers()
    with Client(server.address) as client:
        client.send(b"GET /exit HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        said = client.read_until_closed()
    if differs(side, "`SystemExit` in a request, with threads"):
        assert said.startswith(b"HTTP/1.1 500 ")
        assert server.workers() == [worker]
    else:
        assert said == b""
        server.wait_for_replacement(worker, 1)


# ---- signals


def test_a_reload_with_a_broken_file(side: Side, launch: Callable[..., Server]) -> None:
    server = launch()
    (server.directory / "gunicorn.conf.py").write_text("workers = 3 +\n")
    server.signal(signal.SIGHUP)
    if differs(side, "HUP with a broken configuration"):
        server.wait_for_log(r"gunicorn\.conf\.py:1: SyntaxError")
        assert server.get("/").status == 200
    else:
        assert server.process.wait(20) == 1


def test_a_worker_that_gets_hup(side: Side, launch: Callable[..., Server]) -> None:
    server = launch()
    (worker,) = server.workers()
    os.kill(worker, signal.SIGHUP)
    if differs(side, "HUP sent to a worker"):
        assert server.get("/").json()["test.pid"] == worker
    else:
        server.wait_for_replacement(worker, 1)
