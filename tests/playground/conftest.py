"""A workspace with a small app of Bolt's in it, so that what Slack does can be tested without our bot."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_sdk.web.async_client import AsyncWebClient
from world import serve

from bot.playground.workspace import BOT_ID, BOT_USER, TEAM, Workspace

SECRET = "k" * 32
MAIN, OTHER, FOREIGN = "C0MAIN", "C0OTHER", "C0FOREIGN"
SCOPES = ["chat:write", "channels:history", "channels:read", "users:read", "reactions:write", "files:write"]
EVENTS = ["app_mention", "app_home_opened", "message.channels", "reaction_added", "reaction_removed"]

HEARS = ("app_mention", "app_home_opened", "message", "reaction_added", "reaction_removed")


def manifest(**changes) -> dict:
    """Return a manifest that allows and declares everything; keywords replace `scopes` and `events`."""
    return {
        "features": {
            "app_home": {"home_tab_enabled": True},
            "slash_commands": [{"command": "/try", "description": "Try", "should_escape": False}],
            "shortcuts": [
                {"name": "Look", "type": "message", "callback_id": "look", "description": "Look at it"},
                {"name": "Ask", "type": "global", "callback_id": "ask", "description": "Ask anything"},
            ],
        },
        "oauth_config": {"scopes": {"bot": changes.get("scopes", SCOPES)}},
        "settings": {"event_subscriptions": {"bot_events": changes.get("events", EVENTS)}},
    }


class Town:
    """The workspace, the app, and the client that the app has."""

    def __init__(self, workspace: Workspace, app: AsyncApp, client: AsyncWebClient) -> None:
        self.workspace = workspace
        self.app = app
        self.client = client
        self.heard: list[dict] = []  # events, in the order in which they came

    async def settled(self) -> None:
        """Wait until the app was told of everything."""
        await self.workspace.app.told()

    async def until(self, condition) -> None:
        """Wait until something is so; everything that happens in the workspace is a reason to look again."""
        watcher = asyncio.Event()
        async with asyncio.timeout(10):
            while not condition():
                await self.workspace.next_change(watcher, 0.2)
        self.workspace.forget(watcher)

    def messages(self, channel: str = MAIN) -> list[dict]:
        """Return what is in a channel."""
        return self.workspace.messages[channel]

    def texts(self, channel: str = MAIN) -> list[str]:
        """Return what one reads in a channel."""
        return [message["text"] for message in self.messages(channel)]


@asynccontextmanager
async def build(hears=HEARS, **changes):
    """Run a workspace and an app that writes down the events that it `hears`; `changes` are the manifest's."""
    workspace = Workspace(SECRET, {MAIN: "main", OTHER: "other", FOREIGN: "foreign"}, manifest(**changes))
    workspace.absent.add(FOREIGN)
    server = web.Application()
    server.add_routes(workspace.routes())
    async with serve(server) as url:
        workspace.base_url = url
        client = AsyncWebClient(token="xoxb-town", base_url=f"{url}/api/", retry_handlers=[])

        async def authorize() -> AuthorizeResult:
            return AuthorizeResult(
                enterprise_id=None, team_id=TEAM, bot_user_id=BOT_USER, bot_id=BOT_ID, bot_token="xoxb-town"
            )

        app = AsyncApp(signing_secret=SECRET, client=client, authorize=authorize, ignoring_self_events_enabled=False)
        town = Town(workspace, app, client)

        async def hear(event) -> None:
            town.heard.append(event)

        for event in hears:
            app.event(event)(hear)
        async with serve(app.web_app()) as address:
            workspace.app.url = f"{address}/slack/events"
            yield town
            await workspace.aclose()


@pytest.fixture
async def town():
    """Return a workspace with an app that may do everything."""
    async with build() as made:
        yield made


@pytest.fixture
def make_town():
    """Return a maker of workspaces; keywords change the manifest."""
    return build
