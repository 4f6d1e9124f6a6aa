"""Watched channels: alerts are answered without being asked, once, in their threads, and never with noise."""

from __future__ import annotations

import asyncio
import json
from functools import partial

import pytest
from alert_messages import AT, fired
from world import CHANNEL

from bot.settings import Limits

WATCH = {"watched_channels": (CHANNEL,)}


def suspect(samples, name: str = "slow-query") -> str:
    """Return the suspect of a sample."""
    return next(sample for sample in samples.pairs if sample.name == name).suspect


async def post(world, message: dict, *, channel: str = CHANNEL, **envelope) -> dict:
    """Have a message posted in a channel, tell the bot as Slack does, and wait for what comes of it."""
    put = world.slack.put(channel, **message)
    assert await world.event({**put, "channel": channel, "channel_type": "channel"}, **envelope) == (200, "")
    await world.settled()
    return put


async def edit(world, message: dict, before: dict) -> None:
    """Have a message edited."""
    event = {
        "type": "message", "subtype": "message_changed", "channel": CHANNEL, "hidden": True, "ts": f"{AT + 60}.1",
        "message": message, "previous_message": before,
    }  # fmt: skip
    assert await world.event(event) == (200, "")
    await world.settled()


def said(world) -> list[str]:
    """Return everything that the bot posted, to all or to one."""
    return [arguments["text"] for name, arguments in world.slack.calls if name.startswith("chat.post")]


async def test_an_alert_is_answered_in_its_thread_without_an_announcement(make_world, samples) -> None:
    """The first that people hear is the answer."""
    async with make_world(**WATCH) as world:
        alert = await post(world, fired(suspect(samples)))
        assert said(world)[0].startswith("Slower: gateway POST /api/checkout")
        assert world.slack.roots() == []
        assert len(world.slack.replies(alert["ts"])) == len(said(world)) > 1
        assert "asked by" not in json.dumps(world.slack.replies(alert["ts"]))


async def test_an_alert_without_a_trace_is_answered_by_its_labels(make_world) -> None:
    """A slow request of its service is found and compared with a typical one."""
    async with make_world(**WATCH) as world:
        alert = await post(world, fired())
        assert "B is slowest of " in world.slack.replies(alert["ts"])[0]["text"]


@pytest.mark.parametrize(
    "change",
    [
        {"bot_id": "B0BOT"}, {"app_id": "A1"}, {"bot_id": None, "subtype": None, "user": "U2", "username": None},
        {"thread_ts": "1795480000.000001"},
    ],
    ids=["our own", "our own, by its app", "a person's", "a reply"],
)  # fmt: skip
async def test_what_is_no_alert_of_another_program_is_left_alone(make_world, samples, change) -> None:
    """Above all never our own messages: an answer to an answer would have no end."""
    async with make_world(**WATCH) as world:
        changed = {name: value for name, value in {**fired(suspect(samples)), **change}.items() if value is not None}
        await post(world, changed)
        assert said(world) == []


async def test_other_channels_and_resolved_alerts_are_left_alone(make_world, samples) -> None:
    """Watching is chosen channel by channel; what is over needs no answer."""
    async with make_world(**WATCH) as world:
        await post(world, fired(suspect(samples)), channel="C0OTHER")
        await post(world, fired(suspect(samples), state="RESOLVED"))
        assert said(world) == []
    async with make_world() as world:
        await post(world, fired(suspect(samples)))
        assert said(world) == []


async def test_messages_without_anything_to_compare_are_left_alone(make_world) -> None:
    """Deployments, joins, deletions: an alert channel is full of them."""
    async with make_world(**WATCH) as world:
        await post(world, {"type": "message", "subtype": "bot_message", "bot_id": "B0CI", "text": "Deployed v1.5.0"})
        await post(world, {"type": "message", "subtype": "channel_join", "user": "U2", "text": "joined"})
        deleted = {"type": "message", "subtype": "message_deleted", "channel": CHANNEL, "deleted_ts": "1.1"}
        assert await world.event({**deleted, "previous_message": fired("a" * 32)}) == (200, "")
        await world.settled()
        assert said(world) == []


async def test_an_alert_that_fires_again_or_is_edited_is_answered_once(make_world, samples) -> None:
    """Also when it names another trace by then; nobody is told, as nobody asked."""
    async with make_world(**WATCH) as world:
        alert = await post(world, fired(suspect(samples)))
        count = len(said(world))
        await post(world, fired(suspect(samples, "retry-storm"), ts=f"{AT + 300}.000100"))
        await edit(world, {**fired(suspect(samples)), "edited": {"user": "B0ALERT", "ts": "1.2"}}, alert)
        await edit(world, fired(suspect(samples), state="RESOLVED"), alert)
        assert len(said(world)) == count


async def test_an_alert_that_gains_a_trace_by_an_edit_is_answered_then(make_world, samples) -> None:
    """The edited message counts as it reads now."""
    async with make_world(**WATCH) as world:
        before = fired(service="", operation="")
        await post(world, before)
        assert said(world) == []
        await edit(world, fired(suspect(samples)), before)
        assert world.slack.replies(f"{AT}.000100")[0]["text"].startswith("Slower")


async def test_after_its_time_an_alert_is_answered_again(make_world, samples) -> None:
    """`alert_window_s` says how long one answer is enough."""
    async with make_world(**WATCH, limits=Limits(alert_window_s=0, repeat_window_s=0)) as world:
        await post(world, fired(suspect(samples)))
        again = await post(world, fired(suspect(samples), ts=f"{AT + 300}.000100"))
        assert world.slack.replies(again["ts"])[0]["text"].startswith("Slower")


async def test_another_alert_is_another_question(make_world, samples) -> None:
    """What makes an alert the same is its rule and labels, not the channel."""
    async with make_world(**WATCH) as world:
        await post(world, fired(suspect(samples)))
        other = await post(
            world, fired(suspect(samples, "retry-storm"), name="CheckoutRetries", ts=f"{AT + 300}.000100")
        )
        assert world.slack.replies(other["ts"])[0]["text"].startswith("Slower")


async def test_who_asks_about_an_answered_alert_gets_a_pointer(make_world, samples) -> None:
    """A reaction to an alert that was answered by itself points to that answer."""
    async with make_world(**WATCH) as world:
        alert = await post(world, fired(suspect(samples)))
        count = len(world.slack.called("chat.postMessage"))
        item = {"type": "message", "channel": CHANNEL, "ts": alert["ts"]}
        await world.event({"type": "reaction_added", "user": "U1", "reaction": "mag", "item": item})
        await world.settled()
        assert len(world.slack.called("chat.postMessage")) == count
        assert "see the answer" in json.dumps(world.slack.called("chat.postEphemeral")[0]["blocks"])


async def test_what_goes_wrong_is_told_to_nobody_and_tried_again_when_it_fires_again(make_world, samples) -> None:
    """A missing trace is no reason to talk in an alert channel; the next time may go better."""
    async with make_world(**WATCH) as world:
        await post(world, fired("ab" * 16))
        assert said(world) == []
        again = await post(world, fired(suspect(samples), ts=f"{AT + 300}.000100"))
        assert world.slack.replies(again["ts"])[0]["text"].startswith("Slower")


async def test_too_much_to_do_is_told_to_nobody(make_world, samples) -> None:
    """A storm of alerts is answered as far as it goes."""
    async with make_world(**WATCH, limits=Limits(concurrent=1, waiting=0)) as world:
        for number in range(4):
            alert = world.slack.put(CHANNEL, **fired(suspect(samples), name=f"A{number}", ts=f"{AT + number}.000100"))
            assert await world.event({**alert, "channel": CHANNEL}) == (200, "")
        await world.settled()
        assert world.slack.whispers() == []
        assert not any("busy" in text for text in said(world))


class Late:
    """Traces that no search finds at first, and a watcher that waits for them until it is told to go on."""

    def __init__(self, world) -> None:
        self.missing = True
        self.waits, self.go_on = asyncio.Event(), asyncio.Event()
        world.bot.jobs._sleep = self._wait
        for source in (world.bot.sources.named("jaeger"), world.bot.sources.named("tempo")):
            source.search = partial(self._search, source.search)

    async def _search(self, search, query, **how):
        return [] if self.missing else await search(query, **how)

    async def _wait(self, _) -> None:
        self.waits.set()
        await self.go_on.wait()


async def ask_in_thread(world, alert: dict, expected: int) -> None:
    """Mention the bot in an alert's thread, and wait until it has said so many things more."""
    before = len(said(world))
    mention = world.slack.put(CHANNEL, user="U1", text="<@U0BOT>", thread_ts=alert["ts"])
    assert await world.event({**mention, "type": "app_mention", "channel": CHANNEL}) == (200, "")
    async with asyncio.timeout(30):
        while len(said(world)) < before + expected:
            await asyncio.sleep(0.01)


async def test_who_asks_while_a_watcher_waits_is_told_what_there_is(make_world) -> None:
    """Nobody would hear of the watcher's failure, so it keeps nobody from asking; it still answers in its time."""
    async with make_world(**WATCH) as world:
        late = Late(world)
        alert = world.slack.put(CHANNEL, **fired())
        await world.event({**alert, "channel": CHANNEL, "channel_type": "channel"})
        await late.waits.wait()
        await ask_in_thread(world, alert, 2)
        assert world.slack.whispers() == [said(world)[-1]]
        assert "has no trace of gateway" in said(world)[-1]
        late.missing = False
        late.go_on.set()
        await world.settled()
        answers = [reply for reply in world.slack.replies(alert["ts"]) if "B is slowest of " in reply["text"]]
        assert len(answers) == 1


async def test_who_asks_while_a_watcher_waits_and_is_answered_is_answered_once(make_world) -> None:
    """The answer is there when the watcher comes to it: it says nothing more, and later questions point there."""
    async with make_world(**WATCH) as world:
        late = Late(world)
        alert = world.slack.put(CHANNEL, **fired())
        await world.event({**alert, "channel": CHANNEL, "channel_type": "channel"})
        await late.waits.wait()
        late.missing = False
        await ask_in_thread(world, alert, 4)
        late.go_on.set()
        await world.settled()
        answers = [reply for reply in world.slack.replies(alert["ts"]) if "B is slowest of " in reply["text"]]
        assert len(answers) == 1
        assert world.slack.whispers() == []
        await ask_in_thread(world, alert, 1)
        await world.settled()
        assert "asked a moment ago" in said(world)[-1]
        await post(world, fired(ts=f"{AT + 300}.000100"))
        assert "asked a moment ago" in said(world)[-1]


async def test_a_search_that_came_too_early_is_made_again(make_world) -> None:
    """An alert can be quicker than the traces that show what it is about."""
    async with make_world(**WATCH) as world:
        searches = []
        for source in (world.bot.sources.named("jaeger"), world.bot.sources.named("tempo")):
            search = source.search

            async def early(query, *, search=search, **how):
                searches.append(query)
                return [] if len(searches) <= 2 else await search(query, **how)

            source.search = early
        alert = await post(world, fired())
        assert "B is slowest of " in world.slack.replies(alert["ts"])[0]["text"]


async def test_the_people_who_may_ask_do_not_matter_but_the_channels_do(make_world, samples) -> None:
    """Nobody asks here; that the channel is watched was decided by who configured it."""
    async with make_world(**WATCH, allowed_users=("U9",)) as world:
        await post(world, fired(suspect(samples)))
        assert said(world)
    async with make_world(**WATCH, allowed_channels=("C0OTHER",)) as world:
        await post(world, fired(suspect(samples)))
        assert said(world) == []


async def test_an_answer_that_a_crash_left_half_done_is_completed_not_doubled(make_world, samples) -> None:
    """The next process finds the answer that was posted and adds what is missing."""
    async with make_world(**WATCH) as world:
        alert = await post(world, fired(suspect(samples)))
        texts = [reply["text"] for reply in world.slack.replies(alert["ts"])]
        world.slack.messages[CHANNEL].pop()
        with world.bot.ledger._lock:
            world.bot.ledger._db.execute("UPDATE requests SET state = 'accepted', root_ts = ''")
        await world.bot.jobs.resume()
        await world.settled()
        assert [reply["text"] for reply in world.slack.replies(alert["ts"])] == texts
