"""`check`: settings, Slack's tokens and scopes, channels, and every source, tried one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.evidence.sources import EvidenceSources
from bot.settings import SettingsError
from bot.slack.installations import open_installations
from bot.slack.refusals import FAILURES, error_code
from bot.slack.rights import OPTIONAL_SCOPES, SCOPES
from bot.sources import open_sources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.settings import Settings


async def check(settings: Settings) -> bool:
    """Print one line per thing that must work, each problem with its mend; returns whether everything does."""
    problems = [*await check_slack(settings), *await check_sources(settings), _check_programs(settings)]
    return not any(problems)


async def check_slack(settings: Settings) -> list[bool]:
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
            wrong = [check_scopes(who.headers), await _check_channels(settings, client)]
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
            wrong.append(check_scopes(who.headers))
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


def check_scopes(headers: Mapping[str, str]) -> bool:
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


async def check_sources(settings: Settings) -> list[bool]:
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
