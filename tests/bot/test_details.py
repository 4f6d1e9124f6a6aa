"""Details: every cause with its evidence and its spans, a page at a time, after a restart as well."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import msgspec
import pytest
from answers import answer, asked, span
from comparisons import BY_VERDICT, SELECT, SLOWER, change
from drawing import draw_view
from slack_oracles import view_objections
from world import button

from bot.settings import Retention
from bot.slack.limits import view_problems
from bot.slack.messages import details

GOLDENS = Path(__file__).parents[1] / "data" / "messages"


async def ask(world, samples, name: str = "slow-query", options: str = "") -> dict:
    """Ask for a sample, wait for its answer and return its root message."""
    pair = next(sample for sample in samples.pairs if sample.name == name)
    assert await world.command(f"{pair.baseline} {pair.suspect} {options}") == (200, "")
    await world.settled()
    return world.slack.roots()[-1] if world.slack.roots() else {}


def pages(its, asked_) -> list[dict]:
    """Return every page of an answer's details, turned one by one."""
    found = [details.view("k", its, asked_)]
    while any(
        e["action_id"] == "details_page_next"
        for b in found[-1]["blocks"]
        if b["type"] == "actions"
        for e in b["elements"]
    ):
        place = details.read_place(button(found[-1]["blocks"], "details_page_next")["value"])
        assert place.page == len(found)
        found.append(details.view("k", its, asked_, place.page))
    return found


def check(view: dict) -> None:
    """Have every judge look at a view."""
    assert view_problems(view) == []
    assert view_objections(view) == []


def test_the_details_read_well() -> None:
    """Headline, each cause with evidence, its spans on both sides with everything they say, what else changed."""
    view = details.view("k", answer(), asked())
    check(view)
    text = draw_view(view) + "\n"
    file = GOLDENS / "details.txt"
    if os.environ.get("UPDATE_GOLDENS"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BY_VERDICT)
def test_every_verdict_has_details(name) -> None:
    """Also those without a cause."""
    for view in pages(answer(BY_VERDICT[name], ()), asked(BY_VERDICT[name])):
        check(view)


async def test_the_button_opens_the_details(world, samples) -> None:
    """Real traces: the cause, the span's statement, and its process."""
    root = await ask(world, samples)
    assert await world.click(root, "details") == (200, "")
    await world.settled()
    (view,) = world.slack.views
    said = json.dumps(view["blocks"])
    assert "SELECT in catalog" in said
    assert "db.statement = SELECT" in said or "db.query.text = SELECT" in said
    assert "process: service.version = " in said
    assert world.slack.whispers() == []


async def test_details_open_after_a_restart(make_world, samples) -> None:
    """The result is kept, not remembered."""
    async with make_world() as world:
        root = await ask(world, samples)
    async with make_world() as again:
        await again.click(root, "details")
        await again.settled()
        assert "SELECT in catalog" in json.dumps(again.slack.views)


async def test_an_answer_that_is_not_kept_any_more_says_so(world, samples) -> None:
    """An old button tells what to do; no modal opens."""
    root = await ask(world, samples)
    world.bot.results._db.execute("DELETE FROM results")
    await world.click(root, "details")
    await world.settled()
    assert world.slack.views == []
    assert world.slack.whispers() == [
        f"I do not have that answer any more (I keep them for {Retention().results_days} days). Please ask again."
    ]


@pytest.mark.parametrize("value", ["", "{}", "[1]", '{"key": 5}', "x" * 2_000])
async def test_a_forged_button_is_an_old_button(world, samples, value) -> None:
    """What we did not write opens nothing."""
    root = await ask(world, samples)
    await world.click(root, "details", actions=[{"type": "button", "action_id": "details", "value": value}])
    await world.settled()
    assert world.slack.views == []
    assert world.slack.whispers() == ["That button is too old; please ask again."]


async def test_details_stay_in_their_channel(world, samples) -> None:
    """A button carried to another channel opens nothing: a channel sees its own sources only."""
    root = await ask(world, samples)
    await world.click(root, "details", channel={"id": "C0OTHER", "name": "other"},
                      response_url=f"{world.url}/response/C0OTHER/x")  # fmt: skip
    await world.settled()
    assert world.slack.views == []
    assert "I do not have that answer any more" in world.slack.whispers()[0]


def content(view: dict) -> str:
    """Return what a modal shows; Slack names its blocks anew each time."""
    return json.dumps(
        [{name: value for name, value in block.items() if name != "block_id"} for block in view["blocks"]]
    )


async def test_pages_are_turned_both_ways(world, samples, monkeypatch) -> None:
    """Next and previous replace the content of the open modal; the ends have one button."""
    monkeypatch.setattr(details, "PAGE_TEXT", 700)
    root = await ask(world, samples)
    await world.click(root, "details")
    await world.settled()
    (view,) = world.slack.views
    first = content(view)
    assert "Page 1 of " in first
    assert "Previous page" not in first
    assert await world.turn(view, "details_page_next") == (200, "")
    await world.settled()
    assert "Page 2 of " in json.dumps(view["blocks"])
    await world.turn(view, "details_page_previous")
    await world.settled()
    assert content(view) == first


async def test_a_page_of_an_answer_that_is_gone_says_so_in_the_modal(world, samples, monkeypatch) -> None:
    """There is no channel to say it in."""
    monkeypatch.setattr(details, "PAGE_TEXT", 700)
    root = await ask(world, samples)
    await world.click(root, "details")
    await world.settled()
    (view,) = world.slack.views
    world.bot.results._db.execute("DELETE FROM results")
    await world.turn(view, "details_page_next")
    await world.settled()
    assert "I do not have that answer any more" in json.dumps(view["blocks"])


@pytest.mark.parametrize("error", ["hash_conflict", "not_found"])
async def test_a_modal_that_changed_meanwhile_is_left_alone(world, samples, monkeypatch, error) -> None:
    """Two quick clicks, or a closed modal: nobody is bothered."""
    monkeypatch.setattr(details, "PAGE_TEXT", 700)
    root = await ask(world, samples)
    await world.click(root, "details")
    await world.settled()
    world.slack.faults = [("views.update", error)]
    await world.turn(world.slack.views[0], "details_page_next")
    await world.settled()
    assert world.slack.whispers() == []


@pytest.mark.parametrize(
    "faults",
    [
        [("views.open", "429")], [("views.open", "500")], [("views.open", "cut after")],
        [("views.open", "500"), ("views.open", "429 2")],
    ],
    ids=str,
)  # fmt: skip
async def test_one_modal_whatever_slack_does(world, samples, faults) -> None:
    """A trigger opens one modal, however often it takes."""
    root = await ask(world, samples)
    world.slack.faults = list(faults)
    await world.click(root, "details")
    await world.settled()
    assert len(world.slack.views) == 1
    assert world.slack.whispers() == []


async def test_a_trigger_that_is_too_old_is_told(world, samples) -> None:
    """When Slack was slow the person learns it, once."""
    root = await ask(world, samples)
    world.slack.faults = [("views.open", "expired_trigger_id")]
    await world.click(root, "details")
    await world.settled()
    (said,) = world.slack.whispers()
    assert "three seconds" in said


@pytest.mark.parametrize("size", [1, 60, 1_000])
@pytest.mark.parametrize(
    "text", ["<!channel> & <@U1> ", "\u202e\u0628\u062d\u062b ", "統計 ", "\U0001f642 ", "a\nb\n", "\ud800"]
)
def test_any_text_in_any_place_stays_within_the_limits(text, size) -> None:
    """Hostile texts of every size in every field, many causes, many spans: every page pleases every judge."""
    long = text * size
    pairs = tuple((f"{text}{n}", long[:2_000]) for n in range(8))
    spans = tuple(
        span(
            side,
            5,
            cause,
            service=long,
            operation=long,
            status_message=long,
            error=True,
            attributes=pairs,
            resource=pairs,
        )
        for cause in range(1, 4)
        for side in ("suspect", "baseline")
    )
    cause = msgspec.structs.replace(SELECT, summary=long, evidence=(long,) * 20, symptoms=(long,) * 60)
    causes = tuple(msgspec.structs.replace(cause, rank=rank) for rank in range(1, 4))
    notes = tuple(msgspec.structs.replace(note, text=long) for note in SLOWER.notes * 60)
    verdict = msgspec.structs.replace(SLOWER.verdict, headline=long, reasons=(long,) * 20)
    comparison = change(causes=causes, notes=notes, verdict=verdict)
    found = pages(answer(comparison, spans), asked(comparison))
    for view in found:
        check(view)
        said = json.dumps(view, ensure_ascii=False)
        assert '"mrkdwn"' not in said
        assert "\u202e" not in said
    if size == 1_000 and text.isprintable():
        assert len(found) > 3


async def test_details_are_quick_while_a_comparison_runs(world, samples) -> None:
    """Acknowledged at once, opened within the three seconds that a trigger lives."""
    root = await ask(world, samples)
    pair = next(sample for sample in samples.pairs if sample.name == "retry-storm")
    await world.command(f"{pair.baseline} {pair.suspect}")
    async with asyncio.timeout(3):
        assert await world.click(root, "details") == (200, "")
        while not world.slack.views:
            await asyncio.sleep(0.01)
    await world.settled()


async def test_allow_lists_hold_for_buttons(make_world, samples) -> None:
    """Who may not ask may not look either."""
    async with make_world() as world:
        root = await ask(world, samples)
    async with make_world(allowed_users=("U9",)) as world:
        await world.click(root, "details")
        await world.settled()
        assert world.slack.views == []
        assert "not on the list" in world.slack.whispers()[0]
