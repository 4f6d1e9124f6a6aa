"""Messages: readable, within Slack's limits, and impossible to abuse by what a trace holds."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proving import examples
from slack_sdk.models.blocks import Block

from analysis import compare
from analysis.model import SpanKind
from analysis.report import table
from bot.links import diff_url, trace_url
from bot.settings import SourceSettings
from bot.slack import messages as ms
from bot.slack.limits import problems
from bot.slack.text import clean, escaped

JAEGER = SourceSettings(name="jaeger", kind="jaeger", url="http://j:16686", ui_url="http://j:16686")
GRAFANA = SourceSettings(name="tempo", kind="tempo", url="http://t", ui_url="https://g", grafana_datasource="uid1")
HOSTILE = [
    "<!channel> <!here> <@U123> <#C123> <!subteam^S1> <http://evil|click>",
    "`*_~ @everyone :boom: https://evil.example",
    "\u202egnp.exe\u2066 \u200b\u0000\x1b[31m\ud800",
    "مرحبا עברית 日本語 🙂" * 40,
    "x" * 100_000,
    "\n\n\n",
]


def asked(source=JAEGER) -> ms.Asked:
    """Return who asked."""
    return ms.Asked(
        baseline_id="a" * 32, suspect_id="b" * 32, user_name="<!channel>", baseline_source=source, suspect_source=source,
        payload=json.dumps({"x": "y"}),
    )  # fmt: skip


def messages(comparison, source=JAEGER) -> list:
    """Return every message of an answer."""
    return [
        ms.comparing(asked(source)), ms.verdict(comparison, asked(source)),
        *ms.thread(comparison, table(comparison), asked(source)),
    ]  # fmt: skip


def hostile_pair(trace, name: str, spans: int):
    """Return a comparison in which every text of the trace is hostile."""
    sides = []
    names = [f"{name}{i}" for i in range(30)]
    service = f"{name}2"
    for slow in (1, 40):
        t = trace()
        root = t.span(
            name, 0, 10 + spans * slow, kind=SpanKind.SERVER, service=name, resource={"service.version": name}
        )
        for i in range(spans):
            t.span(names[i % 30], i * slow, (i + 1) * slow, root, service=service, kind=SpanKind.CLIENT, error=slow > 1,
                   attributes={"db.system": name, "db.statement": name, "http.status_code": name})  # fmt: skip
        sides.append(t.build())
    return compare(*sides)


@pytest.mark.parametrize("spans", [1, 40, 10_000])
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_stay_literal_and_within_limits(trace, name, spans) -> None:
    """No mention, link or markup can be formed by a trace, and no size breaks a message."""
    for message in messages(hostile_pair(trace, name, spans)):
        assert problems({"text": message.text, "blocks": message.blocks}) == []
        for forbidden in ("<!", "<@", "<#", "<http"):
            assert forbidden not in message.text
        for block in [*message.blocks, *(message.plain_blocks or [])]:
            said = json.dumps(block, ensure_ascii=False)
            assert '"mrkdwn"' not in said
            assert "\u202e" not in said
            assert "\u200b" not in said


def test_the_official_models_accept_every_block(samples) -> None:
    """slack_sdk's own models, an independent judge, parse and validate every block that it knows."""
    for sample in samples.pairs:
        result = compare(samples.trace(sample.baseline), samples.trace(sample.suspect))
        for message in messages(result):
            for block in [*message.blocks, *(message.plain_blocks or [])]:
                parsed = Block.parse(block)
                assert parsed is not None
                parsed.validate_json()


def test_slackblocks_accepts_every_block(samples) -> None:
    """A second independent judge with Slack's documented limits takes every message."""
    slackblocks = pytest.importorskip("slackblocks")
    for sample in samples.pairs:
        result = compare(samples.trace(sample.baseline), samples.trace(sample.suspect))
        for message in messages(result):
            assert len(message.blocks) <= 50
            for block in message.blocks:
                if block["type"] == "context":
                    for element in block["elements"]:
                        slackblocks.Text(element["text"], type_=slackblocks.TextType.PLAINTEXT)


@given(st.text(max_size=400), st.integers(4, 120))
@examples(80)
def test_cleaned_text_is_one_visible_line(text, width) -> None:
    """Whatever comes in: bounded, no line breaks, no control or direction characters."""
    out = clean(text, width)
    assert len(out) <= width
    assert not any(ord(c) < 32 or 0x202A <= ord(c) <= 0x202E or 0xD800 <= ord(c) <= 0xDFFF for c in out)
    out.encode()


@given(st.text(max_size=200))
def test_escaped_text_can_form_no_mention(text) -> None:
    """Angle brackets and ampersands come out as entities only."""
    out = escaped(text)
    assert "<" not in out
    assert ">" not in out
    assert out.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "").count("&") == 0


def test_links_open_the_trace_the_span_and_both_side_by_side() -> None:
    """Jaeger's pages and Grafana Explore's panes."""
    assert trace_url(JAEGER, "ab", "cd") == "http://j:16686/trace/ab?uiFind=cd"
    assert diff_url(JAEGER, JAEGER, "ab", "cd") == "http://j:16686/trace/ab...cd"
    assert "panes=" in str(trace_url(GRAFANA, "ab"))
    split = str(diff_url(GRAFANA, GRAFANA, "ab", "cd"))
    assert "tra" in split
    assert "trb" in split
    assert diff_url(JAEGER, GRAFANA, "ab", "cd") is None


def test_without_a_user_interface_there_are_no_links(samples) -> None:
    """A source without ui_url gives an answer without buttons to open."""
    bare = SourceSettings(name="bare", kind="tempo", url="http://t")
    pair = samples.pairs[0]
    result = compare(samples.trace(pair.baseline), samples.trace(pair.suspect))
    said = json.dumps([message.blocks for message in messages(result, bare)])
    assert '"url"' not in said
    assert "Swap A and B" in said


def test_the_text_alone_carries_the_message(samples) -> None:
    """Notification text is a full sentence with verdict, numbers, cause and confidence."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    text = ms.notification(compare(samples.trace(pair.baseline), samples.trace(pair.suspect)))
    assert text.startswith("Slower: gateway POST /api/checkout is ")
    assert "SELECT in catalog" in text
    assert text.endswith("Confidence: high.")


def test_too_much_is_noticed() -> None:
    """The check of limits sees what Slack would refuse."""
    assert problems({"text": "", "blocks": []})
    assert problems({"text": "x" * 5000, "blocks": []})
    block = SimpleNamespace(
        value={
            "type": "rich_text",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x" * 9000}]}],
        }
    )
    assert problems({"text": "x", "blocks": [block.value]})
    assert problems({"text": "x", "blocks": [{"type": "context", "elements": []}]})
    assert problems({"text": "x", "blocks": [{"type": "table", "rows": [[{"type": "raw_text", "text": ""}]]}] * 2})
