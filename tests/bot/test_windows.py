"""Two windows of requests instead of two traces: asked in the channel, answered from a sample of both."""

from __future__ import annotations

import json
import time

import pytest
from backends import Town
from drawing import block
from world import CHANNEL, button

from bot.settings.reach import ChannelSettings

MINUTE = 60
ASK = 'service=checkout operation="POST /orders" last 30m vs before'


@pytest.fixture
def samples() -> Town:
    """Return a town whose checkout took 100 ms, and for half an hour takes 300 ms; the bot's worlds search it."""
    now = int(time.time())
    town = Town()
    town.traffic(now - 70 * MINUTE, now - 32 * MINUTE, 60, 100)
    town.traffic(now - 28 * MINUTE, now - 3 * MINUTE, 50, 300)
    town.traffic(now - 50 * MINUTE, now, 30, 20, operation="GET /orders")
    return town


def text(message: dict) -> str:
    """Return what a message shows."""
    return "\n".join(map(block, message["blocks"]))


async def test_windows_are_compared_in_the_channel(plain_world, samples) -> None:
    """Announcement, verdict with cause and sample sizes, a thread; then one request of each window, as a pair."""
    async with plain_world(channels={CHANNEL: ChannelSettings(sources=("jaeger",))}) as world:
        assert await world.command(ASK) == (200, "")
        await world.settled()
        (root,) = world.slack.roots()
        announced = world.slack.called("chat.postMessage")[0]["text"]
        assert announced.startswith("Comparing requests of checkout POST /orders, ")
        assert root["text"].startswith("Slower: requests to checkout POST /orders are 220 ms slower")
        shown = text(root)
        assert "*Cause:* SELECT orders in checkout holds requests up 297 ms instead of 99.0 ms" in shown
        assert "*Confidence:* high" in shown
        assert "all 50 requests · median 330 ms" in shown
        table, rest = (text(reply) for reply in world.slack.replies(root["ts"]))
        assert "| *SELECT orders* | +198 ms" in table
        assert "jaeger does not count all requests" in rest
        assert "the last minute or so" in rest

        pair = json.loads(button(root["blocks"], "compare_two")["value"])
        await world.click(root, "compare_two")
        await world.settled()
        other = world.slack.messages[CHANNEL][-1]
        verdicts = [m["text"] for m in world.slack.messages[CHANNEL] if m["text"].startswith("Slower: checkout")]
        assert len(verdicts) == 1, other
        assert pair["baseline"]["source"] == pair["suspect"]["source"] == "jaeger"
        assert "SELECT orders" in verdicts[0]


async def test_the_same_question_points_to_its_answer(make_world, samples) -> None:
    """Asked twice, answered once; the history names windows, and the report comes as files."""
    async with make_world(channels={CHANNEL: ChannelSettings(sources=("jaeger",))}) as world:
        fixed = "service=checkout operation=POST /orders from=-40m to=-2m vs from=-70m to=-40m"
        await world.command(fixed)
        await world.settled()
        (root,) = world.slack.roots()
        earlier = world.slack.called("chat.postMessage")[0]["text"]
        await world.command(fixed)
        await world.settled()
        if len(world.slack.roots()) > 1:  # the minute turned between both: another question
            assert world.slack.called("chat.postMessage")[-4]["text"] != earlier
        else:
            assert "asked a moment ago" in world.slack.whispers()[-1]
        await world.command("history")
        await world.settled()
        assert "checkout POST /orders" in world.slack.whispers()[-1]
        assert "(A) with" in world.slack.whispers()[-1]
        await world.click(world.slack.replies(root["ts"])[-1], "report")
        await world.settled()
        (files,) = [m["files"] for m in world.slack.thread(root["ts"]) if m.get("files")]
        names = sorted(its["name"].rpartition(".")[2] for its in files)
        assert names == ["json", "md"]
        bodies = [its.body for its in world.slack.uploads.files.values()]
        report = next(json.loads(body) for body in bodies if body.startswith(b"{"))
        assert report["verdict"]["kind"] == "slower"
        assert any(body.startswith(b"# requests to checkout POST /orders are ") for body in bodies)


async def test_a_cause_of_windows_is_known_again(make_world, samples) -> None:
    """By other windows, and by one pair of requests: each says when it was, with its link."""
    async with make_world(channels={CHANNEL: ChannelSettings(sources=("jaeger",))}) as world:
        await world.command(ASK)
        await world.settled()
        (first,) = world.slack.roots()
        assert "Same cause as on" not in first["text"]
        await world.click(first, "compare_two")
        await world.settled()
        await world.command('service=checkout operation="POST /orders" last 20m vs from=-60m to=-40m')
        await world.settled()
        verdicts = [m for m in world.slack.messages[CHANNEL] if m["text"].startswith("Slower: ")]
        pair, windows = (m for m in verdicts if m["ts"] != first["ts"])
        assert pair["text"].startswith("Slower: checkout")
        for other in (pair, windows):
            assert "Same cause as on" in other["text"]
            assert f"{world.url}/#{CHANNEL}/" in json.dumps(other["blocks"])
        assert f"{world.url}/#{CHANNEL}/{first['ts']}" in json.dumps(pair["blocks"])
        await world.click(world.slack.replies(windows["ts"])[-1], "report")
        await world.settled()
        report, data = [its.body for its in world.slack.uploads.files.values()][-2:]
        assert b"## Seen before\n\nSame cause as on" in report
        assert json.loads(data)["seen_before"]["fingerprint"] == json.loads(data)["causes"][0]["fingerprint"]
        await world.command("history SELECT orders")
        await world.settled()
        assert "checkout POST /orders" in world.slack.whispers()[-1]
        assert "holds requests up" in world.slack.whispers()[-1]


async def test_a_private_answer_can_be_posted(plain_world, samples) -> None:
    """One message for the person who asked, posting gives it to the channel, with its thread; a mention is answered."""
    async with plain_world(channels={CHANNEL: ChannelSettings(sources=("jaeger",))}) as world:
        await world.command(f"{ASK} private")
        await world.settled()
        assert world.slack.roots() == []
        (whisper,) = [m for m in world.slack.messages[CHANNEL] if m.get("ephemeral")]
        assert "Where the time goes" in text(whisper)
        await world.click(whisper, "post_to_channel")
        await world.settled()
        (root,) = world.slack.roots()
        assert len(world.slack.replies(root["ts"])) == 2

        said = "<@UBOT> what about service=checkout op=GET /orders last 25m vs before?"
        asked = world.slack.put(CHANNEL, user="U1", text=said)
        await world.event({"type": "app_mention", "user": "U1", "channel": CHANNEL, "ts": asked["ts"], "text": said})
        await world.settled()
        said = [m["text"] for m in world.slack.messages[CHANNEL]]
        assert any(text.startswith("No meaningful difference: requests to checkout GET /orders") for text in said), said


REFUSED = {
    "service=chekout last 30m": "knows no service “chekout”. Did you mean checkout?",
    'service=checkout operation="POST /order" last 30m': "Did you mean POST /orders",
    "service=checkout from=-6h to=-5h vs before": "jaeger has no trace of checkout from ",
    "service=checkout last 30m source=tempo": "There is no source called “tempo” here. This channel has: jaeger",
    "service=checkout last 30m vs banana": "I do not understand “banana” here",
}


async def test_what_cannot_be_compared_is_told_to_the_asker_alone(plain_world, samples) -> None:
    """Names that are not known, windows without requests, sources that the channel does not have."""
    async with plain_world(channels={CHANNEL: ChannelSettings(sources=("jaeger",))}) as world:
        for asked, sentence in REFUSED.items():
            _, body = await world.command(asked)
            await world.settled()
            assert sentence in (json.loads(body)["text"] if body else world.slack.whispers()[-1])
        assert world.slack.roots() == []
