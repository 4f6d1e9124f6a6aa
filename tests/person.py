"""Somebody at the playground's page: what a person does there, in a person's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

    from bot.playground.server import Playground


class Person:
    """Types, clicks and looks."""

    def __init__(self, playground: Playground, page: Page) -> None:
        self._playground = playground
        self.page = page

    def traces(self, name: str) -> tuple[str, str]:
        """Return the ids of a sample: A, B."""
        pair = next(sample for sample in self._playground.samples.pairs if sample.name == name)
        return pair.baseline, pair.suspect

    async def go(self, place: str) -> None:
        """Open a channel, or the app."""
        await self.page.locator("nav button", has_text=place).click()

    async def type(self, text: str, where: str = "main") -> None:
        """Type a line and send it, in the channel or ("aside") in the thread."""
        await self.page.fill(f"{where} textarea", text)
        await self.page.press(f"{where} textarea", "Enter")

    def last(self, where: str = "main") -> Locator:
        """Return the newest message."""
        return self.page.locator(f"{where} .post").last

    def post(self, text: str | re.Pattern[str], where: str = "main") -> Locator:
        """Return the newest message that says something."""
        return self.page.locator(f"{where} .post", has_text=text).last

    async def alert(self, sender: str) -> Locator:
        """Have a monitoring tool post an alert; returns its message."""
        await self.choose(sender)
        found = self.page.locator("main .post", has=self.page.locator("header", has_text=sender)).last
        await found.wait_for()
        return found

    async def choose(self, alert: str) -> None:
        """Choose what the alert bot does."""
        await self.page.get_by_role("button", name="Post an alert").click()
        await self.page.get_by_role("menuitem", name=re.compile(alert)).click()

    async def react(self, post: Locator, name: str = "mag") -> None:
        """React to a message."""
        await post.hover()
        await post.get_by_role("button", name=f"React with {name}").click()

    async def shortcut(self, post: Locator) -> None:
        """Use our shortcut in a message's menu."""
        await post.hover()
        await post.get_by_role("button", name="More actions").click()
        await post.get_by_role("menuitem", name=re.compile("Compare traces")).click()

    async def open_thread(self, post: Locator) -> Locator:
        """Open a message's thread; returns it."""
        await post.hover()
        await post.get_by_role("button", name="Reply in thread").click()
        return self.page.locator("aside")

    async def close_thread(self) -> None:
        """Close the thread."""
        await self.page.get_by_role("button", name="Close thread").click()

    async def press(self, name: str, within: Locator | None = None) -> None:
        """Press a button of a message or of a modal."""
        await (within or self.page).get_by_role("button", name=name, exact=True).last.click()
