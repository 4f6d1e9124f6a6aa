"""Delivery: each message once in effect, at Slack's pace, and never as more than text."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient
from structlog.testing import capture_logs
from world import CHANNEL, FaultySlack, serve

from bot.errors import DeliveryError
from bot.playground.workspace import USER
from bot.slack import post, refusals
from bot.slack.elements import Message, preformatted, rich, section, text
from bot.slack.post import Delivery, Pace, layouts

HELLO = Message(text="hello", blocks=[rich(section(text("hello")))])
NEWS = Message(text="news", blocks=[rich(section(text("rich news")))], plain_blocks=[rich(section(text("plain news")))])
OTHER = "C0OTHER"
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "Form"}, "blocks": HELLO.blocks}


PATIENCE_S = 300.0


class Desk:
    """A delivery whose pauses are only written down."""

    def __init__(self, slack: FaultySlack, url: str) -> None:
        self.slack = slack
        self.waits: list[float] = []
        self.client = AsyncWebClient(token="xoxb-1", base_url=f"{url}/api/", retry_handlers=[])
        self.delivery = Delivery(self.client, self._wait, PATIENCE_S)

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
    ("said", "waited"),
    [("7", 7.0), ("40", 40.0), ("300", 300.0), ("0", 1.0), ("soon", 1.0), ("", 1.0), ("-5", 1.0)],
)
async def test_a_rate_limit_is_waited_out_as_long_as_slack_says(desk, said, waited) -> None:
    """Retry-After is obeyed to the second, and never trusted to be a number."""
    desk.slack.faults = [("chat.postMessage", f"429 {said}")]
    await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    assert desk.pauses == [waited]
    assert len(desk.slack.roots()) == 1


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update", "chat.postEphemeral"])
async def test_rate_limits_are_no_failed_tries(desk, method) -> None:
    """Slack took nothing, and says when it will: however often, the call is made then, beside its other tries."""
    ts = await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    desk.slack.faults = [(method, what) for what in ("429 2", "500", "429 3", "500", *["429 1"] * 10, "500")]
    await say(desk, method, ts)
    assert desk.slack.faults == []
    assert [its["text"] for its in desk.slack.called(method)[-1:]] == ["news"]
    assert desk.pauses[:3] == [2, 0.5, 3]


@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update", "chat.postEphemeral"])
async def test_a_rate_limit_beyond_our_patience_is_told_with_its_time(desk, method) -> None:
    """Nobody waits in vain for what may only be done later; nothing else is said of it."""
    ts = await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    desk.slack.faults = [(method, "429 200"), (method, "429 101")]
    with pytest.raises(DeliveryError, match="takes no more from me for 101 s") as limited:
        await say(desk, method, ts)
    assert limited.value.code == "slack-limits"
    assert desk.pauses == [200]


async def say(desk, method: str, ts: str) -> None:
    """Say the news by a method."""
    if method == "chat.postMessage":
        await desk.delivery.post(CHANNEL, NEWS, message_id="l")
    elif method == "chat.update":
        await desk.delivery.update(CHANNEL, ts, NEWS)
    else:
        await desk.delivery.whisper(CHANNEL, "U1", NEWS)


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
    early = Pace()
    assert [early.wait_s(0.5) for _ in range(5)] == [0, 0, 0, 0, 1]


async def test_each_channel_has_a_pace_of_its_own(desk) -> None:
    """What one channel is sent makes no other wait."""
    for number in range(5):
        await desk.delivery.post(CHANNEL, HELLO, message_id=f"{number}")
    assert desk.waits[:4] == [0, 0, 0, 0]
    assert 0 < desk.waits[4] <= 1
    await desk.delivery.post(OTHER, HELLO, message_id="k")
    assert desk.waits[5:] == [0]


async def test_after_a_rate_limit_nothing_is_searched_for(desk) -> None:
    """Slack said that it did not take the message; after any other failure it might have."""
    desk.slack.faults = [("chat.postMessage", "429"), ("chat.postMessage", "500")]
    await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    (search,) = desk.slack.called("conversations.history")
    assert int(search["limit"]) == post.PAGE
    assert time.time() - float(search["oldest"]) == pytest.approx(post.LOOK_BACK_S, abs=60)
    assert len(desk.slack.called("chat.postMessage")) == 3


async def test_a_call_that_shows_nothing_with_a_time_has_none(desk) -> None:
    """What was shown is named by its ts, where Slack gives one."""
    assert await desk.delivery.once(CHANNEL, desk.client.auth_test, desk.client.auth_test) == ""


@pytest.mark.parametrize("what", ["post", "update", "whisper"])
async def test_who_takes_no_layout_is_given_up_on(desk, what) -> None:
    """Each layout is tried once and its refusal logged; the last is the text alone."""
    ts = await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    method = {"post": "chat.postMessage", "update": "chat.update", "whisper": "chat.postEphemeral"}[what]
    ways = {
        "post": lambda: desk.delivery.post(CHANNEL, NEWS, message_id="l"),
        "update": lambda: desk.delivery.update(CHANNEL, ts, NEWS),
        "whisper": lambda: desk.delivery.whisper(CHANNEL, "U1", NEWS),
    }
    desk.slack.faults = [(method, "invalid_blocks")] * 4
    before = len(desk.slack.called(method))
    with capture_logs() as logs, pytest.raises(DeliveryError) as refused:
        await ways[what]()
    assert (refused.value.code, refused.value.fields["detail"]) == ("slack-refused", "no layout was accepted")
    assert logs == 4 * [
        {"event": "layout refused", "log_level": "warning", "channel": CHANNEL, "reason": "invalid_blocks"}
    ]
    tried = desk.slack.called(method)[before:]
    assert [said["text"] for said in tried] == ["news"] * 4
    assert ["rich news" in str(said.get("blocks")) for said in tried] == [True, False, False, False]
    assert ["plain news" in str(said.get("blocks")) for said in tried] == [False, True, False, False]
    await ways[what]()
    assert "rich news" in str(desk.slack.called(method)[-1]["blocks"])


def test_a_message_is_laid_out_more_plainly_until_nothing_can_be_refused() -> None:
    """Rich, plain, its text cut to what one section holds, no blocks at all."""
    said = Message(text="x" * 9_000, blocks=NEWS.blocks, plain_blocks=NEWS.plain_blocks)
    *_, cut, none = layouts(said)
    assert none == []
    assert cut == [rich(section(text("x" * 9_000, width=2_000)))]
    assert list(layouts(NEWS))[:2] == [NEWS.blocks, NEWS.plain_blocks]
    assert len(list(layouts(HELLO))) == 3


async def test_an_edit_replaces_the_message_it_names(desk) -> None:
    """Text and blocks, and no other message's."""
    first = await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    second = await desk.delivery.post(CHANNEL, HELLO, message_id="l")
    assert await desk.delivery.update(CHANNEL, first, NEWS) is True
    found = {m["ts"]: m for m in desk.slack.roots()}
    assert found[first]["text"] == "news"
    assert "rich news" in str(found[first]["blocks"])
    assert found[second]["text"] == "hello"


async def test_a_removed_message_is_gone_and_no_other(desk) -> None:
    """The one that is named, in its channel; what Slack refuses for its form is not gone."""
    first = await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    await desk.delivery.post(CHANNEL, NEWS, message_id="l")
    assert await desk.delivery.remove(CHANNEL, first) is True
    assert [m["text"] for m in desk.slack.roots()] == ["news"]
    desk.slack.faults = [("chat.delete", "invalid_arguments")]
    assert await desk.delivery.remove(CHANNEL, first) is False


COPY = Message(text="again", blocks=[rich(section(text("again")))])


@pytest.mark.parametrize(
    ("fault", "copy", "heard"),
    [
        (None, COPY, ["hello"]),
        ("500", COPY, ["hello"]),
        ("429", None, ["hello"]),
        ("cut after", COPY, ["hello", "again"]),
        ("cut before", COPY, ["again"]),
        ("cut after", None, ["hello"]),
        ("half an answer", COPY, ["hello", "again"]),
    ],
)
async def test_a_whisper_whose_connection_breaks_is_said_once_more_as_a_copy(desk, fault, copy, heard) -> None:
    """Nobody can look up whether it was heard; what Slack refused is simply said again."""
    root = await desk.delivery.post(CHANNEL, NEWS, message_id="k")
    desk.slack.faults = [("chat.postEphemeral", fault)] if fault else []
    with capture_logs() as logs:
        await desk.delivery.whisper(CHANNEL, "U1", HELLO, root, copy=copy)
    said = [m for m in desk.slack.messages[CHANNEL] if m.get("ephemeral")]
    assert [m["text"] for m in said] == heard
    assert all(m["thread_ts"] == root for m in said)
    assert all(m["text"] in str(m["blocks"]) for m in said)
    assert {call["user"] for call in desk.slack.called("chat.postEphemeral")} == {"U1"}
    broke = bool(fault) and fault.startswith(("cut", "half"))
    assert [(line["event"], line["log_level"]) for line in logs] == broke * [("connection broke", "warning")]
    assert all(line["error"].endswith("Error") for line in logs)


@pytest.mark.parametrize(
    ("method", "silence"),
    [
        ("chat.postMessage", "it did not take a message after several tries"),
        ("chat.postEphemeral", "it did not take a message after several tries"),
        ("views.open", "it did not answer after several tries"),
    ],
)
async def test_whoever_asks_learns_that_slack_stays_silent(desk, method, silence) -> None:
    """After the last of several tries, each a little later than the one before."""
    desk.slack.faults = [(method, "500")] * refusals.ATTEMPTS
    ways = {
        "chat.postMessage": lambda: desk.delivery.post(CHANNEL, HELLO, message_id="k"),
        "chat.postEphemeral": lambda: desk.delivery.whisper(CHANNEL, "U1", HELLO),
        "views.open": lambda: desk.delivery.open_form("t", MODAL),
    }
    with pytest.raises(DeliveryError) as silent:
        await ways[method]()
    assert (silent.value.code, silent.value.fields["detail"]) == ("slack-unreachable", silence)
    assert desk.pauses == [0.5, 1.0, 2.0]


async def test_a_channel_that_cannot_be_searched_is_logged(desk) -> None:
    """Whoever looks learns nothing, and the log says why."""
    desk.slack.faults = [("conversations.history", "missing_scope")]
    with capture_logs() as logs:
        assert await desk.delivery.find(CHANNEL, "k", None) is None
    (line,) = logs
    assert (line["event"], line["log_level"], line["channel"]) == ("cannot look for a message", "warning", CHANNEL)
    assert "missing_scope" in line["reason"]


async def test_our_messages_are_found_by_their_ids_and_files_by_their_names(desk) -> None:
    """In the channel, or in the thread that is named."""
    root = await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    reply = await desk.delivery.post(CHANNEL, NEWS, message_id="l", thread_ts=root)
    desk.slack.put(CHANNEL, text="no id", metadata={"event_type": post.EVENT_TYPE})
    assert await desk.delivery.find(CHANNEL, "k", None) == root
    assert await desk.delivery.find(CHANNEL, "l", None) is None
    assert await desk.delivery.find(CHANNEL, "l", root) == reply
    shared = desk.slack.put(CHANNEL, thread_ts=root, files=[{"name": "a.png"}, {"name": "b.png"}])
    assert await desk.delivery.find_file(CHANNEL, "b.png", root) == shared["ts"]
    assert await desk.delivery.find_file(CHANNEL, "c.png", root) is None
    desk.slack.faults = [("conversations.replies", "missing_scope")]
    with pytest.raises(DeliveryError, match="missing_scope"):
        await desk.delivery.find_file(CHANNEL, "b.png", root)


async def test_a_search_ends_after_some_pages(desk) -> None:
    """A thread of thousands of messages is not read to its end."""
    root = await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    for _ in range(post.PAGES * post.PAGE):
        desk.slack.put(CHANNEL, thread_ts=root)
    await desk.delivery.post(CHANNEL, HELLO, message_id="l", thread_ts=root)
    assert await desk.delivery.find(CHANNEL, "l", root) is None
    assert len(desk.slack.called("conversations.replies")) == post.PAGES


async def test_a_message_is_read_by_its_time_root_or_reply(desk) -> None:
    """None when it is not there; an error when nobody may look."""
    root = await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    reply = await desk.delivery.post(CHANNEL, NEWS, message_id="l", thread_ts=root)
    await desk.delivery.post(CHANNEL, HELLO, message_id="m")
    assert (await desk.delivery.message(CHANNEL, root))["text"] == "hello"
    assert (await desk.delivery.message(CHANNEL, reply))["text"] == "news"
    assert [call["ts"] for call in desk.slack.called("conversations.replies")] == [reply]
    for call in desk.slack.called("conversations.history"):
        assert call["latest"] == call["oldest"]
        assert (str(call["inclusive"]).lower(), int(call["limit"])) in (("1", post.FEW), ("true", post.FEW))
    assert await desk.delivery.message(CHANNEL, "1.000001") is None
    desk.slack.faults = [("conversations.history", "missing_scope")]
    with pytest.raises(DeliveryError, match="missing_scope"):
        await desk.delivery.message(CHANNEL, root)


async def test_a_messages_address_is_slacks_or_none(desk) -> None:
    """Of the message that is named; a refusal of any sort is no address."""
    await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    ts = await desk.delivery.post(CHANNEL, HELLO, message_id="l")
    assert await desk.delivery.permalink(CHANNEL, ts) == f"{desk.slack.base_url}/#{CHANNEL}/{ts}"
    desk.slack.faults = [("chat.getPermalink", "message_not_found"), ("chat.getPermalink", "invalid_arguments")]
    assert await desk.delivery.permalink(CHANNEL, ts) is None
    assert await desk.delivery.permalink(CHANNEL, ts) is None


async def test_buttons_get_other_words_or_stay(desk) -> None:
    """What Slack refuses is logged, and costs nothing else."""
    ts = await desk.delivery.post(CHANNEL, HELLO, message_id="k")
    await desk.delivery.relabel(CHANNEL, ts, "thanks", NEWS.blocks)
    (shown,) = desk.slack.roots()
    assert shown["text"] == "thanks"
    assert "rich news" in str(shown["blocks"])
    (call,) = desk.slack.called("chat.update")
    assert call["parse"] == "none"
    for what in ("cant_update_message", "invalid_blocks"):
        desk.slack.faults = [("chat.update", what)]
        with capture_logs() as logs:
            await desk.delivery.relabel(CHANNEL, ts, "more thanks", HELLO.blocks)
        (line,) = logs
        assert (line["event"], line["log_level"], line["channel"]) == ("cannot relabel", "warning", CHANNEL)
        assert line["reason"]
        assert line["reason"] != "None"
    assert desk.slack.roots()[0]["text"] == "thanks"


async def test_a_form_is_opened_once_and_turned_while_it_is_there(desk) -> None:
    """A lost answer may hide that it opened; one that was closed meanwhile is no error; all else is."""
    await desk.delivery.open_form("t", MODAL)
    (view,) = desk.slack.views
    assert view["title"]["text"] == "Form"
    page = MODAL | {"title": {"type": "plain_text", "text": "Next"}}
    await desk.delivery.change_view(view["id"], view["hash"], page)
    assert [shown["title"]["text"] for shown in desk.slack.views] == ["Next"]
    await desk.delivery.change_view(view["id"], "0.stale", MODAL)
    await desk.delivery.change_view("V0", view["hash"], MODAL)
    assert [shown["title"]["text"] for shown in desk.slack.views] == ["Next"]
    desk.slack.faults = [("views.open", "exchanged_trigger_id")]
    await desk.delivery.open_form("t", MODAL)
    desk.slack.faults = [("views.open", "expired_trigger_id"), ("views.update", "not_authed")]
    with pytest.raises(DeliveryError, match="Please try again"):
        await desk.delivery.open_form("t", MODAL)
    with pytest.raises(DeliveryError, match="not_authed"):
        await desk.delivery.change_view(view["id"], view["hash"], MODAL)


async def test_a_view_that_slack_finds_wrong_is_refused_like_anything_else(desk) -> None:
    """A view has no plainer layout to be shown in; whoever waits for it is told."""
    methods = ("views.open", "views.update", "views.publish")
    desk.slack.faults = [(method, "invalid_arguments") for method in methods]
    with pytest.raises(DeliveryError, match="invalid_arguments"):
        await desk.delivery.open_form("t", MODAL)
    with pytest.raises(DeliveryError, match="invalid_arguments"):
        await desk.delivery.change_view("V1", "h", MODAL)
    with pytest.raises(DeliveryError, match="invalid_arguments"):
        await desk.delivery.publish_home(USER, {"type": "home", "blocks": NEWS.blocks})


async def test_somebodys_home_shows_what_it_is_given(desk) -> None:
    """The person's, and that view."""
    await desk.delivery.publish_home(USER, {"type": "home", "blocks": NEWS.blocks})
    assert [str(view["blocks"]) for view in desk.slack.homes[USER]] == [str(NEWS.blocks)]
