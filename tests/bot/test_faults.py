"""Whatever Slack does, whoever asks by whatever way gets exactly one answer or one clear error."""

from __future__ import annotations

import pytest
from alert_messages import fired
from world import CHANNEL

from bot.playground.workspace import BOT_ID
from bot.requests.request import Origin
from bot.settings import Limits
from bot.slack import forms

PASSING = (
    "429", "500", "cut before", "cut after", "half an answer", "invalid_blocks", "msg_too_long", "msg_blocks_too_long",
    "invalid_arguments",
)  # fmt: skip
LASTING = ("not_in_channel", "channel_not_found", "is_archived", "restricted_action", "invalid_auth")
REPLIES = (
    "Top offending spans",
    "Both requests on one time axis",
    "What else changed",
    "About the data",
    "Suggested next",
)
WAITING = ("Comparing", "Looking for")


class Asking:
    """A person, or an alert, that asks about a sample in every way there is."""

    def __init__(self, world, samples) -> None:
        self.world = world
        self.pair = next(sample for sample in samples.pairs if sample.name == "slow-query")
        self.origin = Origin(team="T1", channel=CHANNEL, user="U1", user_name="alice")

    async def command(self) -> None:
        """A slash command with two ids."""
        await self.world.command(f"{self.pair.baseline} {self.pair.suspect}")

    async def one_id(self) -> None:
        """A slash command with one id."""
        await self.world.command(self.pair.suspect)

    async def mention(self) -> None:
        """The bot's name in a message."""
        said = self.world.slack.put(CHANNEL, user="U1", text=f"<@U0BOT> {self.pair.suspect}")
        await self.world.event({**said, "type": "app_mention", "channel": CHANNEL})

    async def reaction(self) -> None:
        """An emoji under an alert."""
        alert = self.world.slack.put(CHANNEL, **fired(self.pair.suspect))
        await self.world.event({
            "type": "reaction_added", "user": "U1", "reaction": "mag", "event_ts": "1.3",
            "item": {"type": "message", "channel": CHANNEL, "ts": alert["ts"]},
        })  # fmt: skip

    async def shortcut(self) -> None:
        """The menu of a message."""
        alert = self.world.slack.put(CHANNEL, **fired(self.pair.suspect))
        await self.world.action({
            "type": "message_action", "callback_id": "compare_traces_message", "trigger_id": "t", "team": {"id": "T1"},
            "user": {"id": "U1", "username": "alice"}, "channel": {"id": CHANNEL, "name": "incident"},
            "message_ts": alert["ts"], "message": alert, "response_url": f"{self.world.url}/response/{CHANNEL}/m",
        })  # fmt: skip

    async def form(self) -> None:
        """The form, sent off."""
        view = forms.form(self.origin, ["jaeger", "tempo"])
        await self.world.submit(
            {**view, "id": "V1"}, {"baseline": {"value": self.pair.baseline}, "suspect": {"value": self.pair.suspect}}
        )

    async def alert(self) -> None:
        """An alert in a watched channel."""
        alert = self.world.slack.put(CHANNEL, **fired(self.pair.suspect))
        await self.world.event({**alert, "channel": CHANNEL, "channel_type": "channel"})


WAYS = ("command", "one_id", "mention", "reaction", "shortcut", "form", "alert")


def ours(world) -> list[dict]:
    """Return what the bot said in the channel, to all or to one."""
    return [m for m in world.slack.messages[CHANNEL] if m.get("bot_id") == BOT_ID]


def sorts(world) -> dict[str, list[str]]:
    """Return what the bot said, by what it is."""
    found: dict[str, list[str]] = {"verdict": [], "reply": [], "waiting": [], "error": []}
    for message in ours(world):
        text = message["text"]
        if text.startswith("Slower"):
            found["verdict"].append(text)
        elif text.startswith(REPLIES):
            found["reply"].append(next(start for start in REPLIES if text.startswith(start)))
        elif text.startswith(WAITING):
            found["waiting"].append(text)
        else:
            found["error"].append(text)
    return found


async def run(world, asking: Asking, way: str, faults: list) -> dict[str, list[str]]:
    """Ask once, with these faults on the way, in an empty channel."""
    world.slack.messages[CHANNEL].clear()
    world.slack.faults = list(faults)
    await getattr(asking, way)()
    await world.settled()
    return sorts(world)


@pytest.fixture
async def world(make_world):
    """Return a world in which a question may be repeated at once, and alerts are watched."""
    async with make_world(limits=Limits(repeat_window_s=0, alert_window_s=0), watched_channels=(CHANNEL,)) as made:
        yield made


@pytest.fixture
async def plain_faults(plain_world):
    """Return such a world without pictures."""
    async with plain_world(limits=Limits(repeat_window_s=0, alert_window_s=0), watched_channels=(CHANNEL,)) as made:
        yield made


@pytest.mark.parametrize("way", WAYS)
async def test_every_way_in_ends_in_one_answer(world, samples, way) -> None:
    """A fault that passes, at the announcement, at the verdict and at the picture: one verdict, each reply once."""
    asking = Asking(world, samples)
    whole = await run(world, asking, way, [])
    assert len(whole["verdict"]) == 1
    for what in PASSING:
        faults = [("chat.postMessage", what), ("chat.update", what), ("files.completeUploadExternal", what)]
        if way == "alert":  # nothing is announced, so nothing is edited
            faults = [("chat.postMessage", what), ("files.completeUploadExternal", what)]
        if what.startswith(("invalid", "msg_")):
            faults.pop()  # a picture has no layout
        found = await run(world, asking, way, faults)
        assert world.slack.faults == [], what
        assert found == whole, what


@pytest.mark.parametrize("number", [2, 3])
async def test_every_message_of_an_answer_is_posted_once(world, samples, number) -> None:
    """The same for each further message of the thread."""
    asking = Asking(world, samples)
    whole = await run(world, asking, "command", [])
    for what in PASSING:
        faults = [("chat.postMessage", "pass")] * (number - 1) + [("chat.postMessage", what)]
        assert await run(world, asking, "command", faults) == whole, what


@pytest.mark.parametrize("way", [way for way in WAYS if way != "alert"])
async def test_every_way_in_ends_in_one_error(world, samples, way) -> None:
    """A channel that takes nothing: one sentence for the person who asked, and nothing left hanging."""
    asking = Asking(world, samples)
    for what in LASTING:
        found = await run(world, asking, way, [("chat.postMessage", what)] * 20)
        assert (found["verdict"], found["reply"], found["waiting"]) == ([], [], []), what
        assert len(found["error"]) == 1, what
        assert ("/invite" if what in ("not_in_channel", "channel_not_found") else what) in found["error"][0], what


async def test_an_alert_that_nobody_asked_about_ends_in_silence(world, samples) -> None:
    """Watching is never noise: what cannot be answered is written to the log."""
    found = await run(world, Asking(world, samples), "alert", [("chat.postMessage", "restricted_action")] * 20)
    assert found == {"verdict": [], "reply": [], "waiting": [], "error": []}


@pytest.mark.parametrize("what", ["is_archived", "not_in_channel", "500"])
async def test_a_verdict_that_is_refused_is_taken_back_with_one_error(world, samples, what) -> None:
    """By edit and as a new message: the announcement goes; the person who asked learns why there is no answer."""
    faults = [("chat.postMessage", "pass"), *[("chat.update", what), ("chat.postMessage", what)] * 20]
    found = await run(world, Asking(world, samples), "command", faults)
    assert (found["verdict"], found["reply"], found["waiting"]) == ([], [], [])
    assert len(found["error"]) == 1


@pytest.mark.parametrize("way", [way for way in WAYS if way != "alert"])
@pytest.mark.parametrize(
    "what", ["500", "invalid_blocks", "429 301", "cant_update_message", "edit_window_closed", "message_not_found"]
)
async def test_a_verdict_that_slack_takes_no_edit_for_is_posted_anew(plain_faults, samples, way, what) -> None:
    """A result that is there is told; the announcement does not stay beside it."""
    asking = Asking(plain_faults, samples)
    whole = await run(plain_faults, asking, way, [])
    assert await run(plain_faults, asking, way, [("chat.update", what)] * 9) == whole


async def test_an_edit_that_was_applied_in_secret_is_not_doubled(plain_faults, samples) -> None:
    """Slack took the verdict every time and its answer was lost every time: one message stays."""
    asking = Asking(plain_faults, samples)
    whole = await run(plain_faults, asking, "command", [])
    assert await run(plain_faults, asking, "command", [("chat.update", "cut after")] * 4) == whole


async def test_an_announcement_that_cannot_be_taken_back_is_the_error_itself(world, samples) -> None:
    """When deleting is not allowed either, the message that everybody sees says what happened."""
    world.slack.messages[CHANNEL].clear()
    world.slack.faults = [("chat.update", "500")] * 4 + [("chat.delete", "cant_delete_message")] * 2
    await Asking(world, samples).command()
    await world.settled()
    (only,) = ours(world)
    assert not only.get("ephemeral")
    assert "could not be reached" in only["text"]


@pytest.mark.parametrize("what", PASSING)
async def test_an_error_is_told_once(world, what) -> None:
    """A trace that is not there, while Slack has troubles of its own: one sentence, or two of which one is a copy."""
    world.slack.messages[CHANNEL].clear()
    cut = what.startswith(("cut", "half"))
    world.slack.faults = [("response", "500" if what[0] in "im" else what if what == "cut after" else "404")]
    world.slack.faults += [] if what == "cut after" else [("chat.postEphemeral", what)]
    await world.command("1234567890abcdef fedcba0987654321")
    await world.settled()
    found = sorts(world)
    assert (found["verdict"], found["waiting"]) == ([], [])
    assert 1 <= len(found["error"]) <= (2 if cut else 1)
    assert len(set(found["error"])) == 1
