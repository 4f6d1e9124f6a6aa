"""Sizes: no message, modal, tab or caption passes Slack's limits, whatever the traces hold and however large they are."""

from __future__ import annotations

import json

import msgspec
import pytest
from answers import JAEGER
from slack_oracles import objections, view_objections

from analysis.model import Event, SpanKind
from bot.analysing.child import Compared, _answer, compare
from bot.settings import LinkSettings
from bot.slack import messages as ms
from bot.slack.limits import CUMULATIVE_JSON, CUMULATIVE_TEXT, VIEW_JSON, problems, texts, view_problems
from bot.slack.messages import details, report

MENTIONS = ("<!", "<@", "<#")
NAMES = {
    "mentions": "<!channel> <!here> <@U123> <#C123> <!subteam^S1> <http://evil|click> ",
    "markup": "`*_~ @everyone :boom: | https://evil.example & ",
    "right to left": "مرحبا \u202eעברית\u2066 \u200b",
    "wide": "日本語テスト🙂👩‍👩‍👧 ",
    "long": "x" * 5_000,
    "lines": "a\nb\r\n\t\x00\x1b[31m",
}


def answered(trace, name: str, spans: int):
    """Return the answer about two requests in which every text is hostile; the slow one has this many spans or more."""
    sides = []
    names, statement = [f"{name}{i}" for i in range(30)], name * 3
    for slow in (1, 40):
        t = trace()
        root = t.span(
            name, 0, 10 + spans * slow, kind=SpanKind.SERVER, service=name, resource={"service.version": name * slow}
        )
        boom = Event(name=name, time_ns=5, attributes={"exception.message": name * 50, name: name})
        for i in range(spans):
            t.span(names[i % 30], i * slow, (i + 1) * slow, root, service=name + "2", kind=SpanKind.CLIENT,
                   error=slow > 1, events=(boom,) * (slow > 1),
                   attributes={"db.system": name, "db.statement": statement, name: name, "http.status_code": name})  # fmt: skip
        sides.append(t.build())
    return _answer(Compared(compare(*sides), *sides))


def asked(its, links: int = 3) -> ms.Asked:
    """Return who asked, with long links everywhere."""
    pages = tuple(
        LinkSettings(title=f"page {n}", url=f"https://{n}.example/{'y' * 300}/{{service}}") for n in range(links)
    )
    return ms.Asked(
        baseline_id=its.comparison.baseline.trace_id, suspect_id=its.comparison.suspect.trace_id, user_name="<!channel>" * 9,
        baseline_source=JAEGER, suspect_source=JAEGER, compared_with="<!here> " * 90, trend="<!here> " * 90,
        stands_for="<!here> " * 90, note="<!here> " * 90, links=pages, payload="x" * 1_900, typical="x" * 1_900, key="k" * 32,
    )  # fmt: skip


def every_message(its) -> list[ms.Message]:
    """Return all that can be said about an answer."""
    who = asked(its)
    return [
        ms.comparing(who), ms.verdict(its.comparison, who), *ms.thread(its.comparison, its.table, who), ms.private(its, who),
        report.excerpt(its.comparison, forbidden=True),
    ]  # fmt: skip


@pytest.mark.parametrize("spans", [1, 10_000])
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_everything_that_is_said_about_hostile_traces_fits(trace, name, spans) -> None:
    """Two independent judges and our own table of limits take every layout; nothing can mention, link or hide."""
    its = answered(trace, name, spans)
    msgspec.msgpack.encode(its)
    for message in every_message(its):
        assert not any(mention in message.text for mention in MENTIONS)
        for blocks in (message.blocks, message.plain_blocks or message.blocks):
            assert problems({"text": message.text, "blocks": blocks}) == []
            assert objections({"text": message.text, "blocks": blocks}) == []
            assert sum(map(len, texts(blocks))) <= CUMULATIVE_TEXT
            assert len(json.dumps(blocks, ensure_ascii=False)) <= CUMULATIVE_JSON
            assert '"mrkdwn"' not in json.dumps(blocks)
    page, view = 0, details.view("k", its, asked(its))
    while page < 200:
        assert view_problems(view) == []
        assert view_objections(view) == []
        assert len(json.dumps(view)) <= VIEW_JSON
        page += 1
        following = details.view("k", its, asked(its), page)
        if following == view:
            break
        view = following
    assert len(ms.picture(its.comparison, "k", b"").alt_text) <= 1_000
    assert len(ms.caption(its.comparison)) <= 300
