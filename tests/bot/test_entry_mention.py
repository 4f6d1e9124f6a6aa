"""The bot called by name: in a channel, and inside threads."""

from __future__ import annotations

import json

import pytest
from alert_messages import fired
from world import CHANNEL, FaultySlack


def ids(samples, name: str = "slow-query") -> tuple[str, str]:
    """Return the two trace ids of a sample."""
    found = next(sample for sample in samples.pairs if sample.name == name)
    return found.baseline, found.suspect


async def say(world, text: str, *, user: str = "U1", thread_ts: str | None = None, **more) -> dict:
    """Write a message that mentions the bot, and tell the bot of it as Slack does; returns the message."""
    message = world.slack.put(CHANNEL, user=user, text=f"<@U0BOT> {text}", thread_ts=thread_ts)
    event = {
        "type": "app_mention",
        "channel": CHANNEL,
        **{k: v for k, v in message.items() if k in {"user", "text", "ts", "thread_ts"}},
    }
    assert await world.event(event, **more) == (200, "")
    await world.settled()
    return message


async def test_a_mention_in_the_channel_is_answered_in_its_thread(world, samples) -> None:
    """The answer and everything under it goes to the thread of the message that asked."""
    a, b = ids(samples)
    message = await say(world, f"please compare {a} with {b}, thanks!")
    assert world.slack.roots() == []
    texts = [reply["text"] for reply in world.slack.replies(message["ts"])]
    assert texts[0].startswith("Slower")
    assert len(texts) == 3


async def test_a_mention_inside_a_thread_is_answered_in_that_thread(world, samples) -> None:
    """Where slash commands cannot be used, the name can."""
    a, b = ids(samples)
    root = world.slack.put(CHANNEL, user="U2", text="checkout is slow")
    await say(world, f"`{a}` `{b}`", thread_ts=root["ts"])
    answer = world.slack.replies(root["ts"])[1]
    assert answer["text"].startswith("Slower")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("help", "Usage"), ("", "Usage"), ("what can you do?", "Usage"), ("sources", "Sources: jaeger: ok"),
        ("history", "Nothing was compared"), ("private", "I need a trace"), ("v1.2.3", "not a trace id"),
        ("a1 b2 colour=red", "do not know the option"), ("https://evil.example/trace/a1 b2", "evil.example"),
    ],
)  # fmt: skip
async def test_everything_but_a_comparison_is_said_to_the_person_alone(world, text, said) -> None:
    """Help, lists and errors are for the one who wrote, where they wrote; the channel stays quiet."""
    await say(world, text)
    assert world.slack.roots() == []
    assert said in world.slack.whispers()[0]
    assert not world.slack.called("chat.postEphemeral")[0].get("thread_ts")


async def test_in_a_thread_errors_are_said_in_the_thread(world) -> None:
    """A person looking at a thread would not see a message in the channel."""
    root = world.slack.put(CHANNEL, user="U2", text="checkout is slow")
    await say(world, "4bf92f35", thread_ts=root["ts"])
    assert world.slack.called("chat.postEphemeral")[0]["thread_ts"] == root["ts"]


async def test_the_same_event_again_is_answered_once(world, samples) -> None:
    """Slack sends an event again whose receipt it is not sure of: nobody notices."""
    a, b = ids(samples)
    message = await say(world, f"{a} {b}", event_id="EvAgain")
    event = {"type": "app_mention", "channel": CHANNEL, "user": "U1", "text": f"<@U0BOT> {a} {b}", "ts": message["ts"]}
    for _ in range(2):
        assert await world.event(event, event_id="EvAgain") == (200, "")
        await world.settled()
    assert len(world.slack.replies(message["ts"])) == 3
    assert world.slack.whispers() == []


async def test_the_same_question_by_another_person_points_to_the_answer(world, samples) -> None:
    """One answer per question and channel, also when it is asked in another thread."""
    a, b = ids(samples)
    first = await say(world, f"{a} {b}")
    second = await say(world, f"{a} {b}", user="U2")
    assert world.slack.replies(second["ts"]) == []
    assert len(world.slack.replies(first["ts"])) == 3
    (pointer,) = world.slack.called("chat.postEphemeral")
    assert pointer["user"] == "U2"
    assert "see the answer" in json.dumps(pointer["blocks"])


async def test_a_failure_is_told_to_the_one_who_asked(world, samples) -> None:
    """The announcement in the thread is taken back, the sentence is private."""
    a, _ = ids(samples)
    message = await say(world, f"{a} 1234567890abcdef")
    assert world.slack.replies(message["ts"]) == []
    assert "There is no trace" in world.slack.whispers()[0]


async def test_who_may_not_ask_is_told_so(make_world) -> None:
    """Allow-lists hold for every way in."""
    async with make_world(allowed_users=("U9",)) as world:
        await say(world, "sources")
        assert "not on the list" in world.slack.whispers()[0]


async def test_a_mention_where_nothing_can_be_said_harms_nobody(make_world) -> None:
    """A mention by a bot has no person to answer: it goes to the log."""

    class Mute(FaultySlack):
        def do_chat_postEphemeral(self, arguments):  # noqa: N802 - named after Slack's method
            return super().do_fail(arguments) if not arguments.get("user") else super().do_chat_postEphemeral(arguments)

    slack = Mute()
    async with make_world(slack=slack) as world:
        event = {"type": "app_mention", "channel": CHANNEL, "text": "<@U0BOT> 4bf92f35", "ts": "1.2", "bot_id": "B9"}
        assert await world.event(event) == (200, "")
        await world.settled()
        assert world.slack.whispers() == []


@pytest.mark.parametrize("text", ["", "what happened here?"])
async def test_a_mention_in_an_alerts_thread_is_about_the_alert(world, samples, text) -> None:
    """Without a trace of its own, what counts is the message that the thread is about."""
    _, b = ids(samples)
    alert = world.slack.put(CHANNEL, **fired(b))
    await say(world, text, thread_ts=alert["ts"])
    assert world.slack.replies(alert["ts"])[1]["text"].startswith("Slower")


async def test_an_alert_that_calls_the_bot_itself_is_answered(world, samples) -> None:
    """An alert's template may hold the mention."""
    _, b = ids(samples)
    alert = world.slack.put(CHANNEL, **(fired(b) | {"text": "<@U0BOT>"}))
    assert await world.event({**alert, "type": "app_mention", "channel": CHANNEL}) == (200, "")
    await world.settled()
    assert world.slack.replies(alert["ts"])[0]["text"].startswith("Slower")


async def test_a_thread_about_nothing_comparable_is_said(world) -> None:
    """In the thread, to the one who asked."""
    root = world.slack.put(CHANNEL, user="U2", text="checkout is slow")
    await say(world, "", thread_ts=root["ts"])
    assert "neither a trace" in world.slack.whispers()[0]
    await say(world, "", thread_ts="1795000000.000001")
    assert world.slack.whispers()[1].startswith("I cannot find that message any more. Name a trace: ")
