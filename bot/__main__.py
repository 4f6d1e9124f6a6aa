"""The bot's command line.

python -m bot run [--mode http|socket]   serve a workspace
python -m bot check                      check settings, Slack token and every source
python -m bot compare A B                compare two traces from the configured sources, in the terminal
python -m bot playground                 try everything in a browser, without a workspace
"""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from typing import TYPE_CHECKING

from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from analysis import render_text
from bot import log
from bot.app import Bot
from bot.commands import parse_command
from bot.errors import BotError
from bot.request import CompareRequest
from bot.runner import AnalysisRunner
from bot.settings import Settings, SettingsError
from bot.sources import open_sources

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
TERMINAL = "terminal"  # stands for the channel where there is none


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["playground"]:
        from bot.playground import main as play  # noqa: PLC0415 - the workspace bot never loads it

        return play(arguments[1:])
    options = _parser().parse_args(arguments)
    log.configure()
    try:
        settings = Settings.load()
        if options.command == "run":
            return asyncio.run(_run(settings, options.mode))
        if options.command == "check":
            return asyncio.run(_check(settings))
        return asyncio.run(_compare(settings, options))
    except (SettingsError, BotError) as error:
        print(f"compare-traces-bot: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT


def entry() -> None:
    """Run as the installed command."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="compare-traces-bot", description="Compares two traces, in Slack.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="serve a workspace")
    run.add_argument("--mode", choices=("http", "socket"), help="default: socket with SLACK_APP_TOKEN, else http")
    commands.add_parser("check", help="check settings, Slack token and every source")
    compare = commands.add_parser("compare", help="compare two traces in the terminal")
    compare.add_argument("baseline", metavar="A", help="id or link of the healthy trace")
    compare.add_argument("suspect", metavar="B", help="id or link of the trace to explain")
    compare.add_argument("--source", default="", help="the source to ask")
    commands.add_parser("playground", help="try everything in a browser, without a workspace")
    return parser


async def _run(settings: Settings, mode: str | None) -> int:
    bot = Bot(settings)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    socket = mode == "socket" or (mode is None and settings.slack_app_token.get_secret_value())
    try:
        await (bot.start_socket() if socket else bot.start_http())
        await stopping.wait()
    finally:
        await bot.stop()
    return 0


async def _check(settings: Settings) -> int:
    """Print one line per thing that must work, each problem with its mend."""
    problems = 0
    client = AsyncWebClient(token=settings.slack_bot_token.get_secret_value(), base_url=settings.slack_api_url + "/")
    if not settings.slack_bot_token.get_secret_value():
        print("slack: SLACK_BOT_TOKEN is not set: install the app and copy its bot token")
        problems += 1
    else:
        try:
            who = await client.auth_test()
            print(f"slack: ok, {who.get('user')} in {who.get('team')}")
        except (SlackApiError, SlackClientError, OSError, TimeoutError) as error:
            said = error.response.get("error") if isinstance(error, SlackApiError) else error
            print(f"slack: the token does not work ({said}): copy it again from the app's OAuth page")
            problems += 1
    if not (settings.slack_signing_secret.get_secret_value() or settings.slack_app_token.get_secret_value()):
        print("slack: set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP mode)")
        problems += 1
    sources = open_sources(settings)
    if not settings.all_sources:
        print("sources: none configured: set JAEGER_URL or TEMPO_URL, or write a TOML file")
        problems += 1
    for name, answer in (await sources.ping()).items():
        print(f"source {name}: {answer}")
        problems += isinstance(answer, Exception)
    await sources.aclose()
    return EXIT_FAILED if problems else 0


async def _compare(settings: Settings, options: argparse.Namespace) -> int:
    sources = open_sources(settings)
    runner = AnalysisRunner(1)
    try:
        request = parse_command(f"{options.baseline} {options.suspect}", sources.hosts)
        if not isinstance(request, CompareRequest):
            raise SettingsError("two traces are needed")
        deadline_s = settings.limits.deadline_s
        baseline, suspect = await asyncio.gather(
            *(
                sources.fetch(
                    reference, channel=TERMINAL, source=options.source or None, tenant=None, deadline_s=deadline_s
                )
                for reference in (request.baseline, request.suspect)
            )
        )
        print(render_text(await runner.compare(baseline, suspect, deadline_s=settings.limits.analysis_s)), end="")
    finally:
        await runner.aclose()
        await sources.aclose()
    return 0


if __name__ == "__main__":
    entry()
