"""A real Chromium for tests of pages; it sees this machine's loopback and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.live.fronts.wrapping import program

PATIENCE_MS = 30_000


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-proxy-server"],
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def visiting(browser: Browser, url: str, **context: Any) -> Iterator[Page]:
    """A page that must not complain, and must fetch nothing from anywhere but `url`."""
    session = browser.new_context(**context)
    session.set_default_timeout(PATIENCE_MS)
    page = session.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    try:
        page.goto(url, wait_until="domcontentloaded")
        yield page
        assert not complaints, complaints
        assert all(it.startswith((f"{url}/", "data:")) for it in asked), asked
    finally:
        session.close()
