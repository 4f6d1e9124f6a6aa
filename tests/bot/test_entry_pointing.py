"""Messages that somebody points at: with a reaction, or with the shortcut in the message's menu."""

from __future__ import annotations

import asyncio
import json

import pytest
from alert_messages import fired
from world import CHANNEL

from bot.playground.workspace import SlackError


def pair(samples, name: str = "slow-query") -> tuple[str, str]:
    """Return the two trace ids of a sample."""
    found = next(sample for sample in samples.pairs if sample.name == name)
    return found.baseline, found.suspect


async def react(world, ts: str, *, user: str = "U1", emoji: str = "mag", event_id: str = "", **item: str) -> None:
    """React to a message, and wait for what comes of it."""
    event = {
        "type": "reaction_added", "user": user, "reaction": emoji, "item_user": "U2", "event_ts": "1.3",
        "item": {"type": "message", "channel": CHANNEL, "ts": ts} | item,
    }  # fmt: skip
    assert await world.event(event, event_id) == (200, "")
    await world.settled()


async def choose_shortcut(world, message: dict) -> None:
    """Choose the shortcut in a message's menu, and wait for what comes of it."""
    payload = {
        "type": "message_action", "callback_id": "compare_traces_message", "trigger_id": "t", "team": {"id": "T1"},
        "user": {"id": "U1", "username": "alice"}, "channel": {"id": CHANNEL, "name": "incident"},
        "message_ts": message["ts"], "message": message, "response_url": f"{world.url}/response/{CHANNEL}/m",
    }  # fmt: skip
    assert await world.action(payload) == (200, "")
    await world.settled()


async def test_a_reaction_to_an_alert_with_a_trace_is_answered_in_its_thread(world, samples) -> None:
    """The trace is compared with a typical one; the channel itself stays quiet."""
    alert = world.slack.put(CHANNEL, **fired(pair(samples)[1]))
    await react(world, alert["ts"])
    assert world.slack.roots() == []
    answer, *rest = world.slack.replies(alert["ts"])
    assert answer["text"].startswith("Slower: gateway POST /api/checkout")
    assert "A is typical of " in answer["text"]
    assert rest
    assert world.slack.whispers() == []


async def test_a_reaction_to_an_alert_without_a_trace_finds_one(world) -> None:
    """Its service and operation lead to the slowest request of its time, which the answer says."""
    alert = world.slack.put(CHANNEL, **fired())
    await react(world, alert["ts"])
    announced = world.slack.called("chat.postMessage")[0]
    assert announced["text"] == "Looking for a request that shows what this alert is about ..."
    answer = world.slack.replies(alert["ts"])[0]
    assert "B is slowest of " in answer["text"]
    assert "traces of gateway POST /api/checkout" in answer["text"]
    assert "A is typical of " in answer["text"]


async def test_an_operation_that_no_span_is_named_after_is_passed_over(world) -> None:
    """Alerts are labelled with routes and jobs: any request of the service will do then, and that is said."""
    alert = world.slack.put(CHANNEL, **fired(operation="checkout-route"))
    await react(world, alert["ts"])
    answer = world.slack.replies(alert["ts"])[0]["text"]
    assert "traces of gateway, " in answer
    assert "no span there is called “checkout-route”" in answer


async def test_an_alert_about_errors_finds_a_failing_request(world) -> None:
    """What failed is looked for where errors are the trouble."""
    alert = world.slack.put(CHANNEL, **fired(service="payment", operation="", name="HighErrorRate"))
    await react(world, alert["ts"])
    assert "B is slowest failing of " in world.slack.replies(alert["ts"])[0]["text"]


async def test_two_traces_in_a_message_are_compared_with_each_other(world, samples) -> None:
    """The first is A; a person's message will do as well."""
    a, b = pair(samples)
    message = world.slack.put(CHANNEL, user="U2", text=f"trace {a} was fine, trace {b} is not")
    await react(world, message["ts"])
    assert world.slack.replies(message["ts"])[0]["text"].startswith("Slower")
    assert "typical" not in world.slack.replies(message["ts"])[0]["text"]


async def test_of_more_traces_the_first_two_are_compared_and_that_is_said(world, samples) -> None:
    """Nothing is left out in silence."""
    a, b = pair(samples)
    message = world.slack.put(CHANNEL, user="U2", text=f"trace {a}, trace {b}, trace {'1c' * 16}")
    await react(world, message["ts"])
    answer = world.slack.replies(message["ts"])[0]
    assert "the message names 3 traces: these are the first two" in json.dumps(answer["blocks"])


async def test_a_reaction_to_a_reply_is_answered_in_the_thread_of_the_reply(world, samples) -> None:
    """A thread's replies are not in the channel's history: they are looked for where they are."""
    root = world.slack.put(CHANNEL, user="U2", text="checkout is slow again")
    a, b = pair(samples)
    reply = world.slack.put(CHANNEL, user="U3", text=f"compare trace {a} trace {b}", thread_ts=root["ts"])
    await react(world, reply["ts"])
    assert world.slack.roots() == []
    assert world.slack.replies(root["ts"])[1]["text"].startswith("Slower")


@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_message_with_nothing_to_go_by_is_said_to_the_one_who_reacted(world, in_thread) -> None:
    """In private, and where that person is looking: in the thread if there is one."""
    root = world.slack.put(CHANNEL, user="U2", text="lunch?")
    reply = world.slack.put(CHANNEL, user="U3", text="pizza", thread_ts=root["ts"])
    await react(world, reply["ts"] if in_thread else root["ts"])
    (said,) = world.slack.whispers()
    assert "neither a trace" in said
    assert world.slack.called("chat.postEphemeral")[0].get("thread_ts") == (root["ts"] if in_thread else None)
    assert world.slack.called("chat.postMessage") == []


async def test_what_nobody_knows_is_said_with_what_was_looked_for(world) -> None:
    """A service that no source knows: the announcement is taken back, the sentence names it."""
    alert = world.slack.put(CHANNEL, **fired(service="no-such-service"))
    await react(world, alert["ts"])
    assert world.slack.replies(alert["ts"]) == []
    assert "no service “no-such-service”" in world.slack.whispers()[0]


@pytest.mark.parametrize(("emoji", "item"), [("eyes", {}), ("mag_right", {}), ("mag", {"type": "file"})])
async def test_other_reactions_are_nobodys_business(world, emoji, item) -> None:
    """Only the configured emoji, and only on messages; Slack is not even asked what it says."""
    alert = world.slack.put(CHANNEL, **fired("a" * 32))
    await react(world, alert["ts"], emoji=emoji, **item)
    assert [name for name, _ in world.slack.calls if name != "auth.test"] == []


async def test_the_emoji_can_be_chosen_and_its_skin_tone_does_not_matter(make_world, samples) -> None:
    """`reactions` names them; Slack adds the tone to the name."""
    async with make_world(reactions=("wave",)) as world:
        alert = world.slack.put(CHANNEL, **fired(pair(samples)[1]))
        await react(world, alert["ts"])
        assert world.slack.replies(alert["ts"]) == []
        await react(world, alert["ts"], emoji="wave::skin-tone-3")
        assert world.slack.replies(alert["ts"])[0]["text"].startswith("Slower")


async def test_who_may_not_ask_is_told_but_a_channel_where_nobody_may_stays_quiet(make_world) -> None:
    """An emoji is not always meant for the bot: it says nothing where it would not answer anybody."""
    async with make_world(allowed_users=("U9",)) as world:
        await react(world, world.slack.put(CHANNEL, **fired("a" * 32))["ts"])
        assert "not on the list" in world.slack.whispers()[0]
    async with make_world(allowed_channels=("C0OTHER",)) as world:
        await react(world, world.slack.put(CHANNEL, **fired("a" * 32))["ts"])
        assert world.slack.whispers() == []


async def test_a_second_person_who_reacts_gets_a_pointer_and_a_repeated_event_nothing(world, samples) -> None:
    """One answer in the thread, whoever asks, however often Slack tells of it."""
    alert = world.slack.put(CHANNEL, **fired(pair(samples)[1]))
    await react(world, alert["ts"], event_id="EvAgain")
    count = len(world.slack.replies(alert["ts"]))
    await react(world, alert["ts"], event_id="EvAgain")
    assert world.slack.whispers() == []
    await react(world, alert["ts"], user="U5")
    (pointer,) = world.slack.called("chat.postEphemeral")
    assert pointer["user"] == "U5"
    assert "see the answer" in json.dumps(pointer["blocks"])
    assert len(world.slack.replies(alert["ts"])) == count


async def test_reactions_at_the_same_time_have_one_answer(world, samples) -> None:
    """Five people react at once: one comparison, four pointers."""
    alert = world.slack.put(CHANNEL, **fired(pair(samples)[1]))
    await asyncio.gather(*(react(world, alert["ts"], user=f"U{number}") for number in range(5)))
    await world.settled()
    posted = [call["text"] for call in world.slack.called("chat.postMessage")]
    assert len([text for text in posted if text.startswith("Comparing")]) == 1
    assert len(world.slack.whispers()) == 4


async def test_a_message_that_is_gone_is_said(world) -> None:
    """Deleted between the reaction and our look at it."""
    await react(world, "1795487300.000999")
    (said,) = world.slack.whispers()
    assert said.startswith("I cannot find that message any more. Name a trace")


@pytest.mark.parametrize("fault", ["429", "500"])
async def test_slacks_troubles_cost_time_not_the_answer(make_world, samples, fault) -> None:
    """Reading the message is tried again, like everything else."""
    async with make_world() as world:
        alert = world.slack.put(CHANNEL, **fired(pair(samples)[1]))
        world.slack.faults = [("conversations.history", fault)]
        await react(world, alert["ts"])
        assert world.slack.replies(alert["ts"])[0]["text"].startswith("Slower")


async def test_where_the_message_cannot_be_read_the_person_is_told(make_world) -> None:
    """A channel that the bot has left: what can be said is said."""
    async with make_world() as world:
        alert = world.slack.put(CHANNEL, **fired("a" * 32))
        world.slack.faults = [("conversations.history", "not_in_channel")]
        await react(world, alert["ts"])
        assert "/invite" in world.slack.whispers()[0]


async def test_the_acknowledgement_does_not_wait_for_slack(make_world, samples) -> None:
    """The event is received while the message cannot be read yet."""
    async with make_world() as world:
        released = asyncio.Event()
        read = world.bot.delivery.message

        async def held(channel, ts):
            await released.wait()
            return await read(channel, ts)

        world.bot.delivery.message = held
        alert = world.slack.put(CHANNEL, **fired(pair(samples)[1]))
        item = {"type": "message", "channel": CHANNEL, "ts": alert["ts"]}
        assert await world.event({"type": "reaction_added", "user": "U1", "reaction": "mag", "item": item}) == (200, "")
        released.set()
        await world.settled()
        assert world.slack.replies(alert["ts"])


async def test_the_shortcut_answers_in_the_messages_thread(world, samples) -> None:
    """It brings the message along, so nothing has to be read; the answer says who asked."""
    alert = world.slack.put(CHANNEL, **fired(pair(samples)[1]))
    await choose_shortcut(world, alert)
    answer = world.slack.replies(alert["ts"])[0]
    assert answer["text"].startswith("Slower")
    assert "asked by alice" in json.dumps(answer["blocks"])
    assert world.slack.called("conversations.history") == []


async def test_the_shortcut_on_a_reply_answers_in_its_thread(world, samples) -> None:
    """A reply's menu has it too."""
    root = world.slack.put(CHANNEL, user="U2", text="look")
    a, b = pair(samples)
    reply = world.slack.put(CHANNEL, user="U3", text=f"trace {a} trace {b}", thread_ts=root["ts"])
    await choose_shortcut(world, reply)
    assert world.slack.replies(root["ts"])[1]["text"].startswith("Slower")


async def test_the_shortcut_on_a_message_without_traces_says_so_privately(world) -> None:
    """Through the address that came along, which works where the bot is no member."""
    message = world.slack.put(CHANNEL, user="U2", text="lunch?")
    await choose_shortcut(world, message)
    assert "neither a trace" in world.slack.whispers()[0]
    assert world.slack.called("chat.postEphemeral") == []


async def test_the_shortcut_where_the_bot_is_no_member_asks_to_be_invited(make_world, samples) -> None:
    """The shortcut can be chosen anywhere; the answer cannot be posted anywhere."""
    async with make_world() as world:

        def absent(_):
            raise SlackError("not_in_channel")

        world.slack.do_chat_postMessage = absent
        alert = world.slack.put(CHANNEL, **fired(pair(samples)[1]))
        await choose_shortcut(world, alert)
        assert "/invite" in world.slack.whispers()[0]
