"""The Slack manifests declare exactly what the app listens to, with no more rights than it uses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.slack.listeners import COMMAND

ROOT = Path(__file__).parents[2]
NEEDED = {"commands", "chat:write", "channels:history", "groups:history"}


@pytest.mark.parametrize("name", ["manifest.json", "manifest.http.json"])
def test_commands_and_scopes_are_those_of_the_app(name) -> None:
    """One slash command, unescaped; least scopes; no events."""
    manifest = json.loads((ROOT / name).read_text())
    (command,) = manifest["features"]["slash_commands"]
    assert command["command"] == COMMAND
    assert command["should_escape"] is False
    assert set(manifest["oauth_config"]["scopes"]["bot"]) == NEEDED
    assert "event_subscriptions" not in manifest["settings"]
    assert manifest["settings"]["interactivity"]["is_enabled"] is True
    assert 174 <= len(manifest["display_information"]["long_description"]) <= 4000
    assert len(manifest["display_information"]["description"]) <= 140


def test_the_two_manifests_differ_only_in_how_slack_reaches_the_app() -> None:
    """Socket Mode has no addresses, HTTP mode has one for everything."""
    socket = json.loads((ROOT / "manifest.json").read_text())
    http = json.loads((ROOT / "manifest.http.json").read_text())
    assert socket["settings"].pop("socket_mode_enabled") is True
    assert http["settings"].pop("socket_mode_enabled") is False
    url = http["settings"]["interactivity"].pop("request_url")
    assert http["features"]["slash_commands"][0].pop("url") == url
    assert url.endswith("/slack/events")
    assert socket == http
