"""The Slack manifests declare exactly what the app listens to, with no more rights than the code uses."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.listeners import Listeners
from bot.slack.rights import OPTIONAL_SCOPES, SCOPES

ROOT = Path(__file__).parents[2]
# What Slack asks for, by method and by event (docs.slack.dev). A channel is public or private, hence two rights.
HISTORY = {"channels:history", "groups:history"}
METHODS: dict[str, set[str]] = {
    "auth_test": set(), "views_open": set(), "views_update": set(), "views_publish": set(), "chat_getPermalink": set(), "chat_postMessage": {"chat:write"},
    "chat_update": {"chat:write"}, "chat_delete": {"chat:write"}, "chat_postEphemeral": {"chat:write"},
    "conversations_info": {"channels:read", "groups:read"}, "conversations_history": HISTORY, "conversations_replies": HISTORY,
}  # fmt: skip
OPTIONAL = {
    "usergroups_users_list": {"usergroups:read"},
    "files_getUploadURLExternal": {"files:write"},
    "files_completeUploadExternal": {"files:write"},
}
EVENTS = {
    "app_mention": {"app_mentions:read"}, "reaction_added": {"reactions:read"},
    "app_uninstalled": set(), "app_home_opened": set(), "tokens_revoked": set(), "message.channels": {"channels:history"}, "message.groups": {"groups:history"},
}  # fmt: skip
ALL = [
    "manifest.json", "manifest.http.json", "manifest.watch.json", "manifest.http.watch.json",
    "manifest.http.oauth.json",
]  # fmt: skip
BY_VARIANT = {"watch": ["message.channels", "message.groups"], "oauth": ["app_uninstalled", "tokens_revoked"]}
UNDECLARED = {"error"}  # registered, but nothing that Slack has to know


class Ears:
    """Stands where the Bolt app stands and writes down what is listened to."""

    def __init__(self) -> None:
        self.heard: dict[str, list] = defaultdict(list)

    def __getattr__(self, kind: str):
        def listen(*what):
            self.heard[kind] += what
            return lambda function: function

        return listen


@pytest.fixture
def heard() -> dict[str, list]:
    """Return what the listeners listen to, by kind."""
    ears = Ears()
    Listeners(*[None] * 4, SimpleNamespace(ledger=None, memory=None, results=None), *[None] * 3).register(ears)
    return ears.heard


def manifest(name: str) -> dict:
    """Read a manifest."""
    return json.loads((ROOT / name).read_text())


def called() -> set[str]:
    """Return the methods of Slack's Web API that the code calls."""
    code = "".join(
        file.read_text() for file in (ROOT / "bot").rglob("*.py") if "playground" not in file.relative_to(ROOT).parts
    )
    return {name for name in re.findall(r"\b_?client\.(\w+)", code) if hasattr(AsyncWebClient, name)}


def events(name: str, heard: dict[str, list]) -> list[str]:
    """Return the events to subscribe to: for all messages of a channel only where alerts are watched, and so on."""
    special = {"message", *BY_VARIANT["oauth"]}
    more = [event for variant, its in BY_VARIANT.items() if variant in name for event in its]
    assert special <= set(heard["event"])
    return sorted([event for event in heard["event"] if event not in special] + more)


@pytest.mark.parametrize("name", ALL)
def test_a_manifest_declares_what_is_listened_to(name, heard) -> None:
    """Commands, shortcuts and events are those that are registered, no more and no fewer."""
    its = manifest(name)
    assert [command["command"] for command in its["features"]["slash_commands"]] == heard["command"]
    assert its["features"]["slash_commands"][0]["should_escape"] is False
    shortcuts = defaultdict(list)
    for shortcut in its["features"]["shortcuts"]:
        shortcuts[shortcut["type"]].append(shortcut["callback_id"])
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
    assert shortcuts["global"] == heard["global_shortcut"]
    assert shortcuts["message"] == heard["message_shortcut"]
    assert sorted(its["settings"]["event_subscriptions"]["bot_events"]) == events(name, heard)
    assert its["settings"]["interactivity"]["is_enabled"] is bool(heard["action"] + heard["view"])
    known = {"command", "global_shortcut", "message_shortcut", "event", "action", "view"}
    assert set(heard) <= known | UNDECLARED
    assert 174 <= len(its["display_information"]["long_description"]) <= 4000
    assert len(its["display_information"]["description"]) <= 140


@pytest.mark.parametrize("name", ALL)
def test_a_manifest_asks_for_the_rights_that_are_used(name, heard) -> None:
    """Each right is needed by a method that the code calls or an event it listens to; none is missing.

    Those that the bot can do without are listed once more as optional, so that whoever installs it may decline them.
    """
    needed = {"commands"}
    optional = set()
    for method in called():
        needed |= METHODS.get(method, set())
        optional |= OPTIONAL.get(method, set())
        assert method in METHODS or method in OPTIONAL
    for event in events(name, heard):
        needed |= EVENTS[event]
    scopes = manifest(name)["oauth_config"]["scopes"]
    assert set(scopes["bot"]) == needed | optional
    assert set(scopes["bot_optional"]) == optional == set(OPTIONAL_SCOPES)
    assert needed == set(SCOPES)


@pytest.mark.parametrize("variant", ["", "watch."])
def test_two_manifests_differ_only_in_how_slack_reaches_the_app(variant) -> None:
    """Socket Mode has no addresses, HTTP mode has one for everything."""
    socket, http = manifest(f"manifest.{variant}json"), manifest(f"manifest.http.{variant}json")
    assert socket["settings"].pop("socket_mode_enabled") is True
    assert http["settings"].pop("socket_mode_enabled") is False
    url = http["settings"]["interactivity"].pop("request_url")
    assert http["features"]["slash_commands"][0].pop("url") == url
    assert http["settings"]["event_subscriptions"].pop("request_url") == url
    assert url.endswith("/slack/events")
    assert socket == http


def test_several_workspaces_install_with_the_rights_of_their_manifest() -> None:
    """It says where the installation comes back to; but for that and its events nothing is different."""
    oauth, http = manifest("manifest.http.oauth.json"), manifest("manifest.http.json")
    assert oauth["oauth_config"].pop("redirect_urls") == ["https://YOUR-HOST/slack/oauth_redirect"]
    for its in (oauth, http):
        its["settings"]["event_subscriptions"].pop("bot_events")
    assert oauth == http
