"""`python -m bot compare`: what people ask in Slack, asked in a terminal, of the same sources in the same way."""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING

from rich.console import Console

from bot.commands import parse_command
from bot.errors import UserError
from bot.inquiry import Inquiry
from bot.machines import answers
from bot.request import CompareRequest, Origin
from bot.results import WindowsResult
from bot.runner import AnalysisRunner
from bot.sources import open_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.results import Kept
    from bot.settings import Settings

ORIGIN = Origin(team="", channel="terminal", user="", user_name="")  # no channel: every source may be asked


async def compare(settings: Settings, words: Sequence[str], source: str | None, form: str) -> int:
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
    return 0


def _written(result: Kept, form: str) -> str:
    if form == "text":
        return answers.summary(result)
    report = result.compared.answer.report if isinstance(result, WindowsResult) else result.answer.report
    if form == "json" and not report.whole:
        sys.stderr.write("the comparison is very large: its smallest groups of spans are left out\n")
    return zlib.decompress(report.json if form == "json" else report.markdown).decode().rstrip() + "\n"
