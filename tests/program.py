"""A program that asks over HTTP, with a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import aiohttp

TOKEN = "t0ken-of-a-program-that-asks"


class Program:
    """A program that calls the bot's HTTP API."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._session = session

    async def post(self, path: str, question=None, *, token: str = TOKEN, **more):
        """Ask; returns the status, the answer and its headers."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= more.pop("headers", {})
        body = {"json": question} if "data" not in more else {}
        async with self._session.post(f"{self.url}{path}", headers=headers, **body, **more) as response:
            assert response.content_type == "application/json"
            return response.status, await response.json(), response.headers

    async def refused(self, path: str, question=None, **more):
        """Ask what is refused; returns the status and the code, the shape and the sentence having been looked at."""
        status, body, _ = await self.post(path, question, **more)
        assert list(body) == ["error"]
        assert sorted(body["error"]) == ["code", "message"]
        assert body["error"]["message"].endswith((".", "?"))
        return status, body["error"]["code"]
