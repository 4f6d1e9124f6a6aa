"""What people read, word for word: one golden file per verdict and per kind of message.

`UPDATE_GOLDENS=1 pytest tests/bot/test_messages.py` writes the files anew; read them before committing.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from comparisons import AMONG_RECENT, BY_VERDICT, SELECT, SLOWER, change, group
from drawing import draw
from slack_oracles import objections

from analysis.report import table
from bot.errors import DeliveryError, SourceError
from bot.inquiry.result import Recollection
from bot.requests.request import History
from bot.settings import LinkSettings, SourceSettings
from bot.slack import messages as ms
from bot.slack import notices
from bot.slack.limits import problems

if TYPE_CHECKING:
    from bot.slack.elements import Message

GOLDENS = Path(__file__).parents[1] / "data" / "messages"
JAEGER = SourceSettings(name="jaeger-prod", kind="jaeger", url="http://jaeger:16686", ui_url="https://jaeger.example")


def asked(comparison=SLOWER, source: SourceSettings = JAEGER) -> ms.Asked:
    """Return who asked what."""
    return ms.Asked(
        baseline_id=comparison.baseline.trace_id, suspect_id=comparison.suspect.trace_id, user_name="alice",
        baseline_source=source, suspect_source=source, payload="{}", typical="{}", key="k" * 32,
    )  # fmt: skip


def answer(comparison, source: SourceSettings = JAEGER) -> list[Message]:
    """Return the root message and its thread."""
    its = asked(comparison, source)
    return [ms.verdict(comparison, its), *ms.thread(comparison, table(comparison), its)]


def check(name: str, messages: list[Message]) -> None:
    """Compare messages with their golden file, after every judge has seen them."""
    for message in messages:
        for shown in (message.blocks, message.plain_blocks or message.blocks):
            assert problems({"text": message.text, "blocks": shown}) == []
            assert objections({"text": message.text, "blocks": shown}) == []
    text = "\n\n-------- reply --------\n\n".join(map(draw, messages)) + "\n"
    file = GOLDENS / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDENS"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BY_VERDICT)
def test_each_verdict_reads_well(name) -> None:
    """Headline, cause, confidence, buttons, small print and the thread of every verdict."""
    check(name, answer(BY_VERDICT[name]))


def test_what_was_compared_with_is_said() -> None:
    """A trace that was found is introduced, and how other requests went is said: in the small print and the text."""
    its = msgspec.structs.replace(
        asked(), typical="",
        compared_with="typical of 40 traces of checkout POST /orders <!channel>, 13:30-14:00 UTC",
        stands_for="slowest of 31 traces of checkout POST /orders, 13:50-14:05 UTC",
        note="the message names 3 traces: these are the first two",
        trend="Consistent since about 11:10 UTC: p95 about 130 ms before, about 2.06 s since; about 80 % of requests "
        "now take longer than the old p95",
    )  # fmt: skip
    check("compared-with-typical", [ms.verdict(SLOWER, its)])


def test_what_recent_requests_say_is_one_line() -> None:
    """Where both lie among recent requests, and whether others show the cause too, under the confidence."""
    check("among-recent-requests", answer(AMONG_RECENT)[:1])


def test_the_other_messages_read_well() -> None:
    """Announcement, help, sources, repetition and errors."""
    check(
        "other-messages",
        [
            ms.comparing(ms.Asked(baseline_id="4bf92f35" * 4, suspect_id="00f067aa" * 4, user_name="alice")),
            ms.comparing(ms.Asked(baseline_id="", suspect_id="00f067aa" * 4, user_name="alice")),
            ms.comparing(ms.Asked(baseline_id="", suspect_id="", user_name="")),
            notices.usage("/compare-traces", ["jaeger-prod", "tempo-prod"], ["mag"]),
            notices.history([], History()),
            notices.history(
                [
                    notices.Past(
                        baseline_id="4bf92f35" * 4,
                        suspect_id="00f067aa" * 4,
                        at=1_795_486_975.6,
                        user_name="alice",
                        permalink="https://acme.slack.com/archives/C1/p1",
                        verdict="Slower",
                        about="SELECT in catalog runs 61 times instead of 1",
                    ),
                    notices.Past(
                        baseline_id="",
                        suspect_id="",
                        service="checkout",
                        at=1_795_486_000.0,
                        user_name="",
                        permalink=None,
                    ),
                ],
                History(words=("catalog",)),
                more=True,
            ),
            notices.history([], History(words=("checkout",))),
            notices.source_list({"jaeger-prod": "ok", "tempo-prod": "I cannot reach tempo-prod (refused)."}),
            notices.source_list({}),
            notices.repeated("https://acme.slack.com/archives/C1/p1"),
            notices.repeated(None),
            notices.failure(str(SourceError("trace-not-found", source="jaeger-prod", trace="4bf92f35"))),
            notices.failure(str(DeliveryError("not-in-channel"))),
        ],
    )


def test_a_cause_seen_before_reads_well() -> None:
    """One quiet line with the way there; in another channel, and in this one."""
    before = Recollection(
        key="k", fingerprint="1-aa", at=1_794_486_975.6, permalink="https://acme.slack.com/archives/C1/p1",
        elsewhere="C0INC481", useful=2, times=3,
    )  # fmt: skip
    here = msgspec.structs.replace(before, elsewhere="", useful=1, times=1)
    check("seen-before", [ms.verdict(SLOWER, msgspec.structs.replace(asked(), before=its)) for its in (before, here)])


def test_the_plain_table_reads_well() -> None:
    """Where Slack refuses the table, the same rows stand in fixed width."""
    message = answer(SLOWER)[1]
    check("plain-table", [msgspec.structs.replace(message, blocks=message.plain_blocks, plain_blocks=None)])


def links(title: str, url: str) -> LinkSettings:
    """Return one configured page."""
    return LinkSettings(title=title, url=url)


def test_next_steps_link_to_what_to_open() -> None:
    """The span itself, and the pages configured about its service; advice that is about no service has none."""
    its = msgspec.structs.replace(
        asked(), links=(links("logs", "https://logs.example/{service}?from={start_ms}&to={end_ms}"),
                        links("runbook", "https://wiki.example/{service}")),
    )  # fmt: skip
    check("steps-with-links", [ms.thread(SLOWER, table(SLOWER), its)[-1]])


def test_links_give_way_before_next_steps_do() -> None:
    """However long the addresses and however many, every step is there, with as many links as there is room for."""
    many = tuple(links(f"page {n}", f"https://{n}.example/{'x' * 900}/{{service}}") for n in range(20))
    steps = ms.thread(SLOWER, table(SLOWER), msgspec.structs.replace(asked(), links=many))[-1]
    assert problems({"text": steps.text, "blocks": steps.blocks}) == []
    items = steps.blocks[0]["elements"][1]["elements"]
    assert len(items) == len(SLOWER.next_steps)
    titles = [element["text"] for element in items[0]["elements"] if element["type"] == "link"]
    assert titles[:2] == ["open the span", "page 0"]
    assert 5 < len(titles) < 20


def test_long_links_give_way_before_the_table_does() -> None:
    """With addresses as long as Grafana's can get, rows lose their links, never the message its table."""
    base = "https://grafana.example/" + "x" * 900
    source = SourceSettings(name="tempo", kind="tempo", url="http://t", ui_url=base, grafana_datasource="uid")
    contributions = tuple(group(f"operation {letter}", "shop", 1, 50) for letter in "abcdefgh")
    spans = answer(change(contributions=contributions), source)[1]
    assert problems({"text": spans.text, "blocks": spans.blocks}) == []
    (rows,) = [block["rows"] for block in spans.blocks if block["type"] == "table"]
    links = [row[0]["type"] == "rich_text" for row in rows[1:]]
    assert len(links) == 8
    assert links == sorted(links, reverse=True)
    assert 0 < sum(links) < 8


@pytest.mark.parametrize("size", [1, 50, 2_000])
@pytest.mark.parametrize(
    "text",
    [
        "<!channel> & <@U1> ",
        "\u0628\u062d\u062b \u202e ",
        "統計 ",
        "\U0001f642\u200d\U0001f642 ",
        "`*_~:boom: https://evil.example ",
    ],
)
def test_any_text_in_any_place_stays_within_the_limits(text, size) -> None:
    """Every string of a comparison at once, in scripts of all kinds and sizes: all judges take every layout."""
    long = text * size
    cause = msgspec.structs.replace(
        SELECT, summary=long, evidence=(long,) * 6, service=long, operation=long, symptoms=(long,) * 8
    )
    comparison = change(
        verdict=msgspec.structs.replace(SLOWER.verdict, headline=long, reasons=(long,) * 8),
        causes=(cause,) * 8,
        contributions=tuple(group(long + letter, long, 1, 50) for letter in "abcdefghij"),
        next_steps=tuple(msgspec.structs.replace(step, text=long) for step in SLOWER.next_steps * 4),
        notes=tuple(msgspec.structs.replace(note, text=long) for note in SLOWER.notes * 20),
        baseline=msgspec.structs.replace(SLOWER.baseline, root=long, versions={"checkout": long}),
        suspect=msgspec.structs.replace(SLOWER.suspect, root=long, versions={"checkout": long}),
    )
    for message in [*answer(comparison), notices.failure(long), notices.usage("/x", [long] * 30)]:
        for shown in (message.blocks, message.plain_blocks or message.blocks):
            assert problems({"text": message.text, "blocks": shown}) == []
            assert objections({"text": message.text, "blocks": shown}) == []
        assert not any(opening in message.text for opening in ("<!", "<@", "<#", "<http"))
