"""The bot as Slack sees it: signed requests in, messages out."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from world import CHANNEL, FaultySlack

from bot.settings import Limits, LinkSettings
from bot.slack.limits import problems


def ids(samples, name: str) -> tuple[str, str]:
    """Return the two trace ids of a sample."""
    found = next(sample for sample in samples.pairs if sample.name == name)
    return found.baseline, found.suspect


async def ask(world, samples, name: str = "slow-query", options: str = "") -> None:
    """Ask for a sample and wait for its answer."""
    a, b = ids(samples, name)
    assert await world.command(f"{a} {b} {options}") == (200, "")
    await world.settled()


async def test_two_ids_become_a_verdict_and_a_thread(world, samples) -> None:
    """One root message, updated in place with the verdict; spans and next steps in its thread."""
    await ask(world, samples)
    (root,) = world.slack.roots()
    assert root["text"].startswith("Slower: gateway POST /api/checkout is ")
    assert "SELECT in catalog" in json.dumps(root["blocks"])
    thread = world.slack.replies(root["ts"])
    assert [m["text"].split(":")[0] for m in thread] == [
        "Top offending spans",
        "Suggested next steps",
    ]
    assert any(block["type"] == "table" for block in thread[0]["blocks"])
    first_post = world.slack.called("chat.postMessage")[0]
    assert first_post["text"].startswith("Comparing ")
    assert first_post["unfurl_links"] in (False, "0", "false")


async def test_the_verdict_links_to_both_traces_and_to_the_diff(world, samples) -> None:
    """Buttons open A, B and the backend's own comparison page."""
    a, b = ids(samples, "slow-query")
    await ask(world, samples)
    (root,) = world.slack.roots()
    urls = [e.get("url") for block in root["blocks"] if block["type"] == "actions" for e in block["elements"]]
    assert urls[:3] == [
        f"{world.url}/jaeger/trace/{a}",
        f"{world.url}/jaeger/trace/{b}",
        f"{world.url}/jaeger/trace/{a}...{b}",
    ]


async def test_next_steps_link_to_the_configured_pages(make_world, samples) -> None:
    """Logs and runbooks of the service that a step is about are one click away."""
    logs = LinkSettings(title="logs", url="https://logs.example/{service}?trace={trace_id}&from={start_ms}")
    async with make_world(links=(logs,)) as world:
        await ask(world, samples)
        (root,) = world.slack.roots()
        _, b = ids(samples, "slow-query")
        assert f"https://logs.example/catalog?trace={b}&from=" in json.dumps(world.slack.replies(root["ts"])[-1])


async def test_the_founding_case_in_the_channel(world, samples) -> None:
    """The same trace twice: said as such, in seconds, with an offer to find a healthy trace and no cause."""
    await ask(world, samples, "same-trace-twice")
    (root,) = world.slack.roots()
    text = json.dumps(root["blocks"])
    assert "1.20 s of 1.21 s is spent in preprocess-request" in text
    assert "Cause" not in text
    assert "healthy trace" in text


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("swallowed-error", "New errors"), ("queue-delay", "Changed"), ("healthy", "No meaningful difference"),
        ("different-operations", "Not comparable"), ("same-trace-twice", "Identical"), ("lost-parallelism", "Slower"),
    ],
)  # fmt: skip
async def test_every_verdict_has_a_word_of_its_own(world, samples, name, word) -> None:
    """Colour never stands alone: notification and screen readers get the verdict as a word."""
    await ask(world, samples, name)
    assert world.slack.roots()[0]["text"].startswith(word)


async def test_a_link_to_tempo_and_a_source_option_choose_the_source(world, samples) -> None:
    """`source=` asks one source alone."""
    await ask(world, samples, options="source=tempo")
    assert "from tempo, asked by alice" in json.dumps(world.slack.roots()[0]["blocks"])


async def test_nobody_is_mentioned(world, samples) -> None:
    """No message holds a mention, not even of the person who asked."""
    await ask(world, samples)
    said = json.dumps(world.slack.messages)
    assert "<@" not in said
    assert "<!" not in said
    assert '"type": "user"' not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense here", "not a trace id"),
        ("private", "I need a trace"),
        ("aa bb cc", "I found 3 traces"),
        ("00000000000000000000000000000000 bb", "all zeros"),
        ("aa bb color=red", "do not know the option"),
        ("https://evil.example/trace/aa bb", "evil.example"),
    ],
)
async def test_usage_errors_are_sentences_for_the_one_who_typed(world, text, said) -> None:
    """What cannot be done is answered privately, at once, and nothing is posted."""
    status, body = await world.command(text)
    assert status == 200
    answer = json.loads(body)
    assert answer["response_type"] == "ephemeral"
    assert said in answer["text"]
    assert world.slack.roots() == []


async def test_help_shows_how_to_use_it(world) -> None:
    """`help` shows the usage."""
    _, body = await world.command("help")
    assert "<trace A> <trace B>" in json.dumps(json.loads(body)["blocks"])


async def test_sources_says_who_answers(world) -> None:
    """`sources` lists the channel's sources with their health."""
    assert await world.command("sources") == (200, "")
    deadline = asyncio.get_running_loop().time() + 5
    while not world.slack.whispers() and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(0.01)
    assert world.slack.whispers() == ["Sources: jaeger: ok, tempo: ok"]


async def test_a_missing_trace_is_told_to_the_asker_alone(world, samples) -> None:
    """The announcement is taken back; the sentence names trace and sources and says what to do."""
    a, _ = ids(samples, "slow-query")
    await world.command(f"{a} 1234567890abcdef")
    await world.settled()
    assert world.slack.roots() == []
    (said,) = world.slack.whispers()
    assert "no trace 00000000000000001234567890abcdef" in said
    assert "Check the id" in said


async def test_where_messages_cannot_be_deleted_the_root_says_the_error(make_world, samples) -> None:
    """Without the right to delete, the root message itself ends as the error: one answer, nothing left hanging."""
    a, _ = ids(samples, "slow-query")
    async with make_world() as world:
        world.slack.faults = [("chat.delete", "cant_delete_message")]
        await world.command(f"{a} 1234567890abcdef")
        await world.settled()
        (root,) = world.slack.roots()
        assert root["text"].startswith("There is no trace 00000000000000001234567890abcdef in ")
        assert world.slack.whispers() == []


async def test_a_repeated_question_points_to_its_answer(world, samples) -> None:
    """The same question twice gives one root; the second asker gets the link to it."""
    await ask(world, samples)
    await ask(world, samples)
    assert len(world.slack.roots()) == 1
    assert world.slack.whispers() == ["This was asked a moment ago; the answer is in this channel."]
    assert world.slack.called("chat.getPermalink")


async def test_swap_compares_the_other_way_round_in_the_thread(world, samples) -> None:
    """The swap button answers in the thread of the first answer."""
    await ask(world, samples)
    (root,) = world.slack.roots()
    button = next(
        e
        for block in root["blocks"]
        if block["type"] == "actions"
        for e in block["elements"]
        if e["action_id"] == "swap"
    )
    status, _ = await world.action({
        "type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U1", "username": "alice"},
        "channel": {"id": CHANNEL, "name": "incident"}, "message": root, "container": {"type": "message"},
        "trigger_id": "t", "response_url": f"{world.url}/response/{CHANNEL}/y", "actions": [button],
    })  # fmt: skip
    assert status == 200
    await world.settled()
    assert len(world.slack.roots()) == 1
    assert any(m["text"].startswith("Faster") for m in world.slack.replies(root["ts"]))


async def test_private_answers_are_seen_by_the_asker_alone(world, samples) -> None:
    """With `private` nothing is posted to the channel."""
    await ask(world, samples, options="private")
    assert world.slack.roots() == []
    assert world.slack.whispers()[0].startswith("Slower")


async def test_channels_and_people_that_are_not_allowed_are_refused(make_world) -> None:
    """Allow-lists are held before anything is fetched."""
    async with make_world(allowed_channels=("C9",)) as world:
        _, body = await world.command("aa bb")
        assert "not allowed to answer in this channel" in json.loads(body)["text"]
    async with make_world(allowed_users=("U9",)) as world:
        _, body = await world.command("aa bb")
        assert "not on the list" in json.loads(body)["text"]


async def test_wrong_old_and_missing_signatures_are_refused(world) -> None:
    """Only Slack is listened to, and only now."""
    body = "command=%2Fcompare-traces&text=aa+bb&channel_id=C0INCIDENT&user_id=U1"
    assert (await world.send(body, headers={"X-Slack-Signature": "v0=00"}))[0] == 401
    assert (await world.send(body, at=time.time() - 3600))[0] == 401
    assert (await world.send(body, headers={"X-Slack-Request-Timestamp": "soon"}))[0] == 401
    assert (await world.send(body, headers={"X-Slack-Request-Timestamp": ""}))[0] == 401
    assert world.slack.calls == [] or all(name == "auth.test" for name, _ in world.slack.calls)


async def test_an_unknown_command_is_not_ours(world) -> None:
    """A command that we do not know is refused, not swallowed."""
    status, _ = await world.command("x", command="/other")
    assert status == 404


@pytest.mark.parametrize(
    ("said", "logged"),
    [
        ({"type": "event_callback", "event": {"type": "channel_rename"}}, "event_callback channel_rename"),
        ({"type": "app_rate_limited", "minute_rate_limited": 1}, "app_rate_limited"),
        ({"type": "view_closed", "user": {"id": "U1"}, "view": {"callback_id": "x"}}, "view_closed"),
    ],
)
async def test_what_nobody_waits_for_is_taken_although_nobody_listens(world, lines, said, logged) -> None:
    """Slack would send it again, and no event at all once too many were refused; the log names each kind once."""
    said = {"team_id": "T1", "team": {"id": "T1"}, "api_app_id": "A1", **said}
    for number in range(2):
        body = json.dumps({**said, "event_id": f"Ev{number}"})
        assert await world.send(body, headers={"Content-Type": "application/json"}) == (200, "")
    (line,) = [line for line in lines() if line["event"] == "nobody listens to this"]
    assert line["request"] == logged


async def test_slacks_address_check_is_answered(world) -> None:
    """Slack verifies the address with a challenge, which must come back."""
    body = json.dumps({"type": "url_verification", "challenge": "abc"})
    status, text = await world.send(body, headers={"Content-Type": "application/json"})
    assert status == 200
    assert "abc" in text


async def test_the_acknowledgement_does_not_wait_for_the_backend(make_world, samples) -> None:
    """Slack gets its answer while the trace backend has not even been asked."""
    async with make_world() as world:
        released = asyncio.Event()
        fetch = world.bot.sources.fetch

        async def slow(*args, **kwargs):
            await released.wait()
            return await fetch(*args, **kwargs)

        world.bot.sources.fetch = slow
        a, b = ids(samples, "slow-query")
        assert await world.command(f"{a} {b}") == (200, "")  # acknowledged although nothing can be fetched yet
        released.set()
        await world.settled()
        assert world.slack.roots()[0]["text"].startswith("Slower")


@pytest.mark.parametrize(
    "faults",
    [
        [("chat.postMessage", "429")],
        [("chat.postMessage", "500")],
        [("chat.postMessage", "cut after")],
        [("chat.update", "429"), ("chat.update", "500")],
        [("chat.update", "cut after")],
        [("chat.update", "invalid_blocks")],
        [("chat.update", "msg_too_long")],
        [("chat.postMessage", "msg_blocks_too_long")],
    ],
    ids=str,
)
async def test_exactly_one_answer_whatever_slack_does(make_world, samples, faults) -> None:
    """Rate limits, server errors, refused layouts and lost answers cost time, never the answer, never a second one."""
    async with make_world() as world:
        world.slack.faults = list(faults)
        await ask(world, samples)
        assert world.slack.faults == []
        (root,) = world.slack.roots()
        assert root["text"].startswith("Slower")
        assert len(world.slack.thread(root["ts"])) == 3


async def test_a_refused_table_becomes_plain_text(make_world, samples) -> None:
    """Where Slack refuses the table, the same rows come as fixed-width text."""

    class NoTables(FaultySlack):
        async def answer(self, method, arguments):
            if any(block.get("type") == "table" for block in arguments.get("blocks") or []):
                return await FaultySlack.answer(self, "fail", {})
            return await super().answer(method, arguments)

    slack = NoTables()
    slack.faults = [("fail", "invalid_blocks")] * 3
    async with make_world(slack=slack) as world:
        await ask(world, samples)
        (root,) = slack.roots()
        spans = slack.replies(root["ts"])[0]
        assert "rich_text_preformatted" in json.dumps(spans["blocks"])
        assert "catalog" in json.dumps(spans["blocks"])


@pytest.mark.parametrize("error", ["not_in_channel", "channel_not_found"])
async def test_where_the_bot_is_no_member_it_asks_to_be_invited(make_world, samples, error) -> None:
    """The person learns how to invite the bot, through the command's own response address."""
    async with make_world() as world:
        world.slack.faults = [("chat.postMessage", error)] * 4
        a, b = ids(samples, "slow-query")
        await world.command(f"{a} {b}")
        await world.settled()
        (said,) = world.slack.whispers()
        assert "/invite" in said


async def test_too_many_waiting_requests_are_told_to_come_back(make_world) -> None:
    """Overload is answered at once, not with silence."""
    async with make_world(limits=Limits(concurrent=1, waiting=0, missing_retry_s=0)) as world:
        first, second = await world.command("aa bb"), await world.command("cc dd")
        assert first == (200, "")
        assert second == (200, "") or "busy" in json.loads(second[1])["text"]
        await world.settled()


async def test_every_message_is_within_slacks_limits(world, samples) -> None:
    """For every sample, nothing that Slack would refuse is sent."""
    for sample in samples.pairs:
        await ask(world, samples, sample.name)
    sent = [a for name, a in world.slack.calls if name in ("chat.postMessage", "chat.update")]
    assert len(sent) > 30
    for message in sent:
        assert problems({"text": message["text"], "blocks": message["blocks"]}) == []
