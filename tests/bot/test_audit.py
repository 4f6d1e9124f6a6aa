"""What is written down of each request: who, where, which traces, which sources, how it ended, how long it took."""

from __future__ import annotations

import asyncio
import json
import sys
import time

import msgspec
import pytest
from measured import Watch
from world import CHANNEL, FaultySlack

from bot.requests.request import CompareRequest, Origin, Payload, TraceRef
from bot.telemetry import log

FIELDS = {
    "event", "level", "timestamp", "request", "outcome", "code", "verdict", "team", "channel", "user", "watched", "private",
    "baseline", "suspect", "sources", "seconds",
}  # fmt: skip
BROKEN = """
from bot.analysing import child
def broken(*_, **__):
    raise KeyError("SELECT card FROM payments of jane")
child.compare = broken
child.main()
"""


def audit(written: list[dict]) -> dict:
    """Return the one line that says what became of a request."""
    (line,) = [line for line in written if line["event"] == "request"]
    return line


@pytest.fixture
def pair(samples):
    """Return a sample whose suspect is slower, for a known cause."""
    return next(sample for sample in samples.pairs if sample.name == "slow-query")


async def test_an_answer_is_one_line_and_some_counts(world, pair, lines) -> None:
    """Who asked, from where, for which traces, which sources gave them, and what came out."""
    change = Watch()
    await world.command(f"{pair.baseline} {pair.suspect}")
    await world.settled()
    line = audit(lines())
    (entry,) = await world.bot.ledger.recent(CHANNEL, 5)
    assert set(line) == FIELDS
    assert line["request"] == entry.key
    assert (line["team"], line["channel"], line["user"]) == ("T1", CHANNEL, "U1")
    assert (line["baseline"], line["suspect"], line["sources"]) == (pair.baseline, pair.suspect, ["jaeger"])
    assert (line["outcome"], line["verdict"], line["code"]) == ("answered", "slower", "")
    assert 0 < line["seconds"] < 60
    assert change("compare_traces_requests_total", outcome="answered") == 1
    assert change("compare_traces_verdicts_total", kind="slower") == 1
    assert change("compare_traces_causes_total", kind="self_time_increase") >= 1
    assert change("compare_traces_request_seconds_count", outcome="answered") == 1
    for name, labels in (
        ("queue", {"wait": "place"}), ("analysis", {"step": "decode"}), ("analysis", {"step": "compare"}),
        ("analysis", {"step": "report"}), ("analysis", {"step": "draw"}), ("post", {"step": "announce"}),
        ("post", {"step": "answer"}),
    ):  # fmt: skip
        assert change(f"compare_traces_{name}_seconds_count", **labels) == 1, (name, labels)
        assert change(f"compare_traces_{name}_seconds_sum", **labels) > 0, (name, labels)


async def test_a_failure_is_written_with_its_code(world, lines) -> None:
    """Never with its text."""
    change = Watch()
    await world.command("aa bb")
    await world.settled()
    line = audit(lines())
    assert (line["outcome"], line["code"], line["verdict"]) == ("failed", "trace-not-found", "")
    assert line["suspect"] == "bb".rjust(32, "0")
    assert change("compare_traces_failures_total", code="trace-not-found") == 1
    assert change("compare_traces_request_seconds_count", outcome="failed") == 1


async def test_what_nobody_foresaw_has_a_code_too(world, pair, lines) -> None:
    """A fault of ours is counted as such."""
    change = Watch()

    async def broken(*_args, **_kwargs):
        raise ZeroDivisionError

    world.bot.sources.fetch = broken
    await world.command(f"{pair.baseline} {pair.suspect}")
    await world.settled()
    assert audit(lines())["code"] == "internal"
    assert change("compare_traces_failures_total", code="internal") == 1


@pytest.mark.parametrize("text", ["nonsense nonsense", "aa bb cc"])
async def test_what_is_not_understood_is_written_without_what_was_said(world, lines, text) -> None:
    """Who asked and why it was refused; the words themselves may be anything."""
    change = Watch()
    await world.command(text)
    line = audit(lines())
    assert (line["outcome"], line["user"], line["suspect"]) == ("refused", "U1", "")
    assert line["code"] in ("not-a-reference", "too-many")
    assert "nonsense" not in json.dumps(line)
    assert change("compare_traces_requests_total", outcome="refused") == 1


async def test_who_is_not_allowed_is_written(make_world, pair, lines) -> None:
    """An attempt leaves a trace, by whichever way in."""
    async with make_world(allowed_users=("U9",)) as world:
        await world.command(f"{pair.baseline} {pair.suspect}", user_id="U1")
        await world.event({"type": "app_mention", "channel": CHANNEL, "user": "U2", "ts": "1.1", "text": "<@U0> aa bb"})
        await world.settled()
    refused = [(line["user"], line["code"]) for line in lines() if line["event"] == "request"]
    assert refused == [("U1", "user-refused"), ("U2", "user-refused")]


async def test_a_repeated_question_is_written_as_such(world, pair, lines) -> None:
    """It cost nothing, and the numbers of answers are those of answers."""
    await world.command(f"{pair.baseline} {pair.suspect}")
    await world.settled()
    lines()
    change = Watch()
    await world.command(f"{pair.baseline} {pair.suspect}", user_id="U2")
    await world.settled()
    line = audit(lines())
    assert (line["outcome"], line["user"], line["suspect"]) == ("repeated", "U2", pair.suspect)
    assert change("compare_traces_requests_total", outcome="repeated") == 1
    assert change("compare_traces_requests_total", outcome="answered") == 0


async def test_over_a_restart_a_request_keeps_its_id_and_its_time(make_world, pair, lines) -> None:
    """Interrupted in one process, answered in the next: two lines with one id, the time counted from the beginning."""
    slack = FaultySlack()
    async with make_world(slack=slack) as world:
        world.bot.sources.fetch = lambda *_, **__: asyncio.Event().wait()
        await world.command(f"{pair.baseline} {pair.suspect}")
        async with asyncio.timeout(10):
            while not slack.roots():
                await asyncio.sleep(0)
        await world.bot.jobs.drain(timeout_s=0)
        interrupted = audit(lines())
        assert interrupted["outcome"] == "interrupted"
    async with make_world(slack=slack) as world:
        await world.settled()
        answered = audit(lines())
    assert (answered["outcome"], answered["request"]) == ("answered", interrupted["request"])
    assert answered["seconds"] > interrupted["seconds"]


async def test_the_wait_from_acceptance_to_who_takes_it_up_is_measured(make_world, pair) -> None:
    """What another process accepted ninety seconds ago has waited for so long."""
    async with make_world() as world:
        world.bot.ledger._clock = lambda: time.time() - 90
        payload = Payload(
            request=CompareRequest(baseline=TraceRef(trace_id=pair.baseline), suspect=TraceRef(trace_id=pair.suspect)),
            origin=Origin(team="T", channel=CHANNEL, user="U1", user_name="alice"),
        )
        await world.bot.ledger.accept("k", "q", CHANNEL, msgspec.json.encode(payload), 0)
        change = Watch()
        await world.bot.jobs.work("k")
        assert 90 <= change("compare_traces_queue_seconds_sum", wait="taker") < 120
        assert 90 <= change("compare_traces_request_seconds_sum", outcome="answered") < 150


async def test_no_line_holds_what_a_trace_says(world, samples, lines) -> None:
    """Services, operations, statements: nothing of them in any line of whole comparisons."""
    for sample in samples.pairs:
        await world.command(f"{sample.baseline} {sample.suspect}")
        await world.settled()
    written = json.dumps(lines())
    assert "analysed" in written
    for sample in samples.pairs:
        said = json.loads(samples.jaeger(sample.suspect))["data"][0]
        names = {process["serviceName"] for process in said["processes"].values()}
        names |= {span["operationName"] for span in said["spans"]}
        found = {name for name in names if f'"{name}"' in written or (len(name) > 12 and name in written)}
        assert not found


async def test_the_childs_outcome_has_the_id_of_the_request(world, pair, lines) -> None:
    """How long each step took in the other process, with how much it read."""
    await world.command(f"{pair.baseline} {pair.suspect}")
    await world.settled()
    written = lines()
    compared, drawn = [line for line in written if line["event"] == "analysed"]
    assert compared["request"] == drawn["request"] == audit(written)["request"]
    assert (compared["job"], compared["traces"], compared["readable"]) == ("compare", 2, True)
    assert compared["bytes"] > 10_000
    assert compared["decode_s"] >= 0
    assert compared["compare_s"] > 0
    assert drawn["draw_s"] > 0


@pytest.mark.parametrize(
    ("code", "event", "said"),
    [
        (BROKEN, "analysis failed", {"fault": "KeyError at "}),
        ("import os; os.kill(os.getpid(), 11)", "analysis died", {"status": -11}),
        ("import sys; sys.exit(3)", "analysis died", {"status": 3}),
    ],
    ids=["an error nobody foresaw", "killed by a signal", "ended by itself"],
)
async def test_a_child_that_fails_is_a_line_of_the_request(world, pair, capfd, code, event, said) -> None:
    """What is wrong and where, with the request's id; not what the trace says, neither there nor on standard error."""
    log.configure(json_lines=True)
    await world.bot.runner.aclose()
    world.bot.runner._comparing._command = (sys.executable, "-c", code)
    await world.command(f"{pair.baseline} {pair.suspect}")
    await world.settled()
    written = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    (line,) = [line for line in written if line["event"] == event]
    assert line["request"] == audit(written)["request"]
    assert audit(written)["code"] == "crashed"
    for name, value in said.items():
        assert str(line[name]).startswith(str(value))
    assert "payments" not in json.dumps(written)
