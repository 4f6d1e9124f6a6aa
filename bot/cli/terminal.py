"""`compare-traces-bot compare`: what people ask in Slack, asked in a terminal, of the same sources in the same way."""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING

import msgspec
from rich.console import Console

from analysis.markdown import escape
from bot.analysing.runner import AnalysisRunner
from bot.errors import UserError
from bot.evidence.hearing import heard
from bot.evidence.sources import EvidenceSources
from bot.inquiry.inquiry import Inquiry
from bot.inquiry.result import Result, WindowsResult
from bot.machines import answers
from bot.requests.commands import parse_command
from bot.requests.request import CompareRequest, Origin
from bot.sources import open_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.inquiry.result import Kept
    from bot.settings import Settings

ORIGIN = Origin(team="", channel="terminal", user="", user_name="")  # no channel: every source may be asked


async def compare(
    settings: Settings, words: Sequence[str], source: str | None, form: str, *, logs_and_metrics: bool = False
) -> None:
    """Compare what the words name and print it, as "text", "json" or "markdown"; raises `BotError`."""
    evidence, said = EvidenceSources(settings), None
    sources, runner = open_sources(settings), AnalysisRunner(1, redaction=settings.redaction)
    try:
        options = [f"source={source}"] if source else []
        request = parse_command(" ".join([*words, *options]), sources.hosts)
        if not isinstance(request, CompareRequest):
            raise UserError("usage")
        with Console(stderr=True).status("fetching and comparing"):  # shows itself on a terminal alone
            result = await Inquiry(settings, sources, runner).result(request, ORIGIN)
            if logs_and_metrics and isinstance(result, Result):
                result, said = await heard(result, evidence, sources.tenant(ORIGIN.channel, request.tenant))
    finally:
        await evidence.aclose()
        await runner.aclose()
        await sources.aclose()
    sys.stdout.write(_written(result, form, said))


def _written(result: Kept, form: str, said: list[str] | None) -> str:
    if form == "text":
        shown = None if said is None else ["".join(filter(str.isprintable, line)) for line in said]
        return answers.summary(result, shown)  # what a log says must not steer the terminal
    report = result.compared.answer.report if isinstance(result, WindowsResult) else result.answer.report
    if form == "json" and not report.whole:
        sys.stderr.write("the comparison is very large: its smallest groups of spans are left out\n")
    body = zlib.decompress(report.json if form == "json" else report.markdown)
    if said is not None and form == "json":
        told = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        body = msgspec.json.encode(told | {"verdict": result.verdict, "logs_and_metrics": said})
    elif said is not None:
        body += "".join(["\n## What logs and metrics say\n\n", *(f"- {escape(line)}\n" for line in said)]).encode()
    return body.decode().rstrip() + "\n"
