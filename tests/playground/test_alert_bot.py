"""The alert bot of the playground: its alerts are read for what they are, and the watched channel answers them."""

from __future__ import annotations

import pytest

from bot.alerts import is_alert, read_alert
from bot.playground.alert_bot import KINDS, AlertBot
from bot.playground.trace_api import Samples
from bot.playground.workspace import SlackError, Workspace

MAIN = "C0MAIN"


@pytest.fixture
def workspace():
    """Return a workspace with one channel and no app to be told."""
    made = Workspace("k" * 32, {MAIN: "main"})
    made.base_url = "http://127.0.0.1:8090"
    return made


@pytest.fixture
def alerts(workspace):
    """Return the alert bot of the workspace."""
    return AlertBot(workspace, Samples())


@pytest.mark.parametrize("name", KINDS)
def test_each_alert_is_read_as_its_senders_and_leads_to_a_request(workspace, alerts, name) -> None:
    """By its trace, or, where it names none, by service, operation and time."""
    message = alerts.post(MAIN, name)
    assert is_alert(message)
    alert = read_alert(message, {"127.0.0.1:8090": "jaeger-demo"})
    assert (alert.vendor, alert.state) == (name, "firing")
    sample = next(pair for pair in Samples().pairs if pair.name == KINDS[name].sample)
    if name == "grafana":
        assert alert.references == ()
        assert (alert.service, alert.operation) == ("gateway", "GET /api/cart/{user_id}")
        assert alert.window_said
    else:
        assert [reference.trace_id for reference in alert.references] == [sample.suspect]
    assert workspace.messages[MAIN] == [message]


@pytest.mark.parametrize("name", ["alertmanager", "grafana"])
def test_an_alert_is_resolved_in_place(workspace, alerts, name) -> None:
    """As those senders do that edit their messages; it stays the same alert."""
    posted = read_alert(alerts.post(MAIN, name), {})
    resolved = read_alert(alerts.post(MAIN, "resolved"), {})
    assert resolved.state == "resolved"
    assert resolved.fingerprint == posted.fingerprint
    assert len(workspace.messages[MAIN]) == 1


def test_an_alert_that_fires_again_is_the_same_alert(alerts) -> None:
    """So that it can be answered once."""
    first, again = (read_alert(alerts.post(MAIN, "alertmanager"), {}) for _ in range(2))
    assert first.fingerprint == again.fingerprint


@pytest.mark.parametrize(("channel", "name"), [(MAIN, "resolved"), (MAIN, "nonsense"), ("C0NONE", "sentry")])
def test_what_cannot_be_posted_is_said(alerts, channel, name) -> None:
    """Nothing to resolve, no such alert, no such channel."""
    with pytest.raises(SlackError):
        alerts.post(channel, name)


def test_the_menu_lists_what_can_be_posted(alerts) -> None:
    """Each entry by name and in words."""
    assert [entry["name"] for entry in alerts.menu()] == [*KINDS, "resolved"]
