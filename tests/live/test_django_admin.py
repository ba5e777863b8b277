"""The Django admin, used as a member of staff uses it, in 2 workers of 4 threads."""

from __future__ import annotations

import re
import subprocess
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.live.apps import surface
from tests.live.apps.django_site.prepare import ADMINISTRATOR, PASSWORD
from tests.live.harness import Access
from tests.live.programs import needs, parse_wrk, wrk_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.live.harness import Server, Start

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
DOCUMENTS = "/admin/archive/document/"
WRK_SECONDS = 5


@pytest.fixture(scope="module")
def server(start_shared: Start, make_django_site: Callable[[], Path]) -> Server:
    return start_shared(
        "tests.live.apps.django_site.wsgi",
        "--workers",
        "2",
        "--threads",
        "4",
        environment={"DJANGO_SITE_DIRECTORY": str(make_django_site())},
    )


@pytest.fixture
def browser(server: Server) -> Iterator[httpx.Client]:
    with new_browser(server) as client:
        yield client


@pytest.fixture
def staff(browser: httpx.Client) -> httpx.Client:
    """A browser that has logged in."""
    log_in(browser)
    return browser


def new_browser(server: Server) -> httpx.Client:
    return httpx.Client(base_url=server.url, timeout=30)


def token_of(page: httpx.Response) -> str:
    found = TOKEN.search(page.text)
    assert found, page.text
    return found[1]


def log_in(browser: httpx.Client) -> None:
    page = browser.get("/admin/login/?next=/admin/")
    assert page.status_code == 200
    fields = {"username": ADMINISTRATOR, "password": PASSWORD, "next": "/admin/"}
    answer = browser.post("/admin/login/", data={"csrfmiddlewaretoken": token_of(page), **fields})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")


def add_document(staff: httpx.Client, title: str, data: bytes) -> int:
    """Upload a document in the admin; its key."""
    page = staff.get(f"{DOCUMENTS}add/")
    answer = staff.post(
        f"{DOCUMENTS}add/",
        data={"csrfmiddlewaretoken": token_of(page), "title": title, "_continue": "1"},
        files={"attachment": (f"{title}.bin", data)},
    )
    assert answer.status_code == 302, answer.text
    key = re.search(r"/document/(\d+)/change/", answer.headers["Location"])
    assert key, answer.headers
    return int(key[1])


def test_a_stranger_is_sent_to_the_login_page(server: Server, browser: httpx.Client) -> None:
    answer = browser.get("/admin/")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/admin/login/?next=/admin/"


def test_a_form_without_its_token_is_refused(browser: httpx.Client) -> None:
    fields = {"username": ADMINISTRATOR, "password": PASSWORD}
    assert browser.post("/admin/login/", data=fields).status_code == 403
    assert browser.post("/guarded", data={}).status_code == 403


def test_a_form_with_its_token_is_accepted(browser: httpx.Client) -> None:
    token = token_of(browser.get("/guarded"))
    answer = browser.post("/guarded", data={"csrfmiddlewaretoken": token})
    assert (answer.status_code, answer.text) == (200, "accepted")


def test_a_wrong_password_is_told(browser: httpx.Client) -> None:
    token = token_of(browser.get("/admin/login/"))
    fields = {"username": ADMINISTRATOR, "password": "no", "csrfmiddlewaretoken": token}
    answer = browser.post("/admin/login/", data=fields)
    assert answer.status_code == 200
    assert "Please enter the correct username and password" in answer.text


def test_an_uploaded_document_is_listed_and_comes_back(
    server: Server, staff: httpx.Client, mark: str
) -> None:
    key = add_document(staff, mark, surface.DOWNLOAD * 4)
    page = staff.get(DOCUMENTS)
    assert page.status_code == 200
    assert f"documents/{mark}.bin" in page.text
    answer = staff.get(f"/documents/{key}/download?{mark}")
    assert answer.content == surface.DOWNLOAD * 4
    assert f"{mark}.bin" in answer.headers["Content-Disposition"]
    logged = server.wait_for_request(f"download?{mark}")
    assert (logged.status, logged.size, logged.outcome) == (200, len(answer.content), "ok")


def test_a_search_in_the_admin_finds_its_document(staff: httpx.Client, mark: str) -> None:
    add_document(staff, "another", b"not found")
    add_document(staff, mark, b"found")
    assert "1 result" in staff.get(DOCUMENTS, params={"q": mark}).text


def test_the_admins_style_sheets_come_from_whitenoise(server: Server, staff: httpx.Client) -> None:
    sheets = re.findall(r'href="(/static/admin/css/[^"]+\.css)"', staff.get("/admin/").text)
    assert len(sheets) >= 3
    for sheet in sheets:
        answer = staff.get(sheet)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/css")
        assert "immutable" in answer.headers["Cache-Control"]
        packed = staff.get(sheet, headers={"Accept-Encoding": "gzip"})
        assert packed.text == answer.text
    for sheet in set(sheets):
        assert len(server.wait_for_access_at_least(sheet, 2)) >= 2


def test_an_unchanged_style_sheet_is_not_sent_again(staff: httpx.Client) -> None:
    sheet = re.findall(r'href="(/static/admin/css/[^"]+\.css)"', staff.get("/admin/").text)[0]
    changed = staff.get(sheet).headers["Last-Modified"]
    answer = staff.get(sheet, headers={"If-Modified-Since": changed})
    assert (answer.status_code, answer.content) == (304, b"")
    assert staff.get("/hello").status_code == 200


def test_a_session_counts_over_both_workers(server: Server, browser: httpx.Client) -> None:
    counted = [browser.get("/visits").json()["visits"] for _ in range(5)]
    # Each visit on a connection of its own may meet the other worker.
    for _ in range(5):
        with new_browser(server) as other:
            other.cookies = browser.cookies
            counted.append(other.get("/visits").json()["visits"])
    assert counted == list(range(1, 11))


def test_logging_out_ends_the_session(staff: httpx.Client) -> None:
    token = token_of(staff.get("/admin/"))
    assert staff.post("/admin/logout/", data={"csrfmiddlewaretoken": token}).status_code == 200
    assert staff.get("/admin/").status_code == 302


class Visitor(threading.Thread):
    """Uses the admin again and again until told to stop; any wrong answer ends it."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.stopping = threading.Event()
        self.rounds = 0
        self.error: Exception | AssertionError | None = None
        self._server = server

    def run(self) -> None:
        try:
            with new_browser(self._server) as browser:
                log_in(browser)
                while not self.stopping.is_set():
                    self._round(browser)
                    self.rounds += 1
        except Exception as error:  # noqa: BLE001 - the test looks at it in its own thread
            self.error = error

    def _round(self, browser: httpx.Client) -> None:
        title = f"{self.name}-{self.rounds}"
        data = title.encode() * 20_000
        key = add_document(browser, title, data)
        page = browser.get(DOCUMENTS)
        assert page.status_code == 200
        assert title in page.text
        assert browser.get(f"/documents/{key}/download").content == data


@needs("wrk")
def test_the_admin_can_be_used_while_wrk_runs_without_a_failed_request(
    server: Server, mark: str
) -> None:
    command = wrk_command(f"{server.url}/json?{mark}", seconds=WRK_SECONDS, connections=16)
    visitors = [Visitor(server, f"{mark}-{number}") for number in range(2)]
    wrk = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for visitor in visitors:
            visitor.start()
        text, _ = wrk.communicate(timeout=WRK_SECONDS + 40)
    finally:
        wrk.kill()
        wrk.wait()
        for visitor in visitors:
            visitor.stopping.set()
        for visitor in visitors:
            visitor.join(60)
    for visitor in visitors:
        assert not visitor.is_alive()
        assert visitor.error is None, repr(visitor.error)
        assert visitor.rounds > 0
    report = parse_wrk(text)
    assert report.requests > 0
    assert report.failed == 0, text
    lines = server.wait_for_access_at_least(f"json?{mark}", report.requests)
    logged = [Access.parse(line) for line in lines]
    assert {entry.status for entry in logged} == {200}
    visits = [Access.parse(line) for line in server.access_lines(DOCUMENTS)]
    assert {entry.status for entry in visits} <= {200, 302}
