"""The bot's command line: `compare-traces-bot --help`, or `python -m bot --help`, says what it can do.

Exit status 0: done; 1: `check` found a problem, or `compare` has no answer; 2: bad input or settings, said on standard
error; 130: interrupted.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING

from bot.cli import completion
from bot.cli.parser import make_parser
from bot.errors import BotError, UserError
from bot.settings import SettingsError, load_settings, reference
from bot.telemetry import log

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from bot.settings import Settings

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = make_parser()
    options = parser.parse_args(argv)
    if options.command == "settings":
        print(reference(), end="")
        return 0
    if options.command == "completion":
        print(completion.script(options.shell, parser))
        return 0
    if options.command == "playground":
        from bot.playground import main as play  # noqa: PLC0415 - the workspace bot never loads it

        return play(port=options.port, cli=options.cli)
    log.configure(least=logging.WARNING if options.command == "compare" else logging.INFO)
    try:
        settings = load_settings()
        log.hide(settings.secrets())
        return asyncio.run(_configured(settings, options))
    except SettingsError as error:
        print(f"compare-traces-bot: {error}\n(`compare-traces-bot settings` lists them all)", file=sys.stderr)
        return EXIT_BAD_INPUT
    except BotError as error:
        print(f"compare-traces-bot: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT if isinstance(error, UserError) else EXIT_FAILED


async def _configured(settings: Settings, options: argparse.Namespace) -> int:
    """Run a command that needs the settings; each loads what it takes, which is much for some."""
    match options.command:
        case "check":
            from bot.cli.check import check  # noqa: PLC0415 - loaded by its command alone

            return 0 if await check(settings) else EXIT_FAILED
        case "forget":
            from bot.cli.forget import forget  # noqa: PLC0415 - loaded by its command alone

            await forget(settings, options)
        case "compare":
            from bot.cli.terminal import compare  # noqa: PLC0415 - loaded by its command alone

            await compare(
                settings, options.traces, options.source or None, options.form,
                logs_and_metrics=options.logs_and_metrics,
            )  # fmt: skip
        case _:
            from bot.cli import serving  # noqa: PLC0415 - loaded by the commands that serve

            await serving.serve(settings, options)
    return 0


def entry() -> None:
    """Run as the installed command."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    entry()
