"""A real browser in front of a real playground."""

from __future__ import annotations

import os

import pytest
import pytest_asyncio
from browser_setup import find
from playwright.async_api import async_playwright, expect

from bot.playground import show_first
from bot.playground.server import Playground

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
PATIENCE_MS = 30_000  # for an answer, on a busy machine
SIZES = {"desk": (1500, 950), "phone": (420, 860)}

expect.set_options(timeout=PATIENCE_MS)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser():
    """Return a browser for all tests of this process: what drives it takes a second to start."""
    path = find()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: in CI nothing is left out")
        pytest.skip("no Chromium was found or could be installed")
    async with async_playwright() as driver:
        made = await driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield made
        await made.close()


@pytest_asyncio.fixture(loop_scope="session")
async def playground(tmp_path, quick_children):
    """Return a running playground that has already answered one question."""
    made = Playground(0, tmp_path / "ledger.sqlite3")
    await made.start()
    await show_first(made)
    yield made
    await made.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser, playground):
    """Return an opener of browser pages that know nothing of each other; keywords choose scheme and size."""
    pages = []

    async def make(scheme: str = "light", size: str = "desk"):
        width, height = SIZES[size]
        page = await browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        pages.append(page)
        page.errors = []
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        await page.goto(playground.url)
        await page.wait_for_selector(".post")
        return page

    yield make
    for page in pages:
        await page.close()
