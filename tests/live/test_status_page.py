"""The status page in a real Chromium: what a person sees while things happen to the server."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

import pytest

from tests.live.harness import PLAIN
from tests.live.load import Load
from tests.live.programs import needs
from tests.live.raw_http import request_head
from tests.live.waiting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Locator, Page

    from tests.live.harness import Server, Start

playwright = pytest.importorskip("playwright.sync_api")
browsing = pytest.importorskip("tests.live.browser")
expect = playwright.expect

pytestmark = needs("chromium")
PATIENT = browsing.PATIENCE_MS


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing.chromium() as found:
        yield found


@pytest.fixture(scope="module")
def served(start_shared: Start) -> Server:
    """One that nothing happens to."""
    server: Server = start_shared(PLAIN, "--threads", "4", "--status-bind", ":0")
    return server


def page_of(server: Server) -> str:
    return server.wait_for_log(r"status page at (http://127\.0\.0\.1:\d+)")[1]


def shows(locator: Locator, what: str | re.Pattern[str]) -> None:
    expect(locator).to_contain_text(what, timeout=PATIENT)


def card(page: Page, label: str) -> Locator:
    return page.locator(".card", has_text=label).locator("b")


def has_pids(page: Page, pids: list[int]) -> None:
    """Those workers have a line each, and nobody else has."""
    rows = page.locator("#workers tr")
    expect(rows).to_have_count(len(pids), timeout=PATIENT)
    for pid in pids:
        expect(rows.filter(has_text=re.compile(rf"\b{pid}\b"))).to_have_count(1, timeout=PATIENT)


def test_load_a_death_and_a_reload_are_seen_as_they_happen(start: Start, browser: Browser):
    server = start(PLAIN, "--workers", "2", "--threads", "2", "--status-bind", ":0")
    url = page_of(server)
    with browsing.visiting(browser, url) as page, server.client() as slow:
        shows(page.locator("#phase"), "running")
        shows(page.locator("#about"), f"{PLAIN} at {server.url}")
        slow.send(request_head("GET", "/sleeps_in_one_call?seconds=60&card=secret"))
        running = page.locator("#running tr").first
        shows(running, "GET /sleeps_in_one_call")
        shows(card(page, "threads busy"), "1 / 4")
        busy = page.get_by_role("img", name="1 of 2 threads busy")
        expect(busy).to_have_count(1, timeout=PATIENT)
        victim = int(running.locator("td").nth(1).inner_text())
        old = [
            int(text.split()[0])
            for text in page.locator("#workers td:first-child").all_inner_texts()
        ]
        has_pids(page, old)
        with Load(server.address, connections=2, path="/who?card=secret") as load:
            shows(card(page, "requests / s"), re.compile(r"^[1-9]\d*$"))
            os.kill(victim, signal.SIGKILL)
            events = page.locator("#events li")
            shows(events.filter(has_text="SIGKILL"), f"worker {victim} was killed by SIGKILL")
            server.wait_for_replacement(victim, 3)
            server.signal(signal.SIGHUP)
            shows(events.first, "generation 2 serves")
            shows(page.locator("#deploys"), "deploy 2: live")
            shows(page.locator("#deploys"), "1 succeeded, 0 failed")
            expect(page.locator("#workers tr").filter(has_text="deploy 1")).to_have_count(
                0, timeout=PATIENT
            )
            has_pids(page, server_workers(server))
        assert not set(old) & set(server_workers(server))
        assert "secret" not in page.content(), "query strings are nobody's business"
        load_failures = [it for it in load.report.failures if it.pid not in {victim, None}]
        assert not load_failures


def server_workers(server: Server) -> list[int]:
    return [worker["pid"] for generation in server.status() for worker in generation["workers"]]


def test_it_can_be_used_by_keyboard(served: Server, browser: Browser):
    with browsing.visiting(browser, page_of(served)) as page:
        shows(page.locator("#phase"), "running")
        button = page.get_by_role("button", name="Pause")
        expect(button).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.locator("#pause")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("#pause")).to_have_attribute("aria-pressed", "true")
        held = page.locator("#about").inner_text()
        taken = page.evaluate("history.length")
        eventually(lambda: page.evaluate("history.length") > taken + 1, "there is news")
        assert page.locator("#about").inner_text() == held
        page.keyboard.press("p")
        expect(page.locator("#pause")).to_have_attribute("aria-pressed", "false")
        expect(page.locator("#about")).not_to_have_text(held)
        # What scrolls can be reached, and has a name.
        for name in ("Workers", "Running now"):
            page.keyboard.press("Tab")
            expect(page.get_by_role("region", name=name).locator("nth=-1")).to_be_focused()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in_the_light_and_in_the_dark(served: Server, browser: Browser, scheme: str):
    with browsing.visiting(browser, page_of(served), color_scheme=scheme) as page:
        shows(page.locator("#phase"), "running")
        ground = luminance(page, ".card", "backgroundColor")
        assert (ground > 0.5) == (scheme == "light")
        for part in (".card b", ".card .dim", "#workers td", "#phase"):
            ink = luminance(page, part, "color")
            contrast = (max(ink, ground) + 0.05) / (min(ink, ground) + 0.05)
            # WCAG 2.2, 1.4.3
            assert contrast >= 4.5, part


def luminance(page: Page, part: str, colour: str) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    # In one go: a second later the element may be another one.
    text = page.evaluate(
        "([part, colour]) => getComputedStyle(document.querySelector(part))[colour]", [part, colour]
    )
    values = [int(value) / 255 for value in re.findall(r"\d+", text)[:3]]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_it_fits_a_phone_and_numbers_do_not_move_what_is_around_them(
    served: Server, browser: Browser
):
    phone = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2}
    with browsing.visiting(browser, page_of(served), **phone) as page:
        shows(page.locator("#phase"), "running")
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) == 0
        boxes = (
            "[...document.querySelectorAll('.card')]"
            ".map((it) => it.getBoundingClientRect().toJSON())"
        )
        before = page.evaluate(boxes)
        assert before[0]["y"] == before[1]["y"], "two cards stand side by side"
        age = page.locator("#about").inner_text()
        served.get("/hello")
        expect(page.locator("#about")).not_to_have_text(age, timeout=PATIENT)
        assert page.evaluate(boxes) == before
