"""What people read about two windows, word for word; whatever their traces hold, Slack takes it.

`UPDATE_GOLDENS=1 pytest tests/bot/test_window_messages.py` writes the files anew; read them before committing.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import TraceBuilder
from drawing import draw
from fleet_windows import wave, window
from msgspec.structs import replace
from slack_oracles import objections

from analysis import compare_fleets, render_fleets_markdown
from analysis.model import SpanKind
from bot.analysing.child import Report, WindowsAnswer
from bot.finding.contrast import Apart
from bot.finding.sampling import Sampled
from bot.inquiry.comparing_windows import ComparedWindows
from bot.inquiry.result import WindowsResult
from bot.requests.request import CompareRequest, Origin, Windows
from bot.settings import SourceSettings
from bot.slack.limits import problems
from bot.slack.messages import Asked, report, windows
from bot.sources.metrics import Contrast, Picked, Totals
from bot.state.results import packed, unpacked

GOLDENS = Path(__file__).parents[1] / "data" / "messages"
JAEGER = SourceSettings(name="jaeger-prod", kind="jaeger", url="http://jaeger:16686", ui_url="https://jaeger.example")
GRAFANA = SourceSettings(
    name="tempo", kind="tempo", url="http://t", ui_url=f"https://{'g' * 900}", grafana_datasource="uid"
)
NOON = 1_795_521_600  # 2026-11-24 12:00 UTC
ASKED = Asked(
    baseline_id="", suspect_id="", user_name="alice", baseline_source=JAEGER, suspect_source=JAEGER, key="k" * 32,
    pair="{}", note="no second window was named: A is the time just before, as long as B",
)  # fmt: skip
HOSTILE = ("<!channel> <@U123> <http://evil|click>", "`*_~ @everyone", "\u202egnp.exe\u2066 \u200b\u0000\x1b[31m\ud800", "x" * 9_000, "🦊" * 700)  # fmt: skip


def ids(traces: list, letter: str) -> list:
    """Return the requests under ids of their own, the same in every run."""
    return [replace(trace, trace_id=f"{letter}{i:07x}{i:024x}") for i, trace in enumerate(traces)]


def compared(a: list, b: list, **changes: object) -> ComparedWindows:
    """Return a comparison as the bot gets it, with the sizes of both samples."""
    found = compare_fleets(ids(a, "a"), ids(b, "b"))
    sizes = [
        Sampled(window=(NOON - 3_600 + 1_800 * i, NOON - 1_800 + 1_800 * i), requests=n, about=False, at_least=False, unsearched=0, wanted=n, fetched=n)
        for i, n in enumerate((len(a), len(b)))
    ]  # fmt: skip
    made = ComparedWindows(
        windows=Windows(service="shop", operation="GET /cart", baseline=(NOON - 3_600, NOON - 1_800), suspect=(NOON - 1_800, NOON), asked_at=NOON),
        source="jaeger-prod", root=True, sampled=(sizes[0], sizes[1]),
        answer=WindowsAnswer(comparison=found, unreadable=(0, 0), report=Report(markdown=b"", json=b"", whole=True)),
    )  # fmt: skip
    return replace(made, **changes)


def judged(messages: list) -> list:
    """Return messages after every judge has seen them."""
    for message in messages:
        for shown in (message.blocks, message.plain_blocks or message.blocks):
            assert problems({"text": message.text, "blocks": shown}) == []
            assert objections({"text": message.text, "blocks": shown}) == []
    return messages


def check(name: str, messages: list) -> None:
    """Compare messages with their golden file."""
    text = "\n\n-------- reply --------\n\n".join(map(draw, judged(messages))) + "\n"
    file = GOLDENS / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDENS"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def answer(its: ComparedWindows, asked: Asked = ASKED) -> list:
    """Return the root message and its thread."""
    return [windows.verdict(its, asked), *windows.thread(its, asked)]


def one_in_ten() -> ComparedWindows:
    """Return a comparison in which one host is slow; the samples stand for more, with all that may go wrong."""
    slow = window(
        [90.0 if i % 10 == 0 else ms for i, ms in enumerate(wave(200))],
        resource=lambda i: {"host.name": "n7" if i % 10 == 0 else f"n{i % 3}"},
    )
    its = compared(window(wave(200), resource=lambda i: {"host.name": f"n{i % 3}"}), slow)
    totals = Totals(requests=12_100, failed_share=0.004, middle_ns=31_000_000, tail_ns=62_000_000)
    a, b = its.sampled
    return replace(
        its, root=False,
        apart=Apart(
            picked=Picked(slower_than_ns=62_000_000), requests=1_180, others=10_620,
            values=(Contrast("host.name", "n7", 0.97, 0.02), Contrast("<!channel>", "*b*", 0.9, 0.1)),
        ),
        sampled=(
            replace(a, requests=12_345, about=True, wanted=204, totals=totals),
            replace(b, requests=11_800, about=True, at_least=True, unsearched=2, unreadable=1, totals=replace(totals, tail_ns=104_000_000)),
        ),
    )  # fmt: skip


CASES = {
    "windows-slower": lambda: compared(window(wave(40)), window(wave(40, 26))),
    "windows-one-in-ten": one_in_ten,
    "windows-failing": lambda: compared(window(wave(60)), window(wave(60), failing=lambda i: i % 5 == 0)),
    "windows-no-difference": lambda: compared(window(wave(60)), window(wave(60))),
    "windows-too-few": lambda: compared(window(wave(5)), window(wave(60))),
}


@pytest.mark.parametrize("name", CASES)
def test_each_answer_reads_well(name) -> None:
    """Headline, cause, confidence, buttons, sample sizes and the thread."""
    check(name, answer(CASES[name]()))


def test_what_stands_around_the_answer_reads_well() -> None:
    """The announcement, the answer for one person, and the report where files cannot be shared."""
    its = CASES["windows-slower"]()
    check(
        "windows-others",
        [windows.comparing(its.windows, ASKED), windows.private(its, ASKED), report.excerpt_of_windows(its, forbidden=True)],
    )  # fmt: skip


def test_an_answer_is_kept_for_its_buttons() -> None:
    """What is kept of an answer about windows gives it back, beside answers about two traces."""
    its = one_in_ten()
    request = CompareRequest(baseline=None, suspect=None, windows=its.windows)
    kept = WindowsResult(
        request=request, origin=Origin(team="T1", channel="C1", user="U1", user_name="alice"), compared=its
    )
    assert unpacked(packed(kept)) == kept
    assert kept.verdict.kind.value == "slower"


@pytest.mark.parametrize("source", [JAEGER, GRAFANA, None], ids=["jaeger", "long links", "no source"])
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_windows_stay_literal_and_within_limits(name, source) -> None:
    """Names, services, values and hosts of any kind: no mention is formed, no limit broken, in no message."""
    sides = []
    for ms in (5, 50):
        traces = []
        for i in range(12):
            t = TraceBuilder(trace_id=f"{i:032x}")
            root = t.span(
                name, 0, 400 + ms * 30, kind=SpanKind.SERVER, service=name, resource={name: name, "host.name": name}
            )
            for n in range(30):
                t.span(f"{name}{n}", n * (ms + i % 3), (n + 1) * (ms + i % 3), root, service=f"{name}{n}", kind=SpanKind.CLIENT, error=ms > 5,
                       attributes={"db.system": name, "db.statement": name, f"k{n}": name[:100]})  # fmt: skip
            traces.append(t.build())
        sides.append(traces)
    asked = replace(ASKED, user_name=name, note=name[:300], baseline_source=source, suspect_source=source)
    its = compared(*sides)
    its = replace(its, root=False, windows=replace(its.windows, service=name[:300], operation=name[:300]))
    for message in judged([windows.comparing(its.windows, asked), *answer(its, asked), windows.private(its, asked), report.excerpt_of_windows(its, forbidden=False)]):  # fmt: skip
        for forbidden in ("<!", "<@", "<http", "\u202e", "\u200b"):
            assert forbidden not in message.text
    assert "<!channel>" not in render_fleets_markdown(its.answer.comparison)
