"""The bot's command line: `compare-traces-bot --help`, or `python -m bot --help`, says what it can do.

Exit status 0: done; 1: `check` found a problem, or `compare` has no answer; 2: bad input or settings, said on standard
error; 130: interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sqlite3
import sys
from typing import TYPE_CHECKING

from redis.exceptions import RedisError
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

import analysis
from bot import completion, log, terminal, tracing
from bot.app import Bot
from bot.errors import BotError, UserError
from bot.evidence.sources import EvidenceSources
from bot.forgetting import Selection, counted
from bot.references import unix_seconds
from bot.settings import Settings, SettingsError, reference
from bot.slack.installations import open_installations
from bot.slack.refusals import FAILURES, error_code
from bot.slack.rights import OPTIONAL_SCOPES, SCOPES
from bot.sources import open_sources
from bot.state import open_state
from bot.state_file import StateError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from typing import Any

EXIT_FAILED = 1
EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130
PORT = 8090  # of the playground
MCP_EXTRA = "compare-traces[mcp]"
MCP_PORT = 3002

EXAMPLES = """\
examples:
  compare-traces-bot playground
      everything in a browser, with recorded traces: no Slack workspace, no trace backend
  JAEGER_URL=http://jaeger-query:16686 compare-traces-bot compare 00f067aa0ba902b7
      find a typical request of the same operation in Jaeger and compare with that
  compare-traces-bot compare service=checkout last 30m vs before
      compare the requests of two windows of time
  compare-traces-bot check && compare-traces-bot run
      what is wrong and how to mend it; then serve the workspace
  eval "$(compare-traces-bot completion bash)"
      let the shell complete both commands (also zsh, fish, tcsh)

Settings are environment variables, and the TOML file that COMPARE_TRACES_CONFIG names;
`compare-traces-bot settings` lists them all. Two files are compared by `compare-traces A B`.

exit status:
  0    done
  1    check found a problem, or compare got no answer: standard error says which
  2    bad input or settings; standard error says what, and what to do
  130  interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    parser = _parser()
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
        settings = Settings.load()
        log.hide(settings.secrets())
        if options.command == "run":
            socket = options.mode == "socket" or (
                options.mode is None and bool(settings.slack_app_token.get_secret_value())
            )
            return asyncio.run(_run(settings, Bot.start_socket if socket else Bot.start_http))
        if options.command == "worker":
            return asyncio.run(_run(settings, Bot.start_worker))
        if options.command == "check":
            return asyncio.run(_check(settings))
        if options.command == "forget":
            return asyncio.run(_forget(settings, options))
        if options.command == "mcp":
            return _serve_models(settings, options)
        return asyncio.run(terminal.compare(settings, options.traces, options.source or None, options.form))
    except SettingsError as error:
        print(f"compare-traces-bot: {error}\n(`compare-traces-bot settings` lists them all)", file=sys.stderr)
        return EXIT_BAD_INPUT
    except BotError as error:
        print(f"compare-traces-bot: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT if isinstance(error, UserError) else EXIT_FAILED


def entry() -> None:
    """Run as the installed command."""
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="compare-traces-bot",
        description="A Slack bot that compares two distributed traces: serve a workspace, check it, or try it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {analysis.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="serve a workspace")
    run.add_argument("--mode", choices=("http", "socket"), help="default: socket with SLACK_APP_TOKEN, else http")
    commands.add_parser("worker", help="answer what other processes accept (needs REDIS_URL)")
    commands.add_parser("check", help="check settings, Slack token and every source")
    forget = commands.add_parser("forget", help="delete what is kept; says first what that is")
    forget.add_argument("--channel", default="", metavar="C...", help="what was asked and answered in a channel")
    forget.add_argument("--user", default="", metavar="U...", help="what somebody asked, and their votes")
    forget.add_argument("--team", default="", metavar="T...", help="everything of a workspace")
    forget.add_argument("--before", metavar="DAY", help="what is older (2026-01-31); narrows the others down")
    forget.add_argument("--all", action="store_true", help="everything")
    forget.add_argument("--yes", action="store_true", help="do it; without, it is only counted")
    compare = commands.add_parser(
        "compare", help="compare two traces, or two windows, of the configured sources in the terminal"
    )
    compare.add_argument(
        "traces", nargs="+", metavar="TRACE", help="ids or links: the healthy trace and the one to explain; or it alone"
    )
    compare.add_argument("--source", default="", help="the source to ask")
    form = compare.add_mutually_exclusive_group()
    for name, what in (("json", "the whole comparison, for programs"), ("markdown", "the whole report")):
        form.add_argument(f"--{name}", dest="form", action="store_const", const=name, default="text", help=what)
    models = commands.add_parser("mcp", help=f"serve models over the Model Context Protocol (needs {MCP_EXTRA})")
    models.add_argument("--http", action="store_true", help="over HTTP on this machine, instead of standard input")
    models.add_argument("--port", type=int, default=MCP_PORT, help="port of --http (default %(default)s; 0: any)")
    playground = commands.add_parser("playground", help="try everything in a browser, without a workspace")
    playground.add_argument("--port", type=int, default=PORT, help="port of the page (default %(default)s; 0: any)")
    playground.add_argument("--cli", action="store_true", help="print the first comparison in the terminal and end")
    commands.add_parser("settings", help="print every setting, as Markdown")
    shell = commands.add_parser("completion", help="print what makes a shell complete both commands")
    shell.add_argument("shell", choices=completion.SHELLS)
    return parser


async def _run(settings: Settings, start: Callable[[Bot], Coroutine[Any, Any, None]]) -> int:
    try:
        bot = Bot(settings)
    except (sqlite3.Error, StateError) as error:
        raise SettingsError(f"STATE_FILE: cannot use {settings.state_file}: {error}") from None
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    starting = asyncio.create_task(start(bot))
    stopped = asyncio.create_task(stopping.wait())
    stop_tracing = tracing.set_up()
    try:
        await asyncio.wait((starting, stopped), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            await stopped
    except OSError as error:
        raise SettingsError(f"HOST, PORT: cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
    finally:
        starting.cancel()
        await bot.stop()
        await asyncio.to_thread(stop_tracing)
    return 0


async def _forget(settings: Settings, options: argparse.Namespace) -> int:
    """Delete what is kept of somebody or some time, or count it."""
    before = unix_seconds(options.before) if options.before else None
    if options.before and before is None:
        raise SettingsError("--before: name a day, such as 2026-01-31")
    selection = Selection(
        team=options.team, channel=options.channel, user=options.user, before=before, everything=options.all
    )
    if selection == Selection():
        raise SettingsError("say what to forget: --channel, --user, --team, --before or --all")
    try:
        state = open_state(settings)
        try:
            gone = await (state.forget(selection) if options.yes else state.selected(selection))
        finally:
            await state.aclose()
    except (sqlite3.Error, StateError, RedisError, OSError) as error:
        raise SettingsError(f"cannot use the state: {error}") from None
    print(f"forgotten: {counted(gone)}" if options.yes else f"would forget {counted(gone)}; say --yes to do it")
    return 0


async def _check(settings: Settings) -> int:
    """Print one line per thing that must work, each problem with its mend."""
    problems = [*await _check_slack(settings), *await _check_sources(settings), _check_programs(settings)]
    return EXIT_FAILED if any(problems) else 0


async def _check_slack(settings: Settings) -> list[bool]:
    """Try the tokens; returns what is wrong (True) and what is not (False)."""
    if settings.slack_client_id:
        return await _check_workspaces(settings)
    base_url = settings.slack_api_url + "/"
    token, app_token = settings.slack_bot_token.get_secret_value(), settings.slack_app_token.get_secret_value()
    if not token:
        print("slack: SLACK_BOT_TOKEN is not set: install the app and copy its bot token")
        wrong = [True]
    else:
        try:
            client = AsyncWebClient(token=token, base_url=base_url)
            who = await client.auth_test()
            print(f"slack: ok, {who.get('user')} in {who.get('team')}")
            wrong = [_check_scopes(who.headers), await _check_channels(settings, client)]
        except FAILURES as error:
            print(_refused(error, settings, "the token does not work", "copy it again from the app's OAuth page"))
            wrong = [True]
    if app_token:
        try:
            await AsyncWebClient(base_url=base_url).apps_connections_open(app_token=app_token)
            print("slack: Socket Mode ok")
        except FAILURES as error:
            mend = (
                "SLACK_APP_TOKEN is an app-level token (xapp-...) with connections:write, and the app has the mode on"
            )
            print(_refused(error, settings, "Socket Mode does not work", mend))
            wrong.append(True)
    elif not settings.slack_signing_secret.get_secret_value():
        print("slack: set SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP mode)")
        wrong.append(True)
    return wrong


async def _check_workspaces(settings: Settings) -> list[bool]:
    """Try the token of every workspace that installed the app; returns what is wrong (True) and what is not (False)."""
    if not settings.slack_signing_secret.get_secret_value():
        print("slack: set SLACK_SIGNING_SECRET: several workspaces are served over HTTP")
        return [True]
    try:
        installations = open_installations(settings)
    except SettingsError as error:
        print(f"slack: {error}")
        return [True]
    wrong = [False]
    for team in settings.allowed_teams if installations else ():
        token = await installations.token(team) if installations else None
        if token is None:
            print(f"slack: {team} has not installed the app: open {settings.public_url or '...'}/slack/install")
            continue
        try:
            who = await AsyncWebClient(token=token, base_url=settings.slack_api_url + "/").auth_test()
        except FAILURES as error:
            print(_refused(error, settings, f"the token of {team} does not work", "install the app there again"))
            wrong.append(True)
        else:
            print(f"slack: ok, {who.get('user')} in {who.get('team')}")
            wrong.append(_check_scopes(who.headers))
    return wrong


def _refused(error: Exception, settings: Settings, what: str, mend: str) -> str:
    """Say what Slack has against a token, with the mend; a Slack that cannot be reached says nothing of tokens."""
    if isinstance(error, SlackApiError):
        return f"slack: {what} ({error_code(error)}): {mend}"
    return f"slack: I cannot reach {settings.slack_api_url} ({error}): check the network, and HTTPS_PROXY where one is"


async def _check_channels(settings: Settings, client: AsyncWebClient) -> bool:
    """Say which of the configured channels I cannot answer in; returns whether there is one."""
    wrong = False
    for channel in dict.fromkeys((*settings.watched_channels, *settings.allowed_channels, *settings.channels)):
        try:
            found = await client.conversations_info(channel=channel)
        except FAILURES as error:
            said = error_code(error) if isinstance(error, SlackApiError) else error
            print(f"slack: channel {channel} ({said}): check its id, and /invite me to it")
            wrong = True
        else:
            if (found.get("channel") or {}).get("is_member") is False:
                print(f"slack: I am no member of channel {channel}: /invite me to it")
                wrong = True
    return wrong


def _check_scopes(headers: Mapping[str, str]) -> bool:
    """Say which of the rights in the manifest the installed app lacks; without the header nothing is known."""
    granted = next((value for name, value in headers.items() if name.lower() == "x-oauth-scopes"), None)
    given = {*SCOPES, *OPTIONAL_SCOPES} if granted is None else {scope.strip() for scope in granted.split(",")}
    missing = [scope for scope in SCOPES if scope not in given]
    if "files:write" not in given:
        print("slack: without files:write answers come without pictures, and full reports as far as a message goes")
    if missing:
        print(f"slack: the app lacks {', '.join(missing)}: take the scopes of manifest.json and install the app again")
    return bool(missing)


def _check_programs(settings: Settings) -> bool:
    """Say which programs may ask; returns whether a token cannot be used."""
    try:
        names = settings.program_tokens()
    except SettingsError as error:
        print(f"programs: {error}")
        return True
    if names:
        print(f"programs: ok, {', '.join(names)} may ask on http://{settings.api_host}:{settings.api_port}")
    return False


async def _check_sources(settings: Settings) -> list[bool]:
    """Ping every source; returns what is wrong (True) and what is not (False)."""
    if not settings.all_sources:
        print("sources: none configured: set JAEGER_URL or TEMPO_URL, or write a TOML file")
        return [True]
    sources, evidence = open_sources(settings), EvidenceSources(settings)
    try:
        answers = await sources.ping() | await evidence.ping()
    finally:
        await sources.aclose()
        await evidence.aclose()
    for name, answer in answers.items():
        print(f"source {name}: {answer}")
    return [isinstance(answer, Exception) for answer in answers.values()]


def _serve_models(settings: Settings, options: argparse.Namespace) -> int:
    """Serve over MCP; the SDK is an extra, and what it brings is loaded here alone."""
    try:
        from bot.machines import mcp_server  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "bot":
            raise
        raise SettingsError(f"mcp: {error.name} is not installed: pip install '{MCP_EXTRA}'") from None
    asyncio.run(mcp_server.serve_http(settings, options.port) if options.http else mcp_server.serve_stdio(settings))
    return 0


if __name__ == "__main__":
    entry()
