"""Draws docs/playground.png: the first look at the playground with its thread open, in a real browser (`make screenshot`)."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from browser_setup import find
from playwright.async_api import async_playwright

from bot.playground import show_first
from bot.playground.server import Playground

PICTURE = Path(__file__).parents[1] / "docs" / "playground.png"
SIZE = {"width": 1500, "height": 950}


async def draw() -> None:
    """Start a playground, open the thread of its first answer, and take the picture."""
    browser_path = find()
    if browser_path is None:
        sys.exit("no Chromium was found: python tests/browser_setup.py")
    with tempfile.TemporaryDirectory() as folder:
        playground = Playground(0, Path(folder) / "ledger.sqlite3")
        await playground.start()
        try:
            await show_first(playground)
            async with async_playwright() as driver:
                browser = await driver.chromium.launch(
                    executable_path=browser_path, args=["--headless", "--no-sandbox"]
                )
                page = await browser.new_page(viewport=SIZE, color_scheme="light")
                await page.goto(playground.url)
                await page.locator("main .post .replies").last.click()
                await page.locator("aside .file img").wait_for()
                await page.evaluate("document.querySelector('aside .file img').decode()")
                await page.screenshot(path=PICTURE)
                await browser.close()
        finally:
            await playground.stop()


if __name__ == "__main__":
    asyncio.run(draw())
