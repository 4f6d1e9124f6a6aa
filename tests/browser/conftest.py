"""A real browser in front of a real playground."""

from __future__ import annotations

import os

import pytest
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


@pytest.fixture
async def playground(tmp_path):
    """Return a running playground that has already answered one question."""
    made = Playground(0, tmp_path / "ledger.sqlite3")
    await made.start()
    await show_first(made)
    yield made
    await made.stop()


@pytest.fixture
async def open_page(playground, tmp_path):
    """Return an opener of browser pages; keywords choose scheme and size."""
    path = find()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium: in CI nothing is left out")
        pytest.skip("no Chromium was found or could be installed")
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=path, args=list(FLAGS))

        async def make(scheme: str = "light", size: str = "desk"):
            width, height = SIZES[size]
            page = await browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.errors = []
            page.on("pageerror", lambda error: page.errors.append(str(error)))
            await page.goto(playground.url)
            await page.wait_for_selector(".post")
            return page

        yield make
        await browser.close()
