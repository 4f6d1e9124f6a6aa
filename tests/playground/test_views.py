"""Modals and the Home tab of the playground's workspace."""

from __future__ import annotations

import pytest
from slack_sdk.errors import SlackApiError

from bot.playground.workspace import USER, SlackError

MAIN = "C0MAIN"


def plain(text: str) -> dict:
    """Return a text object."""
    return {"type": "plain_text", "text": text}


def modal(title: str = "Ask", **more) -> dict:
    """Return a modal with one input."""
    field = {
        "type": "input", "block_id": "word", "label": plain("Word"),
        "element": {"type": "plain_text_input", "action_id": "value"},
    }  # fmt: skip
    return {
        "type": "modal", "callback_id": "asked", "title": plain(title), "submit": plain("Send"),
        "close": plain("Cancel"), "blocks": [field], **more,
    }  # fmt: skip


def home(text: str = "Welcome") -> dict:
    """Return a Home tab."""
    return {"type": "home", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]}


def typed(word: str) -> dict:
    """Return the state of the modal with a word typed in."""
    return {"word": {"value": {"type": "plain_text_input", "value": word}}}


async def refusal(call) -> str:
    """Return the error that Slack answers to a call."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


async def opened(town, view: dict | None = None) -> str:
    """Open a modal and return its id."""
    answer = await town.client.views_open(trigger_id=town.workspace.trigger(), view=view or modal())
    return answer["view"]["id"]


def titles(town) -> list[str]:
    """Return the titles of the modals that are open, the upmost last."""
    return [view["title"]["text"] for view in town.workspace.views]


async def test_a_shortcut_opens_a_modal_whose_answer_closes_it(town) -> None:
    """From the shortcut to what the app reads: typed values, what the modal carried, addresses of chosen channels."""
    seen = []

    async def ask(ack, body, client) -> None:
        await client.views_open(trigger_id=body["trigger_id"], view=modal(private_metadata="kept", blocks=[where]))
        await ack()

    async def asked(ack, body, view) -> None:
        await ack()
        seen.append((view["private_metadata"], view["state"]["values"], body["response_urls"]))

    element = {"type": "conversations_select", "action_id": "value", "response_url_enabled": True}
    where = {"type": "input", "block_id": "where", "label": plain("Where"), "element": element}
    town.app.global_shortcut("ask")(ask)
    town.app.view("asked")(asked)
    await town.workspace.use_shortcut("ask", MAIN)
    (view,) = town.workspace.views
    values = {"where": {"value": {"type": "conversations_select", "selected_conversation": MAIN}}}
    assert await town.workspace.submit(view["id"], values) == {}
    assert town.workspace.views == []
    ((metadata, state, (address,)),) = seen
    assert (metadata, state) == ("kept", values)
    assert (address["channel_id"], address["block_id"]) == (MAIN, "where")
    assert address["response_url"].startswith(town.workspace.base_url)


async def test_errors_keep_a_modal_open(town) -> None:
    """They come back by block, for the page to show them at the field."""

    async def asked(ack) -> None:
        await ack(response_action="errors", errors={"word": "Not that one."})

    town.app.view("asked")(asked)
    view = await opened(town)
    assert await town.workspace.submit(view, typed("x")) == {"word": "Not that one."}
    assert titles(town) == ["Ask"]


async def test_an_answer_can_update_push_and_clear(town) -> None:
    """What a modal turns into when it was sent off."""

    async def asked(ack, view) -> None:
        match view["state"]["values"]["word"]["value"]["value"]:
            case "update":
                await ack(response_action="update", view=modal("Updated"))
            case "push":
                await ack(response_action="push", view=modal("Above"))
            case _:
                await ack(response_action="clear")

    town.app.view("asked")(asked)
    view = await opened(town)
    await town.workspace.submit(view, typed("update"))
    assert titles(town) == ["Updated"]
    assert town.workspace.views[0]["id"] == view
    await town.workspace.submit(view, typed("push"))
    assert titles(town) == ["Updated", "Above"]
    assert town.workspace.views[1]["previous_view_id"] == view
    await town.workspace.submit(town.workspace.views[1]["id"], typed("clear"))
    assert titles(town) == []


async def test_an_app_that_does_not_answer_leaves_the_modal_open(town) -> None:
    """What was typed is not lost, and the person is told."""
    view = await opened(town)
    assert "trouble connecting" in (await town.workspace.submit(view, typed("x")))[""]
    assert titles(town) == ["Ask"]


async def test_a_trigger_opens_one_modal_soon(town, monkeypatch) -> None:
    """Once, within three seconds, and only if Slack gave it."""
    trigger = town.workspace.trigger()
    await town.client.views_open(trigger_id=trigger, view=modal())
    assert await refusal(town.client.views_open(trigger_id=trigger, view=modal())) == "exchanged_trigger_id"
    assert await refusal(town.client.views_open(trigger_id="mine", view=modal())) == "invalid_trigger_id"
    late, now = town.workspace.trigger(), town.workspace._clock()
    monkeypatch.setattr(town.workspace, "_clock", lambda: now + 3.5)
    assert await refusal(town.client.views_open(trigger_id=late, view=modal())) == "expired_trigger_id"


@pytest.mark.parametrize(
    "view",
    [
        modal("x" * 25), modal(blocks=[]), modal(private_metadata="x" * 3001), home(), modal(blocks=modal()["blocks"] * 2),
        {name: part for name, part in modal().items() if name != "submit"},
    ],
    ids=["long title", "no blocks", "long metadata", "no modal", "one id twice", "input without submit"],
)  # fmt: skip
async def test_a_view_that_slack_would_refuse_is_refused(town, view) -> None:
    """Whatever is beyond the limits does not open, and the trigger is not spent on it."""
    trigger = town.workspace.trigger()
    assert await refusal(town.client.views_open(trigger_id=trigger, view=view)) == "invalid_arguments"
    await town.client.views_open(trigger_id=trigger, view=modal())


async def test_three_modals_lie_on_each_other_at_most(town) -> None:
    """And none is pushed where none is open."""
    push = town.client.views_push
    assert await refusal(push(trigger_id=town.workspace.trigger(), view=modal())) == "not_found"
    await opened(town)
    await push(trigger_id=town.workspace.trigger(), view=modal("Two"))
    await push(trigger_id=town.workspace.trigger(), view=modal("Three"))
    assert await refusal(push(trigger_id=town.workspace.trigger(), view=modal("Four"))) == "push_limit_reached"
    await town.workspace.close(town.workspace.views[-1]["id"])
    assert titles(town) == ["Ask", "Two"]
    await town.workspace.close(town.workspace.views[-1]["id"], everything=True)
    assert titles(town) == []


async def test_a_view_is_updated_unless_it_has_changed_meanwhile(town) -> None:
    """The hash says which version an update is for."""
    view = await opened(town)
    first = town.workspace.views[0]["hash"]
    await town.client.views_update(view_id=view, hash=first, view=modal("Loaded"))
    assert titles(town) == ["Loaded"]
    assert await refusal(town.client.views_update(view_id=view, hash=first, view=modal("Late"))) == "hash_conflict"
    assert await refusal(town.client.views_update(view_id="V0NONE", view=modal())) == "not_found"


async def test_closing_is_told_where_it_was_asked_for(town) -> None:
    """And nowhere else."""
    seen = []

    async def closed(ack, body) -> None:
        await ack()
        seen.append((body["view"]["title"]["text"], body["is_cleared"]))

    town.app.view_closed("asked")(closed)
    await town.workspace.close(await opened(town))
    assert seen == []
    await town.workspace.close(await opened(town, modal("Told", notify_on_close=True)))
    assert seen == [("Told", False)]


async def test_the_home_tab_is_published_when_it_is_looked_at(make_town) -> None:
    """Opened, told, published; its buttons bring the view along."""
    seen = []

    async def publish(event, client) -> None:
        await client.views_publish(user_id=event["user"], view=home())

    async def press(ack, body) -> None:
        await ack()
        seen.append((body["view"]["type"], body["container"]["type"], body["actions"][0]["value"]))

    async with make_town(hears=()) as town:
        town.app.event("app_home_opened")(publish)
        town.app.action("press")(press)
        town.workspace.open_home()
        await town.until(lambda: town.workspace.home is not None)
        view = town.workspace.home
        assert view["blocks"][0]["text"]["text"] == "Welcome"
        await town.workspace.click_in_view(
            view["id"], {"type": "button", "action_id": "press", "value": "v"}, "row", {}
        )
        assert seen == [("home", "view", "v")]
        assert await refusal(town.client.views_publish(user_id="U0OTHER", view=home())) == "invalid_arguments"
        assert await refusal(town.client.views_publish(user_id=USER, view=modal())) == "invalid_arguments"


async def test_a_view_that_is_gone_cannot_be_sent_off(town) -> None:
    """Two clicks on one button are one answer."""
    view = await opened(town)
    await town.workspace.close(view)
    with pytest.raises(SlackError):
        await town.workspace.submit(view, typed("x"))
