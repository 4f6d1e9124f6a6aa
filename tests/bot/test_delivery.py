"""Delivery: each message once in effect, at Slack's pace, and never as more than text."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient
from world import CHANNEL, FaultySlack, serve

from bot.errors import DeliveryError
from bot.slack import post, refusals
from bot.slack.elements import Message, preformatted, rich, section, text
from bot.slack.post import Delivery, Pace

HELLO = Message(text="hello", blocks=[rich(section(text("hello")))])


class Desk:
    """A delivery whose pauses are only written down."""

    def __init__(self, slack: FaultySlack, url: str) -> None:
        self.slack = slack
        self.waits: list[float] = []
        client = AsyncWebClient(token="xoxb-1", base_url=f"{url}/api/", retry_handlers=[])
        self.delivery = Delivery(client, self._wait)

    async def _wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    @property
    def pauses(self) -> list[float]:
        """Return the pauses that were longer than nothing."""
        return [seconds for seconds in self.waits if seconds]


@asynccontextmanager
async def open_desk(slack: FaultySlack):
    """Serve a workspace and yield a delivery to it."""
    app = web.Application()
    app.add_routes(slack.routes())
    async with serve(app) as url:
        slack.base_url = url
        yield Desk(slack, url)


@pytest.fixture
async def desk():
    """Return a delivery to a quiet workspace."""
    async with open_desk(FaultySlack()) as made:
        yield made


@pytest.mark.parametrize(
    ("said", "waited"), [("7", 7.0), ("3600", refusals.MAX_WAIT_S), ("soon", 1.0), ("", 1.0), ("-5", 1.0)]
)
async def test_a_rate_limit_is_waited_out_as_long_as_slack_says_within_reason(desk, said, waited) -> None:
    """Retry-After is obeyed, bounded, and never trusted to be a number."""
    desk.slack.faults = [("chat.postMessage", f"429 {said}")]
    await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    assert desk.pauses == [waited]
    assert len(desk.slack.roots()) == 1


async def test_what_may_have_been_posted_is_found_in_a_long_thread(desk) -> None:
    """After a lost answer the whole thread is searched, page by page, not only its beginning."""
    root = await desk.delivery.post(CHANNEL, HELLO, message_id="root")
    for number in range(2 * post.PAGE + 10):
        desk.slack.do_chat_postMessage({"channel": CHANNEL, "thread_ts": root, "text": f"{number}"})
    desk.slack.faults = [("chat.postMessage", "cut after")]
    ts = await desk.delivery.post(CHANNEL, HELLO, message_id="reply", thread_ts=root)
    ours = [m for m in desk.slack.replies(root) if m["text"] == "hello"]
    assert [m["ts"] for m in ours] == [ts]


async def test_another_apps_metadata_is_not_taken_for_ours(desk) -> None:
    """Only messages of our own kind count as already posted."""
    desk.slack.do_chat_postMessage({
        "channel": CHANNEL, "text": "x", "metadata": {"event_type": "other_app", "event_payload": {"id": "k"}},
    })  # fmt: skip
    assert await desk.delivery.find(CHANNEL, "k", None) is None


async def test_where_the_channel_cannot_be_read_an_answer_counts_more_than_its_uniqueness(desk) -> None:
    """Without the right to look, a message whose fate is unknown is posted again."""
    desk.slack.faults = [("chat.postMessage", "500"), ("conversations.history", "missing_scope")]
    await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    assert [m["text"] for m in desk.slack.roots()] == ["hello"]


async def test_a_workspace_that_stays_silent_is_given_up_on(desk) -> None:
    """After a few tries the caller is told; nobody waits after the last one."""
    desk.slack.faults = [("chat.postMessage", "500")] * 10
    with pytest.raises(DeliveryError, match="could not be reached"):
        await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    assert len(desk.slack.called("chat.postMessage")) == refusals.ATTEMPTS
    assert desk.pauses == [0.5, 1.0, 2.0]


async def test_no_text_can_become_a_link_or_a_mention(desk) -> None:
    """Posts, edits and whispers all turn Slack's search for addresses and names off; nothing unfurls."""
    ts = await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    await desk.delivery.update(CHANNEL, ts, HELLO)
    await desk.delivery.whisper(CHANNEL, "U1", HELLO)
    calls = [arguments for name, arguments in desk.slack.calls if name.startswith("chat.")]
    assert len(calls) == 3
    for arguments in calls:
        assert arguments["parse"] == "none"
        assert str(arguments["link_names"]).lower() in ("0", "false")
    assert [str(calls[0][name]).lower() for name in ("unfurl_links", "unfurl_media")] == ["false", "false"]


@pytest.mark.parametrize("error", ["message_not_found", "edit_window_closed", "cant_update_message"])
async def test_a_message_that_cannot_be_edited_any_more_is_said(desk, error) -> None:
    """The caller learns that the message is gone, and decides; anything else Slack refuses is an error."""
    ts = await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    desk.slack.faults = [("chat.update", error), ("chat.update", "is_archived")]
    assert await desk.delivery.update(CHANNEL, ts, HELLO) is False
    with pytest.raises(DeliveryError, match="is_archived"):
        await desk.delivery.update(CHANNEL, ts, HELLO)
    assert await desk.delivery.update(CHANNEL, ts, HELLO) is True


async def test_a_message_that_is_gone_counts_as_removed(desk) -> None:
    """Taking back what somebody else took back already has succeeded."""
    assert await desk.delivery.remove(CHANNEL, "1.000001") is True
    ts = await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    desk.slack.faults = [("chat.delete", "cant_delete_message")]
    assert await desk.delivery.remove(CHANNEL, ts) is False


async def test_layouts_beyond_the_limits_are_never_sent(desk) -> None:
    """A message that Slack would refuse is sent in its plainer form at once."""
    huge = Message(text="short", blocks=[rich(preformatted("x" * 9_000))], plain_blocks=[rich(preformatted("plain"))])
    await desk.delivery.post(CHANNEL, huge, message_id="k")
    (call,) = desk.slack.called("chat.postMessage")
    assert "plain" in str(call["blocks"])


def test_a_channel_gets_a_short_burst_and_then_one_message_a_second() -> None:
    """Slack's pace is kept without making a single answer wait."""
    pace = Pace()
    waits = [pace.wait_s(100.0) for _ in range(8)]
    assert waits[:4] == [0, 0, 0, 0]
    assert waits[4:] == [1, 2, 3, 4]
    assert pace.wait_s(1_000.0) == 0
