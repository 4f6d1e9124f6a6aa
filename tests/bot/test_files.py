"""The picture in the thread: once, said in words as well, and never needed."""

from __future__ import annotations

import pytest
from comparisons import BY_VERDICT, SLOWER
from world import CHANNEL

from analysis.comparison import Lane, TimelineRow
from bot.slack import messages as ms
from bot.slack.files import ASK_AGAIN_S

PNG = b"\x89PNG\r\n\x1a\n"


async def ask(world, samples, name: str = "slow-query") -> None:
    """Ask for a sample and wait for its answer."""
    pair = next(sample for sample in samples.pairs if sample.name == name)
    assert await world.command(f"{pair.baseline} {pair.suspect}") == (200, "")
    await world.settled()


def pictures(world) -> list[dict]:
    """Return the messages that share a file."""
    return [m for m in world.slack.messages[CHANNEL] if m.get("files")]


def texts(world) -> list[str]:
    """Return what stands in the thread beside pictures."""
    (root,) = world.slack.roots()
    return [m["text"].split(":")[0] for m in world.slack.replies(root["ts"])]


async def test_a_picture_stands_under_the_table(world, samples) -> None:
    """Drawn from the comparison, uploaded to the thread, with a caption and a description in words."""
    await ask(world, samples)
    (root,) = world.slack.roots()
    table, picture, steps = world.slack.thread(root["ts"])
    assert table["text"].startswith("Top offending spans")
    assert steps["text"].startswith("Suggested next steps")
    assert picture["text"].startswith("Both requests on one time axis: A ")
    (file,) = picture["files"]
    assert file["mimetype"] == "image/png"
    assert world.slack.uploads.files[file["id"]].body.startswith(PNG)
    assert "SELECT" in file["alt_txt"]
    assert "slower" in file["alt_txt"]


@pytest.mark.parametrize("name", ["same-trace-twice", "different-operations"])
async def test_what_cannot_be_compared_is_not_drawn(world, samples, name) -> None:
    """Two unlike requests on one axis, or one request twice, say nothing."""
    await ask(world, samples, name)
    assert pictures(world) == []
    assert world.slack.called("files.getUploadURLExternal") == []


@pytest.mark.parametrize(
    "faults",
    [
        [("files.getUploadURLExternal", "429")],
        [("files.getUploadURLExternal", "500")],
        [("files.getUploadURLExternal", "cut after")],
        [("files.completeUploadExternal", "429")],
        [("files.completeUploadExternal", "500")],
        [("files.completeUploadExternal", "file_update_failed")],
        [("files.completeUploadExternal", "cut after")],
    ],
    ids=str,
)
async def test_exactly_one_picture_whatever_slack_does(world, samples, faults) -> None:
    """Rate limits, server errors and lost answers cost time, never a second picture."""
    world.slack.faults = list(faults)
    await ask(world, samples)
    assert world.slack.faults == []
    assert len(pictures(world)) == 1
    assert texts(world) == ["Top offending spans", "Suggested next steps"]


async def test_bytes_that_do_not_arrive_are_sent_again(world, samples) -> None:
    """A failed upload is repeated at a new address."""
    world.slack.uploads.refusals = 2
    await ask(world, samples)
    assert len(pictures(world)) == 1
    assert len(world.slack.called("files.getUploadURLExternal")) == 3


async def test_a_picture_that_slack_loses_because_of_its_description_is_sent_without(world, samples) -> None:
    """Where Slack says "ok" and shares nothing, the picture counts more than its description."""
    world.slack.loses_described_files = True
    await ask(world, samples)
    (picture,) = pictures(world)
    assert picture["files"][0]["alt_txt"] == ""


@pytest.mark.parametrize(
    "faults",
    [
        [("files.getUploadURLExternal", "missing_scope")],
        [("files.completeUploadExternal", "not_in_channel")],
        [("files.completeUploadExternal", "500")] * 4,
        [("files.getUploadURLExternal", "storage_limit_reached")],
    ],
    ids=str,
)
async def test_the_answer_is_complete_without_a_picture(world, samples, faults, capsys) -> None:
    """Without the right, the space or the luck, everything else is there, nobody is told, the log is, once."""
    world.slack.faults = list(faults)
    await ask(world, samples)
    assert world.slack.faults == []
    assert pictures(world) == []
    assert texts(world) == ["Top offending spans", "Suggested next steps"]
    assert world.slack.whispers() == []
    assert capsys.readouterr().out.count("file not shared") == 1


async def test_a_right_that_is_missing_is_not_asked_for_each_time(world, samples) -> None:
    """For a while nothing is drawn any more; later the app may have been installed anew."""
    now = [0.0]
    world.bot.files._clock = lambda: now[0]
    world.slack.faults = [("files.getUploadURLExternal", "missing_scope")]
    await ask(world, samples)
    await ask(world, samples, "retry-storm")
    assert pictures(world) == []
    assert len(world.slack.called("files.getUploadURLExternal")) == 1
    now[0] = ASK_AGAIN_S + 1
    await ask(world, samples, "lost-parallelism")
    assert len(pictures(world)) == 1


async def test_a_picture_that_cannot_be_drawn_holds_nothing_up(world, samples, monkeypatch) -> None:
    """When drawing takes too long, the rest of the answer comes all the same."""
    monkeypatch.setattr("bot.job.answering.DRAWING_S", 0.0)
    await ask(world, samples)
    assert pictures(world) == []
    assert texts(world) == ["Top offending spans", "Suggested next steps"]


async def test_a_file_is_not_shared_again_after_a_restart(world) -> None:
    """Its name tells whether an earlier attempt came that far."""
    root = world.slack.do_chat_postMessage({"channel": CHANNEL, "text": "root"})["ts"]
    file = ms.picture(SLOWER, "k1", PNG)
    assert await world.bot.files.share(CHANNEL, root, [file], "caption", first=True)
    assert await world.bot.files.share(CHANNEL, root, [file], "caption", first=False)
    assert len(pictures(world)) == 1


@pytest.mark.parametrize("text", ["<!channel> ", "\u202e\u0628 ", "統計 ", "x" * 300])
def test_a_description_is_one_bounded_line(text) -> None:
    """However long and however strange the names, the description is words of Slack's length."""
    lane = Lane(spans=((0, 1),), exposed=((0, 1),))
    row = TimelineRow(
        label=text * 9,
        service=text * 9,
        depth=0,
        delta_ns=5,
        baseline_calls=1,
        suspect_calls=61,
        baseline=lane,
        suspect=lane,
    )
    for comparison in BY_VERDICT.values():
        file = ms.picture(type(comparison)(**{**{f: getattr(comparison, f) for f in comparison.__struct_fields__},
                                              "timeline": (row,) * 9}), "k", PNG)  # fmt: skip
        assert 0 < len(file.alt_text) <= 1_000
        assert "\u202e" not in file.alt_text
        assert "\n" not in file.alt_text
