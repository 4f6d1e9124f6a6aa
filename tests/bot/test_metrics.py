"""Metrics: each moves with what it measures, and none has labels that grow without bound."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import time
from collections import defaultdict
from http import HTTPStatus
from pathlib import Path

import pytest
from measured import Watch, scrape
from prometheus_client.parser import text_string_to_metric_families
from world import CHANNEL

from analysis.comparison import CauseKind, VerdictKind
from bot.cache.trace_cache import Kind
from bot.errors import FAMILIES
from bot.machines.calls import CALLS
from bot.settings import Limits, SourceSettings
from bot.slack.client import KNOWN
from bot.slack.reception import payload_kind
from bot.telemetry import metrics

ROOT = Path(__file__).parents[2]


async def test_prometheus_can_read_them(world) -> None:
    """The text parses, in both formats that Prometheus asks for, and the process is in it."""
    kind, text = await scrape(world)
    assert kind.startswith("text/plain; version=0.0.4")
    names = {family.name for family in text_string_to_metric_families(text)}
    assert {"compare_traces_ack_seconds", "process_resident_memory_bytes"} <= names
    kind, text = await scrape(world, "application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")


async def test_acknowledgements_are_timed_by_the_kind_of_payload(world) -> None:
    """A command is a command; what is refused has no kind, whatever it claims to be."""
    change = Watch()
    await world.command("help")
    await world.send("command=x", headers={"X-Slack-Signature": "v0=00"})
    assert change("compare_traces_ack_seconds_count", kind="command") == 1
    assert change("compare_traces_ack_seconds_count", kind="refused") == 1
    assert 0 < change("compare_traces_ack_seconds_sum", kind="command") < 3


def test_every_kind_of_payload_is_one_of_a_few() -> None:
    """Whatever a payload says of itself, the label is ours."""
    said = [
        "event_callback",
        "block_actions",
        "view_submission",
        "shortcut",
        "message_action",
        "x" * 1_000,
        7,
        None,
        {},
    ]
    assert {payload_kind({"type": its}) for its in said} == {"event", "button", "form", "shortcut", "other"}


async def test_each_question_to_a_source_is_timed_and_its_failures_are_counted(make_world) -> None:
    """By source and reason: backends that have nothing, and one that is down."""
    change = Watch()
    async with make_world(limits=Limits(missing_retry_s=0)) as world:
        await world.command("aa bb")
        await world.settled()
    for source in ("jaeger", "tempo"):
        assert change("compare_traces_source_seconds_count", source=source, call="fetch") == 2
        assert (
            change("compare_traces_source_errors_total", source=source, code="trace-not-found") >= 1
        )  # the first ends the other
    down = SourceSettings(name="down", kind="jaeger", url="http://127.0.0.1:9")
    async with make_world(sources=(down,)) as world:
        await world.command("sources")
        await world.settled()
    assert change("compare_traces_source_seconds_count", source="down", call="ping") == 1
    assert change("compare_traces_source_errors_total", source="down", code="unreachable") == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [("429", "ratelimited"), ("500", "other"), ("fatal_error", "fatal_error"), ("made_up_by_slack", "other")],
)
async def test_calls_of_slack_are_timed_and_their_failures_are_counted(world, samples, fault, code) -> None:
    """By method and by a reason out of a known list, whatever Slack says."""
    change = Watch()
    world.slack.faults = [("chat.postMessage", fault)]
    pair = samples.pairs[0]
    await world.command(f"{pair.baseline} {pair.suspect}")
    await world.settled()
    assert change("compare_traces_slack_seconds_count", method="chat.postMessage") >= 1
    assert change("compare_traces_slack_errors_total", code=code) == 1


async def test_what_waits_in_the_ledger_is_counted_when_asked(make_world) -> None:
    """The number of requests without an answer, and the age of the oldest."""
    async with make_world() as world:
        _, text = await scrape(world)
        assert "compare_traces_unfinished_requests 0.0" in text
        assert "compare_traces_oldest_unfinished_seconds 0.0" in text
        world.bot.ledger._clock = lambda: time.time() - 90
        await world.bot.ledger.accept("k1", "q1", CHANNEL, b"", 0)
        world.bot.ledger._clock = time.time
        await world.bot.ledger.accept("k2", "q2", CHANNEL, b"", 0)
        _, text = await scrape(world)
        assert "compare_traces_unfinished_requests 2.0" in text
        (age,) = [float(line.split()[1]) for line in text.splitlines() if line.startswith("compare_traces_oldest")]
        assert 90 <= age < 120


async def test_a_held_up_event_loop_shows(monkeypatch) -> None:
    """What blocks the loop for 60 ms is seen as a delay of more than 25 ms."""
    monkeypatch.setattr(metrics, "LAG_EVERY_S", 0.001)
    change = Watch()
    sampling = asyncio.create_task(metrics.sample_loop_lag())
    while change("compare_traces_event_loop_lag_seconds_count") < 1:
        await asyncio.sleep(0.001)
    on_time = change("compare_traces_event_loop_lag_seconds_bucket", le="0.025")
    time.sleep(0.06)  # noqa: ASYNC251 - this is what must show
    while change("compare_traces_event_loop_lag_seconds_sum") < 0.05:
        await asyncio.sleep(0.001)
    seen = change("compare_traces_event_loop_lag_seconds_count")
    assert change("compare_traces_event_loop_lag_seconds_bucket", le="0.025") < seen
    assert on_time >= 0
    sampling.cancel()


async def test_no_label_grows_with_what_people_and_traces_say(world, samples) -> None:
    """After comparisons and nonsense of all kinds, every value of every label is one that was known before."""
    pair = samples.pairs[0]
    await world.command(f"{pair.baseline} {pair.suspect}", user_id="U0NEVERSEEN", channel_id=CHANNEL)
    await world.command("nonsense nonsense")
    await world.action({"type": "block_actions", "actions": [{"action_id": "odd"}], "user": {"id": "U1"}})
    await world.settled()
    codes = {code for family in FAMILIES for code in family.sentences} | KNOWN | {"internal", "other", "unreachable"}
    known = {
        "kind": {"command", "event", "button", "form", "shortcut", "other", "refused", *VerdictKind, *CauseKind, *Kind},
        "result": {"hit", "miss", "away"},
        "outcome": {"answered", "failed", "repeated", "refused", "interrupted"},
        "code": codes,
        "wait": {"taker", "place"},
        "step": {"decode", "compare", "report", "draw", "total", "announce", "answer"},
        "call": {
            "fetch",
            "search",
            "services",
            "operations",
            "latencies",
            "failures",
            "totals",
            "contrasts",
            "lines",
            "changes",
            "ping",
            *(call.name for call in CALLS),
        },
        "status": {"ok", "error", *(str(status.value) for status in HTTPStatus)},  # of programs, where any called
    }
    _, text = await scrape(world)
    seen = defaultdict(set)
    for family in text_string_to_metric_families(text):
        if family.name.startswith("compare_traces_"):
            for sample in family.samples:
                assert set(sample.labels) <= {*metrics.LABELS[family.name], "le"}
                for name, value in sample.labels.items():
                    seen[name].add(value)
    assert set(seen) | {"status"} == {*known, "le", "method", "source"}
    for name, values in known.items():
        assert seen[name] <= values
    assert all(re.fullmatch(r"[a-z]+(\.[a-zA-Z]+)+", method) for method in seen["method"])


def test_a_counter_begins_before_its_first_event() -> None:
    """Else the first failure of a kind, the one to be alarmed about, would not be an increase."""
    code = "from bot import app; from bot.telemetry import metrics; print(metrics.exposition('')[0].decode())"
    text = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    for series in (
        'compare_traces_failures_total{code="internal"}', 'compare_traces_failures_total{code="busy"}',
        'compare_traces_slack_errors_total{code="token_revoked"}', 'compare_traces_requests_total{outcome="failed"}',
    ):  # fmt: skip
        assert f"{series} 0.0" in text


def test_the_documented_metrics_are_the_real_ones() -> None:
    """docs/METRICS.md is what `python -m bot.telemetry.metrics` prints, with every metric that has our name."""
    assert (ROOT / "docs" / "METRICS.md").read_text() == metrics.reference()
    ours = {family.name for family in metrics.REGISTRY.collect() if family.name.startswith(metrics.PREFIX)}
    assert ours == set(metrics.LABELS)
