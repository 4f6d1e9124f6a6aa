"""Messages of the playground's workspace: what Slack does with them, and what it tells an app."""

from __future__ import annotations

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from bot.playground.workspace import BOT_USER, USER, base

MAIN, FOREIGN = "C0MAIN", "C0FOREIGN"


async def refusal(call) -> str:
    """Return the error that Slack answers to a call."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


async def test_a_person_is_heard_with_links_and_mentions_made_out(town) -> None:
    """Text is escaped, an address becomes a link, the app's name a mention; the app is told twice, as by Slack."""
    await town.workspace.type(MAIN, "a < b, https://x.example/?a=1&b=2. @Compare Traces help")
    await town.settled()
    (message,) = town.messages()
    assert message["text"] == f"a &lt; b, <https://x.example/?a=1&amp;b=2>. <@{BOT_USER}> help"
    kinds = [element["type"] for element in message["blocks"][0]["elements"][0]["elements"]]
    assert kinds == ["text", "link", "text", "user", "text"]
    assert sorted(event["type"] for event in town.heard) == ["app_mention", "message"]
    assert {event["ts"] for event in town.heard} == {message["ts"]}
    assert {event["user"] for event in town.heard} == {USER}


async def test_a_mention_in_a_thread_names_the_thread(town) -> None:
    """That is how an app answers there."""
    await town.workspace.type(MAIN, "lunch?")
    root = town.messages()[0]["ts"]
    await town.workspace.type(MAIN, "@Compare Traces help", root)
    await town.settled()
    (mention,) = [event for event in town.heard if event["type"] == "app_mention"]
    assert mention["thread_ts"] == root


async def test_a_command_does_not_work_in_threads(town) -> None:
    """Slack says so to the typist, and the app hears nothing."""
    await town.workspace.type(MAIN, "lunch?")
    root = town.messages()[0]["ts"]
    await town.workspace.type(MAIN, "/try this", root)
    assert "not supported in threads" in town.texts()[-1]
    assert town.messages()[-1]["ephemeral"]
    assert town.messages()[-1]["thread_ts"] == root


async def test_an_unknown_command_is_slacks_own_business(town) -> None:
    """Only the manifest's commands go to the app."""
    await town.workspace.type(MAIN, "/nonsense")
    assert "not a valid command" in town.texts()[0]


async def test_an_answer_to_a_command_is_private_unless_it_says_otherwise(town) -> None:
    """The acknowledgement of a command may be a message."""

    async def answer(ack, command) -> None:
        await ack(
            {"text": command["text"], "response_type": "in_channel" if command["text"] == "loud" else "ephemeral"}
        )

    town.app.command("/try")(answer)
    await town.workspace.type(MAIN, "/try quiet")
    await town.workspace.type(MAIN, "/try loud")
    assert [(m["text"], bool(m.get("ephemeral"))) for m in town.messages()] == [("quiet", True), ("loud", False)]


async def test_own_messages_come_back_as_events_too(town) -> None:
    """New, edited, deleted: each is told, edits with what they replaced."""
    posted = await town.client.chat_postMessage(channel=MAIN, text="one")
    await town.settled()
    await town.client.chat_update(channel=MAIN, ts=posted["ts"], text="two")
    await town.settled()
    await town.client.chat_delete(channel=MAIN, ts=posted["ts"])
    await town.settled()
    assert [event.get("subtype") for event in town.heard] == [None, "message_changed", "message_deleted"]
    assert town.heard[1]["message"]["text"] == "two"
    assert town.heard[1]["previous_message"]["text"] == "one"
    assert town.messages() == []


async def test_an_update_with_text_alone_takes_the_blocks_away(town) -> None:
    """As Slack does; metadata stay when none are given."""
    block = {"type": "section", "text": {"type": "mrkdwn", "text": "x"}}
    metadata = {"event_type": "e", "event_payload": {"id": "1"}}
    posted = await town.client.chat_postMessage(channel=MAIN, text="x", blocks=[block], metadata=metadata)
    await town.client.chat_update(channel=MAIN, ts=posted["ts"], text="y")
    read = await town.client.conversations_history(channel=MAIN, include_all_metadata=True)
    (message,) = read["messages"]
    assert (message["text"], message["blocks"], message["metadata"]) == ("y", [], metadata)
    assert "metadata" not in (await town.client.conversations_history(channel=MAIN))["messages"][0]


async def test_only_own_lasting_messages_can_be_changed(town) -> None:
    """Not a person's, and not one that a single person sees."""
    await town.workspace.type(MAIN, "mine")
    ts = town.messages()[0]["ts"]
    assert await refusal(town.client.chat_update(channel=MAIN, ts=ts, text="x")) == "cant_update_message"
    assert await refusal(town.client.chat_delete(channel=MAIN, ts=ts)) == "cant_delete_message"
    whispered = await town.client.chat_postEphemeral(channel=MAIN, user=USER, text="psst")
    ts = whispered["message_ts"]
    assert await refusal(town.client.chat_update(channel=MAIN, ts=ts, text="x")) == "message_not_found"


async def test_history_has_roots_and_replies_have_threads(town) -> None:
    """A root with replies names itself as its thread; what one person sees is in neither; any ts finds the thread."""
    root = await town.client.chat_postMessage(channel=MAIN, text="root")
    reply = await town.client.chat_postMessage(channel=MAIN, text="reply", thread_ts=root["ts"])
    await town.client.chat_postEphemeral(channel=MAIN, user=USER, text="psst")
    (read,) = (await town.client.conversations_history(channel=MAIN))["messages"]
    assert (read["thread_ts"], read["reply_count"]) == (root["ts"], 1)
    thread = await town.client.conversations_replies(channel=MAIN, ts=reply["ts"])
    assert [message["text"] for message in thread["messages"]] == ["root", "reply"]


async def test_every_message_of_a_channel_has_a_ts_of_its_own(town, monkeypatch) -> None:
    """Each is later than the one before, also while the clock stands still or was put back."""
    monkeypatch.setattr(base.time, "time_ns", lambda: 1_795_862_281_000_000_000)
    posted = [(await town.client.chat_postMessage(channel=MAIN, text="x"))["ts"] for _ in range(25)]
    assert posted == [f"1795862281.{number:06}" for number in range(25)]
    monkeypatch.setattr(base.time, "time_ns", lambda: 1_000_000_000)
    assert (await town.client.chat_postMessage(channel=MAIN, text="x"))["ts"] == "1795862281.000025"


async def test_where_the_app_was_not_invited_it_can_do_nothing_but_answer_commands(town) -> None:
    """No posts, no history, no events; a response address works, and after an invitation everything does."""

    async def answer(ack, respond) -> None:
        await ack()
        await respond("here I am")

    town.app.command("/try")(answer)
    assert await refusal(town.client.chat_postMessage(channel=FOREIGN, text="x")) == "not_in_channel"
    assert await refusal(town.client.conversations_history(channel=FOREIGN)) == "not_in_channel"
    await town.workspace.type(FOREIGN, "@Compare Traces help")
    await town.workspace.type(FOREIGN, "/try")
    await town.settled()
    assert town.heard == []
    await town.until(lambda: town.texts(FOREIGN)[-1] == "here I am")
    await town.workspace.type(FOREIGN, "/invite @Compare Traces")
    await town.client.chat_postMessage(channel=FOREIGN, text="thanks")
    assert town.texts(FOREIGN)[-1] == "thanks"


async def test_a_missing_right_is_named(make_town) -> None:
    """Every answer lists the rights that there are."""
    async with make_town(scopes=["chat:write"]) as town:
        with pytest.raises(SlackApiError) as caught:
            await town.client.conversations_history(channel=MAIN)
        assert caught.value.response["needed"] == "channels:history"
        assert (await town.client.auth_test()).headers["X-OAuth-Scopes"] == "chat:write"


async def test_events_that_were_not_asked_for_are_not_sent(make_town) -> None:
    """The manifest says which."""
    async with make_town(events=["app_mention"]) as town:
        await town.workspace.type(MAIN, "hello @Compare Traces")
        await town.settled()
        assert [event["type"] for event in town.heard] == ["app_mention"]


async def test_an_event_that_is_refused_comes_once_more(town) -> None:
    """With a header that says so, and under the same id."""
    seen = []

    async def stumble(req, resp, next) -> None:  # noqa: A002 - Bolt passes its arguments by name
        seen.append((req.body.get("event_id"), req.headers.get("x-slack-retry-num")))
        if len(seen) == 1:
            resp.status = 500
        else:
            await next()

    town.app.middleware(stumble)
    await town.workspace.type(MAIN, "hello")
    await town.settled()
    (first, again) = seen
    assert first[0] == again[0]
    assert (first[1], again[1]) == (None, ["1"])
    assert len(town.heard) == 1


async def test_a_response_address_replaces_deletes_and_wears_out(town) -> None:
    """Replacing and deleting are about the message whose button was clicked; five uses are all."""
    await town.client.chat_postEphemeral(channel=MAIN, user=USER, text="keep or drop?")
    (whisper,) = town.messages()
    url = town.workspace.response_url(MAIN, whisper)
    async with aiohttp.ClientSession() as session:

        async def respond(**body) -> tuple[int, str]:
            async with session.post(url, json=body) as response:
                return response.status, await response.text()

        assert (await respond(text="kept", replace_original=True))[0] == 200
        assert town.texts() == ["kept"]
        assert (await respond(delete_original=True))[0] == 200
        assert town.texts() == []
        assert (await respond(text="for all", response_type="in_channel"))[0] == 200
        assert (await respond(text="for one"))[0] == 200
        assert (await respond())[0] == 400  # not a use
        assert (await respond(text="five"))[0] == 200
        assert await respond(text="six") == (404, "used_url")
    assert [(m["text"], bool(m.get("ephemeral"))) for m in town.messages()] == [
        ("for all", False), ("for one", True), ("five", True),
    ]  # fmt: skip


async def test_reactions_are_told_shown_and_taken_back(town) -> None:
    """A person's toggles; the app's own are refused when they change nothing."""
    posted = await town.client.chat_postMessage(channel=MAIN, text="root")
    await town.settled()
    town.heard.clear()
    town.workspace.react(MAIN, posted["ts"], "mag")
    await town.settled()
    town.workspace.react(MAIN, posted["ts"], "mag")
    await town.settled()
    assert [(e["type"], e["reaction"], e["item"]["ts"]) for e in town.heard] == [
        ("reaction_added", "mag", posted["ts"]), ("reaction_removed", "mag", posted["ts"]),
    ]  # fmt: skip
    where = {"channel": MAIN, "timestamp": posted["ts"], "name": "eyes"}
    await town.client.reactions_add(**where)
    assert await refusal(town.client.reactions_add(**where)) == "already_reacted"
    assert town.messages()[0]["reactions"] == [{"name": "eyes", "users": [BOT_USER], "count": 1}]
    await town.client.reactions_remove(**where)
    assert await refusal(town.client.reactions_remove(**where)) == "no_reaction"


async def test_the_directory_knows_people_and_channels(town) -> None:
    """Names of ids, and whether the app is in a channel."""
    assert (await town.client.users_info(user=USER))["user"]["name"] == "alice"
    assert await refusal(town.client.users_info(user="U0NOBODY")) == "user_not_found"
    listed = (await town.client.conversations_list())["channels"]
    assert {its["name"]: its["is_member"] for its in listed} == {"main": True, "other": True, "foreign": False}
    assert (await town.client.conversations_info(channel=FOREIGN))["channel"]["is_member"] is False


async def test_a_message_shortcut_brings_the_message_along(town) -> None:
    """As it is read, its thread included; the answer goes to the person."""
    seen = []

    async def look(ack, body, respond) -> None:
        await ack()
        seen.append(body)
        await respond("seen")

    town.app.message_shortcut("look")(look)
    root = await town.client.chat_postMessage(channel=MAIN, text="root")
    await town.client.chat_postMessage(channel=MAIN, text="reply", thread_ts=root["ts"])
    await town.workspace.use_shortcut("look", MAIN, root["ts"])
    (body,) = seen
    assert (body["message_ts"], body["message"]["thread_ts"], body["channel"]["id"]) == (root["ts"], root["ts"], MAIN)
    await town.until(lambda: town.texts()[-1] == "seen")


async def test_a_shortcut_that_nobody_takes_is_said(town) -> None:
    """The person reads that the app failed."""
    posted = await town.client.chat_postMessage(channel=MAIN, text="root")
    await town.workspace.use_shortcut("look", MAIN, posted["ts"])
    assert "status 404" in town.texts()[-1]


async def test_a_button_of_a_private_message_comes_without_the_message(town) -> None:
    """Slack does not keep it, so it cannot send it; the response address may still replace it."""
    seen = []

    async def press(ack, body, respond) -> None:
        await ack()
        seen.append(body)
        await respond("done", replace_original=True)

    town.app.action("press")(press)
    button = {"type": "button", "action_id": "press", "text": {"type": "plain_text", "text": "Press"}, "value": "v"}
    row = {"type": "actions", "block_id": "row", "elements": [button]}
    posted = await town.client.chat_postEphemeral(channel=MAIN, user=USER, text="press?", blocks=[row])
    await town.workspace.click(MAIN, posted["message_ts"], button, "row")
    (body,) = seen
    assert "message" not in body
    assert body["container"]["is_ephemeral"] is True
    assert body["actions"][0]["value"] == "v"
    await town.until(lambda: town.texts() == ["done"])
