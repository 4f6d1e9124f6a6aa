"""The Home tab: how to use it, how the sources are, what one asked for, and nobody else's business."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from drawing import draw_view
from slack_oracles import view_objections

from bot.settings import SourceSettings
from bot.settings.reach import ChannelSettings
from bot.slack import notices
from bot.slack.home import home
from bot.slack.limits import view_problems
from bot.state.results import Feedback


async def open_home(world, user: str = "U1", **event) -> list[str]:
    """Open the app and return the pages that were shown, as JSON."""
    shown = {"type": "app_home_opened", "user": user, "channel": "D1", "tab": "home", "event_ts": "1.1"} | event
    assert (await world.event(shown))[0] == 200
    await world.settled()
    return [json.dumps(view) for view in world.slack.homes.get(user, [])]


async def ask(world, samples, name: str = "slow-query", **fields) -> None:
    """Ask for a sample and wait for its answer."""
    pair = next(sample for sample in samples.pairs if sample.name == name)
    assert await world.command(f"{pair.baseline} {pair.suspect}", **fields) == (200, "")
    await world.settled()


async def test_the_tab_is_there_at_once_and_again_with_the_health_of_the_sources(world) -> None:
    """Nobody waits for a slow backend to read how the bot is used."""
    first, second = await open_home(world)
    assert "asking whether they are there" in first
    assert '"jaeger"' in second
    assert "asking whether" not in second
    for page in (first, second):
        assert "/compare-traces <trace>" in page
        assert "Nothing yet." in page
    assert len(await open_home(world)) == 3  # soon after, the sources are not asked again


async def test_a_source_that_is_away_is_said(make_world) -> None:
    """What is wrong and what to do, as everywhere."""
    gone = SourceSettings(name="gone", kind="jaeger", url="http://127.0.0.1:1")
    async with make_world(sources=(gone,)) as world:
        assert "I cannot reach gone" in (await open_home(world))[-1]


async def test_one_sees_what_one_asked_for(world, samples) -> None:
    """With its verdict, what people thought of it, and the way to it; others see theirs."""
    await ask(world, samples)
    await ask(world, samples, "retry-storm", user_id="U2", user_name="bob")
    root = world.slack.roots()[0]
    await world.click(world.slack.replies(root["ts"])[-1], "useful")
    await world.settled()
    page = (await open_home(world))[-1]
    assert f"/#C0INCIDENT/{root['ts']}" in page
    assert "slower, useful to 1 of 1" in page
    assert "Answers found useful: 1 of 1" in page
    pair = next(sample for sample in samples.pairs if sample.name == "retry-storm")
    assert pair.suspect[:8] not in page
    assert pair.suspect[:8] in (await open_home(world, "U2"))[-1]


async def test_private_answers_are_not_listed(world, samples) -> None:
    """There is no way back to them, and they are nobody's business."""
    pair = samples.pairs[0]
    await world.command(f"{pair.baseline} {pair.suspect} private")
    await world.settled()
    assert "Nothing yet." in (await open_home(world))[-1]


async def test_who_may_not_use_the_bot_learns_that(make_world) -> None:
    """And nothing else."""
    async with make_world(allowed_users=("U9",)) as world:
        (page,) = await open_home(world)
        assert "not on the list" in page
        assert "jaeger" not in page


async def test_sources_of_single_channels_are_known_there_alone(make_world) -> None:
    """The tab shows what a channel without settings of its own may ask."""
    async with make_world(channels={"C0INCIDENT": ChannelSettings(sources=("tempo",))}) as world:
        assert '"jaeger"' in (await open_home(world))[-1]


@pytest.mark.parametrize("event", [{"tab": "messages"}, {"tab": ""}])
async def test_other_tabs_are_left_alone(world, event) -> None:
    """Only the Home tab is ours."""
    assert await open_home(world, **event) == []


async def test_an_event_that_comes_twice_is_one(world) -> None:
    """Slack repeats what it thinks lost."""
    event = {"type": "app_home_opened", "user": "U1", "channel": "D1", "tab": "home"}
    for _ in range(2):
        await world.event(event, "Ev-same")
        await world.settled()
    assert len(world.slack.homes["U1"]) == 2


@pytest.mark.parametrize("fault", ["429", "500", "cut after", "not_enabled", "invalid_blocks"])
async def test_a_tab_that_cannot_be_shown_bothers_nobody(world, fault) -> None:
    """It comes later or it does not; nothing is posted anywhere."""
    world.slack.faults = [("views.publish", fault)]
    await open_home(world)
    assert world.slack.whispers() == []
    assert world.slack.roots() == []
    if fault in ("429", "500", "cut after"):
        assert "asking whether" not in json.dumps(world.slack.homes["U1"][-1])


def test_the_tab_reads_well() -> None:
    """Word for word, with everything in it."""
    past = [
        notices.Past(
            baseline_id="4bf92f35" * 4, suspect_id="00f067aa" * 4, at=1_795_486_920.0, user_name="", verdict="Slower",
            permalink="https://acme.slack.com/archives/C1/p1", useful=2, not_useful=1,
        ),
    ]  # fmt: skip
    health = {"jaeger-prod": "ok", "tempo-prod": "I cannot reach tempo-prod (refused)."}
    view = home(
        notices.usage("/compare-traces", ["jaeger-prod"], ("mag",)), health, past, Feedback(useful=7, not_useful=2)
    )
    assert view_problems(view) == []
    assert view_objections(view) == []
    text = draw_view(view) + "\n"
    file = Path(__file__).parents[1] / "data" / "messages" / "home.txt"
    if os.environ.get("UPDATE_GOLDENS"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("text", ["<!channel> ", "\u202e\u0628\u062d ", "統計 ", "\U0001f642 "])
def test_hostile_names_stay_within_the_limits(text) -> None:
    """However many sources, and whatever they say."""
    health = {f"{text * 40}{n}": text * 300 for n in range(60)}
    past = [
        notices.Past(baseline_id="", suspect_id="", service=text * 300, at=1e9, user_name=text * 300, permalink=None)
        for _ in range(10)
    ]
    view = home(notices.usage("/x", list(health)), health, past, Feedback(useful=1))
    assert view_problems(view) == []
    assert view_objections(view) == []
