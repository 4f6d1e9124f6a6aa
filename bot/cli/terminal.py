"""`compare-traces-bot compare`: what people ask in Slack, asked in a terminal, of the same sources in the same way."""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING

from rich.console import Console

from bot.analysing.runner import AnalysisRunner
from bot.errors import UserError
from bot.inquiry.inquiry import Inquiry
from bot.inquiry.result import WindowsResult
from bot.machines import answers
from bot.requests.commands import parse_command
from bot.requests.request import CompareRequest, Origin
from bot.sources import open_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.inquiry.result import Kept
    from bot.settings import Settings

ORIGIN = Origin(team="", channel="terminal", user="", user_name="")  # no channel: every source may be asked


async def compare(settings: Settings, words: Sequence[str], source: str | None, form: str) -> None:
    """Compare what the words name and print it, as "text", "json" or "markdown"; raises `BotError`."""
    sources, runner = open_sources(settings), AnalysisRunner(1, redaction=settings.redaction)
    try:
        options = [f"source={source}"] if source else []
        request = parse_command(" ".join([*words, *options]), sources.hosts)
        if not isinstance(request, CompareRequest):
            raise UserError("usage")
        with Console(stderr=True).status("fetching and comparing"):  # shows itself on a terminal alone
            result = await Inquiry(settings, sources, runner).result(request, ORIGIN)
    finally:
        await runner.aclose()
        await sources.aclose()
    sys.stdout.write(_written(result, form))


def _written(result: Kept, form: str) -> str:
    if form == "text":
        return answers.summary(result)
    report = result.compared.answer.report if isinstance(result, WindowsResult) else result.answer.report
    if form == "json" and not report.whole:
        sys.stderr.write("the comparison is very large: its smallest groups of spans are left out\n")
    return zlib.decompress(report.json if form == "json" else report.markdown).decode().rstrip() + "\n"
