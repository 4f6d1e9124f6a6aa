"""Several workspaces: installed by OAuth, each answered with its own token, forgotten when they leave."""

from __future__ import annotations

import re
import sqlite3
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from world import CHANNEL, FaultySlack, settings_for

from bot.app import Bot
from bot.cli.check import check_slack
from bot.settings import SettingsError
from bot.state.forgetting import Selection

# The SDK exchanges the code of an installation with a helper of aiohttp that aiohttp wants to retire.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")
KEY = Fernet.generate_key().decode()


class ManyTeams(FaultySlack):
    """Slack, where each code of an installation leads to the workspace of its name."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens: list[tuple[str, str]] = []  # (method, token) of every call

    async def _api(self, request):
        """Note whose token was used."""
        self.tokens.append((request.match_info["method"], request.headers.get("Authorization", "")))
        return await super()._api(request)

    def do_oauth_v2_access(self, arguments):
        """oauth.v2.access"""
        team = arguments["code"]
        whole = team.startswith("E")
        return {
            "access_token": f"xoxb-{team}", "token_type": "bot", "scope": "commands,chat:write", "app_id": "A1",
            "bot_user_id": "U0BOT", "team": None if whole else {"id": team, "name": team},
            "enterprise": {"id": "E1", "name": "Grid"}, "is_enterprise_install": whole,
            "authed_user": {"id": "U1"},
        }  # fmt: skip

    def used(self, method: str) -> set[str]:
        """Return the tokens with which a method was called."""
        return {token.removeprefix("Bearer ") for name, token in self.tokens if name == method}


@pytest.fixture
def make_many(make_world, tmp_path):
    """Return a maker of worlds in which T1, T2 and T3 may install the bot."""

    def make(**changes):
        settings = {
            "slack_bot_token": SecretStr(""), "slack_client_id": "1.2", "slack_client_secret": SecretStr("c" * 32),
            "slack_token_key": SecretStr(KEY), "installations_file": tmp_path / "teams.sqlite3",
            "allowed_teams": ("T1", "T2", "T3"), "public_url": "https://bot.example",
        }  # fmt: skip
        return make_world(slack=ManyTeams(), **{**settings, **changes})

    return make


async def visit(world, path: str, cookie: str = "") -> tuple[int, str, str]:
    """Open one of the pages; returns (status, cookie, page)."""
    url = f"http://127.0.0.1:{world.bot.web.port}{path}"
    headers = {"Cookie": cookie} if cookie else {}
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
        session.get(url, headers=headers) as response,
    ):
        return response.status, response.headers.get("Set-Cookie", "").partition(";")[0], await response.text()


async def install(world, team: str) -> tuple[int, str]:
    """Install the bot in a workspace as a browser does."""
    status, cookie, page = await visit(world, "/slack/install")
    assert status == 200
    link = re.search(r'href="(https://slack.com/oauth/v2/authorize[^"]*)"', page)[1].replace("&amp;", "&")
    state = parse_qs(urlsplit(link).query)["state"][0]
    status, _, page = await visit(world, f"/slack/oauth_redirect?code={team}&state={state}", cookie)
    return status, page


async def ask(world, samples, team: str, name: str = "slow-query") -> tuple[int, str]:
    """Ask for a sample from a workspace, and wait for the answer."""
    pair = next(sample for sample in samples.pairs if sample.name == name)
    answer = await world.command(f"{pair.baseline} {pair.suspect}", team_id=team)
    await world.settled()
    return answer


async def test_every_workspace_is_answered_with_its_own_token(make_many, samples) -> None:
    """Two workspaces install the bot; from then on each is served as itself."""
    async with make_many() as world:
        assert (await install(world, "T1"))[0] == 200
        assert (await install(world, "T2"))[0] == 200
        for team, name in (("T1", "slow-query"), ("T2", "retry-storm"), ("T1", "healthy")):
            world.slack.tokens.clear()
            assert await ask(world, samples, team, name) == (200, "")
            assert world.slack.used("chat.postMessage") == world.slack.used("chat.update") == {f"xoxb-{team}"}
        assert len(world.slack.roots()) == 3


async def test_the_installation_asks_for_the_rights_of_the_manifest_and_comes_back_to_us(make_many) -> None:
    """The page leads to Slack with our scopes and our address."""
    async with make_many() as world:
        _, _, page = await visit(world, "/slack/install")
        query = parse_qs(urlsplit(re.search(r'href="([^"]*authorize[^"]*)"', page)[1].replace("&amp;", "&")).query)
        assert query["redirect_uri"] == ["https://bot.example/slack/oauth_redirect"]
        assert "chat:write" in query["scope"][0]
        assert query["client_id"] == ["1.2"]


async def test_tokens_are_not_readable_in_the_file(make_many, tmp_path) -> None:
    """Whoever copies the file has nothing without the key."""
    async with make_many() as world:
        await install(world, "T1")
        for file in tmp_path.iterdir():
            assert b"xoxb-T1" not in file.read_bytes()
        with sqlite3.connect(tmp_path / "teams.sqlite3") as db:
            (stored,) = db.execute("SELECT bot_token FROM slack_bots").fetchone()
            assert db.execute("SELECT count(*) FROM slack_installations").fetchone() == (0,)
        db.close()
        assert Fernet(KEY).decrypt(stored.encode()) == b"xoxb-T1"


@pytest.mark.parametrize("leave", ["app_uninstalled", "tokens_revoked"])
async def test_a_workspace_that_leaves_is_forgotten(make_many, samples, tmp_path, leave) -> None:
    """Its token is deleted, and with the app what is kept of it; the others stay."""
    async with make_many() as world:
        await install(world, "T1")
        await install(world, "T2")
        for team in ("T1", "T2"):
            await ask(world, samples, team)
        world.slack.messages[CHANNEL].clear()
        event = {"type": leave, "tokens": {"oauth": [], "bot": ["U0BOT"]}}
        assert (await world.event(event, team_id="T1"))[0] == 200
        await world.settled()
        assert await world.bot.installations.token("T1") is None
        assert await world.bot.installations.token("T2") == "xoxb-T2"
        kept = await world.bot.state.selected(Selection(everything=True))
        assert {its.team for its in kept} == ({"T2"} if leave == "app_uninstalled" else {"T1", "T2"})
        with sqlite3.connect(tmp_path / "teams.sqlite3") as db:
            assert db.execute("SELECT team_id FROM slack_bots").fetchall() == [("T2",)]
        db.close()
        await ask(world, samples, "T1")
        assert world.slack.roots() == []


async def test_tokens_of_persons_that_are_revoked_do_not_matter(make_many) -> None:
    """Only the bot's own token is kept."""
    async with make_many() as world:
        await install(world, "T1")
        await world.event({"type": "tokens_revoked", "tokens": {"oauth": ["U5"], "bot": []}}, team_id="T1")
        await world.settled()
        assert await world.bot.installations.token("T1") == "xoxb-T1"


@pytest.mark.parametrize("team", ["T9", "E5"])
async def test_who_is_not_named_cannot_install(make_many, samples, team) -> None:
    """Installing means reading traces: workspaces are named beforehand, whole organisations are refused."""
    async with make_many() as world:
        status, page = await install(world, team)
        assert status == 500
        assert "xoxb" not in page
        await ask(world, samples, team)
        assert world.slack.roots() == []
        assert world.slack.used("chat.postMessage") == set()


async def test_a_workspace_without_an_installation_is_told_so(make_many, samples) -> None:
    """The person who asked reads that the app has to be installed."""
    async with make_many() as world:
        status, _ = await ask(world, samples, "T3")
        assert status == 200
        assert "install" in world.slack.whispers()[0]


async def test_a_state_that_is_not_ours_is_refused(make_many) -> None:
    """Neither a made-up state, nor one of another browser, nor one that was used."""
    async with make_many() as world:
        status, cookie, page = await visit(world, "/slack/install")
        state = re.search(r"state=([0-9a-f-]+)", page)[1]
        path = f"/slack/oauth_redirect?code=T1&state={state}"
        assert status == 200
        assert (await visit(world, path))[0] == 400
        assert (await visit(world, "/slack/oauth_redirect?code=T1&state=guess", "slack-app-oauth-state=guess"))[
            0
        ] == 401
        assert (await visit(world, path, cookie))[0] == 200
        assert (await visit(world, path, cookie))[0] == 401
        assert await world.bot.installations.token("T1") == "xoxb-T1"


async def test_installations_survive_a_restart_and_a_change_of_the_key(make_many) -> None:
    """A new key goes in front of the old one; without the old one the workspace has to install again."""
    async with make_many() as world:
        await install(world, "T1")
    new = Fernet.generate_key().decode()
    async with make_many(slack_token_key=SecretStr(f"{new},{KEY}")) as world:
        assert await world.bot.installations.token("T1") == "xoxb-T1"
    async with make_many(slack_token_key=SecretStr(new)) as world:
        assert await world.bot.installations.token("T1") is None
        await install(world, "T1")
        assert await world.bot.installations.token("T1") == "xoxb-T1"


async def test_messages_read_after_an_event_are_read_with_the_workspaces_token(make_many, samples) -> None:
    """Not only posting: everything that follows from a payload happens in its workspace."""
    async with make_many() as world:
        await install(world, "T1")
        await install(world, "T2")
        pair = next(sample for sample in samples.pairs if sample.name == "slow-query")
        message = world.slack.put(CHANNEL, user="U2", text=f"trace {pair.baseline} trace {pair.suspect}")
        item = {"type": "message", "channel": CHANNEL, "ts": message["ts"]}
        world.slack.tokens.clear()
        event = {"type": "reaction_added", "user": "U1", "reaction": "mag", "item": item}
        assert await world.event(event, team_id="T2") == (200, "")
        await world.settled()
        assert world.slack.used("conversations.history") == world.slack.used("chat.postMessage") == {"xoxb-T2"}


async def test_an_event_of_a_shared_channel_is_answered_by_the_workspace_it_is_meant_for(make_many, samples) -> None:
    """It may have begun in a workspace of another company, which has not installed the bot."""
    async with make_many() as world:
        await install(world, "T2")
        pair = next(sample for sample in samples.pairs if sample.name == "slow-query")
        text = f"<@U0BOT> {pair.baseline} {pair.suspect}"
        event = {"type": "app_mention", "user": "U1", "text": text, "ts": "1795487300.000100", "channel": CHANNEL}
        world.slack.put(CHANNEL, user="U1", text=text, ts=event["ts"])
        meant = [{"team_id": "T2", "enterprise_id": None, "is_bot": True, "user_id": "U0BOT"}]
        assert await world.event(event, team_id="T77", authorizations=meant) == (200, "")
        await world.settled()
        assert world.slack.used("chat.postMessage") == {"xoxb-T2"}


async def test_what_a_restart_finds_unfinished_is_answered_in_its_workspace(make_many, samples) -> None:
    """The ledger knows where a request came from."""
    async with make_many() as world:
        await install(world, "T2")
        await ask(world, samples, "T2")
        with world.bot.ledger._lock:
            world.bot.ledger._db.execute("UPDATE requests SET state = 'posted'")
        world.slack.tokens.clear()
        await world.bot.jobs.resume()
        await world.settled()
        assert world.slack.used("chat.update") == {"xoxb-T2"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"slack_client_secret": SecretStr("")}, "SLACK_CLIENT_SECRET"),
        ({"slack_token_key": SecretStr("")}, "SLACK_TOKEN_KEY"),
        ({"slack_token_key": SecretStr("short")}, "SLACK_TOKEN_KEY"),
        ({"allowed_teams": ()}, "ALLOWED_TEAMS"),
    ],
)
def test_what_is_missing_is_said_before_anything_starts(tmp_path, changes, said) -> None:
    """One line per problem, with its mend."""
    settings = {
        "slack_client_id": "1.2", "slack_client_secret": SecretStr("c"), "slack_token_key": SecretStr(KEY),
        "allowed_teams": ("T1",), "installations_file": tmp_path / "teams.sqlite3",
    }  # fmt: skip
    with pytest.raises(SettingsError, match=said):
        Bot(settings_for("http://127.0.0.1:9", tmp_path / "l.sqlite3", **{**settings, **changes}))


async def test_socket_mode_serves_a_single_workspace(make_many) -> None:
    """Slack offers installation by others over HTTP alone."""
    async with make_many(slack_app_token=SecretStr("xapp-1"), start=False) as world:
        with pytest.raises(SettingsError, match="HTTP mode"):
            await world.bot.start_socket()


async def test_check_tries_the_token_of_every_workspace(make_many, capsys) -> None:
    """Those that have not installed the app yet are told how; a token that does not work is a problem."""
    async with make_many() as world:
        await install(world, "T1")
        await install(world, "T2")
        capsys.readouterr()
        settings = world.bot.settings
        assert await check_slack(settings) == [False, False, False]
        assert capsys.readouterr().out.splitlines() == [
            "slack: ok, compare-traces in playground",
            "slack: ok, compare-traces in playground",
            "slack: T3 has not installed the app: open https://bot.example/slack/install",
        ]
        world.slack.faults = [("auth.test", "account_inactive")]
        assert await check_slack(settings) == [False, True, False]
        assert "the token of T1 does not work (account_inactive)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"slack_signing_secret": SecretStr("")}, "SLACK_SIGNING_SECRET"), ({}, "SLACK_CLIENT_SECRET")],
)
async def test_check_says_what_several_workspaces_need(tmp_path, capsys, changes, said) -> None:
    """Before anything is started."""
    settings = settings_for("http://127.0.0.1:9", tmp_path / "l.sqlite3", **{"slack_client_id": "1.2", **changes})
    assert await check_slack(settings) == [True]
    assert said in capsys.readouterr().out
