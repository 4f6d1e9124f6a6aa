"""The form: opened by the slash command without a word and by the global shortcut, checked field by field."""

from __future__ import annotations

import json

import pytest
from slack_oracles import view_objections
from world import CHANNEL

from bot.requests.request import Origin
from bot.settings import Limits
from bot.settings.reach import ChannelSettings
from bot.slack import forms


def filled(samples, name: str = "slow-query", **more: dict) -> dict[str, dict]:
    """Return a form filled in with a sample's traces."""
    pair = next(sample for sample in samples.pairs if sample.name == name)
    return {"baseline": {"value": pair.baseline}, "suspect": {"value": pair.suspect}} | more


async def opened(world, **fields: str) -> dict:
    """Open the form with the slash command and return it."""
    assert await world.command("", **fields) == (200, "")
    await world.settled()
    return world.slack.views[-1]


async def shortcut(world) -> dict:
    """Open the form with the global shortcut and return it."""
    payload = {
        "type": "shortcut", "callback_id": "compare_traces", "trigger_id": "g1", "team": {"id": "T1"},
        "user": {"id": "U1", "username": "alice"}, "action_ts": "1.2",
    }  # fmt: skip
    assert (await world.action(payload))[0] == 200
    await world.settled()
    return world.slack.views[-1]


def labels(view: dict) -> list[str]:
    """Return what the form asks for."""
    return [block["label"]["text"] for block in view["blocks"]]


async def test_a_command_without_a_word_opens_the_form(world, samples) -> None:
    """The form asks for both traces, and for a source as there are two; sent off, it answers in the channel."""
    view = await opened(world)
    assert labels(view)[:3] == ["Slow or failing trace (B)", "Healthy trace (A)", "Source"]
    assert await world.submit(view, filled(samples)) == (200, "")
    await world.settled()
    (root,) = world.slack.roots()
    assert root["text"].startswith("Slower")
    assert "asked by alice" in json.dumps(root["blocks"])


async def test_a_single_source_is_not_asked_for(make_world) -> None:
    """Where there is nothing to choose, the form asks for nothing; a channel's own sources count."""
    async with make_world(channels={CHANNEL: ChannelSettings(sources=("tempo",))}) as world:
        assert "Source" not in labels(await opened(world))


async def test_the_form_can_say_source_time_and_privacy(world, samples) -> None:
    """The chosen source is asked alone, around the chosen time, and the answer is for one person."""
    view = await opened(world)
    fields = filled(
        samples, source={"selected_option": {"value": "tempo"}}, at={"selected_date_time": 1_795_000_000},
        private={"selected_options": [{"value": "private"}]},
    )  # fmt: skip
    seen = []
    fetch = world.bot.sources.fetch

    async def watched(reference, **how):
        seen.append((reference.window, how["source"]))
        return await fetch(reference, **how)

    world.bot.sources.fetch = watched
    assert await world.submit(view, fields) == (200, "")
    await world.settled()
    assert seen == [((1_795_000_000 - 21_600, 1_795_000_000 + 21_600), "tempo")] * 2
    assert world.slack.roots() == []
    assert world.slack.whispers()[0].startswith("Slower")


async def test_what_is_wrong_is_said_at_its_field(world, samples) -> None:
    """Every field that cannot be read gets its own sentence, and nothing is started."""
    view = await opened(world)
    status, body = await world.submit(
        view, {"baseline": {"value": "no trace"}, "suspect": {"value": "https://evil.example/trace/aa"}}
    )
    answer = json.loads(body)
    assert (status, answer["response_action"]) == (200, "errors")
    assert "not a trace id" in answer["errors"]["baseline"]
    assert "evil.example" in answer["errors"]["suspect"]
    _, body = await world.submit(view, filled(samples, baseline={"value": "aa bb"}))
    assert json.loads(body)["errors"] == {"baseline": "One trace belongs here, as an id or a link; I found 2."}
    await world.settled()
    assert world.slack.roots() == []


async def test_one_trace_is_compared_with_a_typical_one(world, samples) -> None:
    """The healthy trace may be left out."""
    view = await opened(world)
    fields = filled(samples)
    assert await world.submit(view, {"suspect": fields["suspect"], "baseline": {"value": None}}) == (200, "")
    await world.settled()
    assert "with a typical request" in world.slack.called("chat.postMessage")[0]["text"]


async def test_who_may_not_ask_learns_it_in_the_form(make_world, samples) -> None:
    """Allow-lists hold for the chosen channel too, and so do its sources."""
    limits = {"C0OTHER": ChannelSettings(sources=("jaeger",))}
    async with make_world(allowed_channels=("C0OTHER",), channels=limits) as world:
        view = await shortcut(world)
        _, body = await world.submit(view, filled(samples, channel={"selected_conversation": CHANNEL}))
        assert "not allowed to answer in this channel" in json.loads(body)["errors"]["suspect"]
        _, body = await world.submit(
            view,
            filled(
                samples, channel={"selected_conversation": "C0OTHER"}, source={"selected_option": {"value": "tempo"}}
            ),
        )
        assert "no source called “tempo”" in json.loads(body)["errors"]["source"]


async def test_a_form_of_another_version_is_said(world, samples) -> None:
    """A form that was open during an update cannot be read, and does not close without a word."""
    view = await opened(world)
    _, body = await world.submit({**view, "private_metadata": '{"team": 1}'}, filled(samples))
    assert "too old" in json.loads(body)["errors"]["suspect"]


async def test_too_much_to_do_is_said_in_the_form(make_world, samples) -> None:
    """Overload keeps the form open, so that it can be sent again."""
    async with make_world(limits=Limits(concurrent=1, waiting=0)) as world:
        view = await opened(world)
        assert (await world.submit(view, filled(samples)))[1] == ""
        status, body = await world.submit(view, filled(samples, "healthy"))
        assert status == 200
        assert body == "" or "busy" in json.loads(body)["errors"]["suspect"]


async def test_the_global_shortcut_asks_for_the_channel_too(world, samples) -> None:
    """It names no channel: the form asks, the current one first, and the answer goes to the chosen one."""
    view = await shortcut(world)
    assert labels(view)[0] == "Answer in"
    assert view["blocks"][0]["element"]["default_to_current_conversation"] is True
    assert await world.submit(view, filled(samples, channel={"selected_conversation": CHANNEL})) == (200, "")
    await world.settled()
    assert world.slack.roots()[0]["text"].startswith("Slower")


async def test_errors_after_the_shortcut_reach_the_person_through_the_chosen_channel(world) -> None:
    """The form brings a response address for the chosen channel: what fails later is told there, privately."""
    view = await shortcut(world)
    fields = {
        "channel": {"selected_conversation": CHANNEL}, "baseline": {"value": "aaaa"}, "suspect": {"value": "bbbb"},
    }  # fmt: skip
    urls = [{"channel_id": CHANNEL, "response_url": f"{world.url}/response/{CHANNEL}/form", "block_id": "channel"}]
    assert await world.submit(view, fields, response_urls=urls) == (200, "")
    await world.settled()
    assert world.slack.roots() == []
    assert "no trace" in world.slack.whispers()[0]
    assert world.slack.called("chat.postEphemeral") == []


@pytest.mark.parametrize("fault", ["429", "500", "cut after"])
async def test_the_form_opens_once_whatever_slack_does(make_world, fault) -> None:
    """A trigger is good once: a lost answer is not mistaken for a failure, and no error is told."""
    async with make_world() as world:
        world.slack.faults = [("views.open", fault)]
        await opened(world)
        assert len(world.slack.views) == 1
        assert world.slack.whispers() == []


async def test_a_form_that_cannot_be_opened_is_said(make_world) -> None:
    """When the trigger has expired, the person reads it instead of waiting."""
    async with make_world() as world:
        world.slack.faults = [("views.open", "expired_trigger_id")]
        assert await world.command("") == (200, "")
        await world.settled()
        assert "three seconds" in world.slack.whispers()[0]


def test_a_form_fits_slack_with_many_sources_and_a_long_response_address() -> None:
    """What the form carries along has its limit; the address gives way before the form does."""
    origin = Origin(
        team="T1", channel="C1", user="U1", user_name="alice", response_url="https://hooks.slack.com/" + "x" * 3000
    )
    view = forms.form(origin, [f"source-{number}" for number in range(120)])
    assert view_objections(view) == []
    assert len(view["private_metadata"]) <= 3000
    assert forms.read_origin(view).response_url is None
