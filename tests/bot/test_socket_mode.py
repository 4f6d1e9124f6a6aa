"""Socket Mode: the same app over a websocket that we open."""

from __future__ import annotations

import asyncio

import aiohttp
from pydantic import SecretStr
from socket_slack import SocketSlack
from world import CHANNEL


async def test_a_command_over_the_websocket_becomes_an_answer(make_world, samples) -> None:
    """The envelope is acknowledged and the thread is posted, as over HTTP."""
    slack = SocketSlack()
    async with make_world(start=False, slack=slack, slack_app_token=SecretStr("xapp-1")) as world:
        await world.bot.start_socket()
        await asyncio.wait_for(slack.connected.wait(), 10)
        pair = next(s for s in samples.pairs if s.name == "slow-query")
        command = {
            "command": "/compare-traces", "text": f"{pair.baseline} {pair.suspect}", "team_id": "T1",
            "channel_id": CHANNEL, "user_id": "U1", "user_name": "alice",
            "response_url": f"{slack.base_url}/response/{CHANNEL}/x",
        }  # fmt: skip
        answer = await slack.envelope(command)
        assert answer["envelope_id"] == "e1"
        await world.settled()
        (root,) = slack.roots()
        assert root["text"].startswith("Slower")
        assert len(slack.replies(root["ts"])) == 2


async def test_a_usage_error_is_in_the_acknowledgement(make_world) -> None:
    """What cannot be done is answered with the acknowledgement itself."""
    slack = SocketSlack()
    async with make_world(start=False, slack=slack, slack_app_token=SecretStr("xapp-1")) as world:
        await world.bot.start_socket()
        await asyncio.wait_for(slack.connected.wait(), 10)
        answer = await slack.envelope(
            {"command": "/compare-traces", "text": "x y", "channel_id": CHANNEL, "user_id": "U1", "team_id": "T1"}
        )
        assert "not a trace id" in answer["payload"]["text"]
        assert world.slack.roots() == []


async def test_readiness_follows_the_websocket(make_world) -> None:
    """Socket Mode is ready only while Slack can reach us, and needs no port for Slack."""
    slack = SocketSlack()
    async with make_world(start=False, slack=slack, slack_app_token=SecretStr("xapp-1")) as world:
        await world.bot.start_socket()
        await asyncio.wait_for(slack.connected.wait(), 10)
        assert world.bot.web is None
        url = f"http://127.0.0.1:{world.bot.ops.port}"
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{url}/readyz") as response:
                assert response.status == 200
            async with session.post(f"{url}/slack/events", data="x") as response:
                assert response.status == 404  # nothing but health is served
            await world.bot._socket.disconnect_async()
            async with session.get(f"{url}/readyz") as response:
                assert response.status == 503
            async with session.get(f"{url}/healthz") as response:
                assert response.status == 200


async def test_the_swap_button_works_over_the_websocket(make_world, samples) -> None:
    """Interactions arrive as envelopes of their own kind and are answered in the thread."""
    slack = SocketSlack()
    async with make_world(start=False, slack=slack, slack_app_token=SecretStr("xapp-1")) as world:
        await world.bot.start_socket()
        await asyncio.wait_for(slack.connected.wait(), 10)
        pair = next(s for s in samples.pairs if s.name == "slow-query")
        common = {"team": {"id": "T1"}, "user": {"id": "U1", "username": "alice"}, "channel": {"id": CHANNEL}}
        await slack.envelope({
            "command": "/compare-traces", "text": f"{pair.baseline} {pair.suspect}", "team_id": "T1",
            "channel_id": CHANNEL, "user_id": "U1", "response_url": f"{slack.base_url}/response/{CHANNEL}/x",
        })  # fmt: skip
        await world.settled()
        (root,) = slack.roots()
        elements = [e for block in root["blocks"] if block["type"] == "actions" for e in block["elements"]]
        (swap,) = [element for element in elements if element["action_id"] == "swap"]
        payload = {"type": "block_actions", "message": root, "actions": [swap], "trigger_id": "t"}
        answer = await slack.envelope(payload | common, kind="interactive")
        assert answer["envelope_id"] == "e1"
        await world.settled()
        assert any(message["text"].startswith("Faster") for message in slack.replies(root["ts"]))
        assert len(slack.roots()) == 1
