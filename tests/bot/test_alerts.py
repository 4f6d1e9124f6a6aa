"""Alerts of known senders: what each recorded shape says, and what makes two messages the same alert."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from bot.alerts import Alert, is_alert, read_alert

DATA = Path(__file__).parents[1] / "data" / "alerts"
HOSTS = {"jaeger.example": "jaeger", "grafana.example": "tempo"}
A = "4bf92f3577b34da6a3ce929d0e0e4736"
B = "0af7651916cd43dd8448eb211c80319c"
C = "5b8aa5a2d2c872e8321cf37308d69df2"
DECIMAL = f"{7311386240184827190:032x}"
LATER = f"{1234567890123456789:032x}"


def sample(name: str) -> dict[str, Any]:
    """Return a sample message."""
    message: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return message


def alert(message: dict[str, Any]) -> Alert:
    """Read a message that is an alert."""
    read = read_alert(message, HOSTS)
    assert read is not None
    return read


def ids(message: dict[str, Any]) -> list[tuple[str, str | None]]:
    """Return the ids that a message names and the sources they are in."""
    return [(reference.trace_id, reference.source) for reference in alert(message).references]


SAID = {
    "alertmanager-default-firing": ("alertmanager", "firing", "", "", "", []),
    "alertmanager-firing-with-trace": (
        "alertmanager",
        "firing",
        "checkout",
        "POST /api/checkout",
        "prod",
        [(A, "jaeger")],
    ),
    "alertmanager-refired": ("alertmanager", "firing", "checkout", "POST /api/checkout", "prod", [(B, None)]),
    "alertmanager-resolved": ("alertmanager", "resolved", "checkout", "POST /api/checkout", "prod", []),
    "alertmanager-grouped": ("alertmanager", "firing", "cart", "", "prod", [(A, "tempo"), (B, "tempo"), (C, "tempo")]),
    "alertmanager-decoys": ("alertmanager", "firing", "checkout", "", "prod", []),
    "grafana-firing": ("grafana", "firing", "checkout", "POST /api/checkout", "prod", [(A, None)]),
    "grafana-grouped": ("grafana", "firing", "cart", "GET /api/cart", "prod", [(B, "jaeger"), (A, "jaeger")]),
    "grafana-resolved": ("grafana", "resolved", "checkout", "POST /api/checkout", "prod", []),
    "grafana-changed-event": ("grafana", "firing", "checkout", "POST /api/checkout", "prod", [(A, None)]),
    "datadog-triggered": ("datadog", "firing", "checkout", "POST /api/checkout", "prod", [(DECIMAL, None), (A, None)]),
    "datadog-retriggered": ("datadog", "firing", "checkout", "POST /api/checkout", "prod", [(LATER, None)]),
    "datadog-recovered": ("datadog", "resolved", "checkout", "POST /api/checkout", "prod", []),
    "datadog-logs-decoys": ("datadog", "firing", "", "", "prod", []),
    "pagerduty-triggered": ("pagerduty", "firing", "checkout", "POST /api/checkout", "prod", [(A, None)]),
    "pagerduty-resolved-event": ("pagerduty", "resolved", "checkout", "POST /api/checkout", "prod", [(A, None)]),
    "pagerduty-without-ids": ("pagerduty", "firing", "checkout", "", "", []),
    "sentry-issue": ("sentry", "firing", "checkout", "POST /api/checkout", "production", [(A, None)]),
    "sentry-issue-decoys": ("sentry", "firing", "checkout", "", "production", []),
    "sentry-issue-resolved-event": ("sentry", "resolved", "checkout", "POST /api/checkout", "production", []),
    "sentry-metric-critical": ("sentry", "firing", "", "/api/checkout", "production", []),
    "sentry-metric-resolved": ("sentry", "resolved", "", "/api/checkout", "production", []),
    "opsgenie-new": ("opsgenie", "firing", "checkout", "GET /api/cart", "prod", [(B, "tempo")]),
    "opsgenie-acknowledged": ("opsgenie", "firing", "checkout", "GET /api/cart", "prod", []),
    "opsgenie-closed": ("opsgenie", "resolved", "checkout", "GET /api/cart", "prod", []),
    "unknown-webhook": ("unknown", "firing", "checkout", "POST /api/checkout", "prod", []),
    "person-two-traces": ("unknown", "unknown", "", "", "", [(A, None), (B, "jaeger")]),
    "person-forwards-an-alert": ("alertmanager", "firing", "checkout", "POST /api/checkout", "prod", [(A, "jaeger")]),
}


@pytest.mark.parametrize("name", sorted(SAID))
def test_what_each_sample_says(name) -> None:
    """Sender, state, service, operation, environment and traces of every sample are read."""
    read = alert(sample(name))
    traces = [(reference.trace_id, reference.source) for reference in read.references]
    assert (read.vendor, read.state, read.service, read.operation, read.environment, traces) == SAID[name]
    assert read.found == len(traces)
    assert is_alert(sample(name)) == (not name.startswith("person-"))


def test_every_sample_is_tested() -> None:
    """No sample lies in the folder without its row above."""
    assert {path.stem for path in DATA.glob("*.json")} == set(SAID)


def test_a_message_says_more_than_where_it_is() -> None:
    """Title and link, namespace, severity and all labels come with the alert."""
    read = alert(sample("alertmanager-firing-with-trace"))
    assert (read.title, read.namespace, read.severity) == ("HighLatency (checkout)", "shop", "critical")
    assert read.url == "https://alertmanager.example/#/alerts?receiver=slack"
    assert read.labels["alertname"] == "HighLatency"
    assert read.labels["description"].startswith("99th percentile")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alertmanager-firing-with-trace", "alertmanager-refired"),
        ("alertmanager-firing-with-trace", "alertmanager-resolved"),
        ("grafana-firing", "grafana-changed-event"),
        ("grafana-firing", "grafana-resolved"),
        ("datadog-triggered", "datadog-retriggered"),
        ("datadog-triggered", "datadog-recovered"),
        ("pagerduty-triggered", "pagerduty-resolved-event"),
        ("sentry-issue", "sentry-issue-resolved-event"),
        ("sentry-metric-critical", "sentry-metric-resolved"),
        ("opsgenie-new", "opsgenie-acknowledged"),
        ("opsgenie-new", "opsgenie-closed"),
        ("alertmanager-firing-with-trace", "person-forwards-an-alert"),
    ],
)
def test_the_same_alert_keeps_its_fingerprint(one, other) -> None:
    """Fired again with other values and another trace, edited, resolved: it is still the same alert."""
    assert alert(sample(one)).fingerprint == alert(sample(other)).fingerprint


def test_other_alerts_have_other_fingerprints() -> None:
    """Another rule, another service or another sender makes another alert."""
    names = (
        "alertmanager-firing-with-trace", "alertmanager-default-firing", "alertmanager-grouped", "alertmanager-decoys",
        "grafana-firing", "grafana-grouped", "datadog-triggered", "datadog-logs-decoys", "pagerduty-triggered",
        "sentry-issue", "sentry-metric-critical", "opsgenie-new", "unknown-webhook", "person-two-traces",
    )  # fmt: skip
    assert len({alert(sample(name)).fingerprint for name in names}) == len(names)
    changes = {
        "grafana-firing": ("checkout", "cart"), "alertmanager-firing-with-trace": ("HighLatency", "ErrorRate"),
        "datadog-triggered": ("service%3Acheckout", "service%3Acart"), "pagerduty-triggered": ("HighLatency", "ErrorRate"),
        "sentry-issue": ("7700748352", "7700748353"), "opsgenie-new": ("service:checkout", "service:cart"),
        "unknown-webhook": ("Slow requests", "Failing requests"),
    }  # fmt: skip
    for name, (was, becomes) in changes.items():
        other = json.loads(json.dumps(sample(name)).replace(was, becomes))
        assert alert(other).fingerprint != alert(sample(name)).fingerprint, name


def test_a_group_that_grows_stays_the_same_alert() -> None:
    """Another count, and fewer labels in common in the title, do not make another alert of it."""
    grown = json.loads(
        json.dumps(sample("alertmanager-grouped")).replace(
            "[FIRING:3] ErrorRate (prod warning)", "[FIRING:4] ErrorRate (prod)"
        )
    )
    assert alert(grown).fingerprint == alert(sample("alertmanager-grouped")).fingerprint


def test_the_window_is_the_alerts_own_when_it_says_one() -> None:
    """From a quarter of an hour before the start it gives to the end it gives."""
    read = alert(sample("alertmanager-resolved"))
    assert read.window == (1_794_999_900 - 900, 1_795_001_040)
    assert read.window_said


def test_else_the_window_ends_with_the_message() -> None:
    """Without times of its own, the quarter of an hour before the message is it, also when the message is edited."""
    for name in ("grafana-firing", "grafana-changed-event"):
        read = alert(sample(name))
        assert read.window == (1_795_000_000 - 900, 1_795_000_000)
        assert not read.window_said


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("datadog-triggered", (1_794_999_950 - 900, 1_795_000_000)),  # the event's second, in the link
        ("datadog-logs-decoys", (1_794_999_050, 1_795_000_000)),  # the link opens a quarter of an hour before it
        ("datadog-recovered", (1_795_001_750 - 900, 1_795_001_750)),
        ("pagerduty-triggered", (1_794_999_960 - 900, 1_795_000_000)),
        ("sentry-metric-critical", (1_794_999_900 - 900, 1_795_000_000)),
        ("person-forwards-an-alert", (1_794_999_900 - 900, 1_795_000_000)),  # not when it was forwarded
    ],
)
def test_each_senders_way_of_saying_when(name, window) -> None:
    """Datadog says it in the link, Sentry and PagerDuty in Slack's dates; a forwarded alert keeps its own time."""
    assert alert(sample(name)).window == window
    assert alert(sample(name)).window_said


def test_titles_are_what_the_sender_calls_the_alert() -> None:
    """States, numbers, emoji and markup are no part of a title; the link is the alert's own page."""
    titles = {
        "datadog-recovered": "Checkout p95 latency on env:prod,service:checkout",
        "pagerduty-triggered": "HighLatency checkout",
        "sentry-issue": "PaymentTimeout",
        "sentry-metric-resolved": "Checkout p95 above 2 s",
        "opsgenie-closed": "[Prometheus]: [FIRING:1] HighLatency checkout",
        "unknown-webhook": "Slow requests",
    }
    for name, title in titles.items():
        assert alert(sample(name)).title == title
    assert alert(sample("pagerduty-triggered")).url == "https://acme.pagerduty.com/incidents/Q1QGYB805SG874"
    assert alert(sample("opsgenie-new")).url.startswith("https://opsg.in/a/i/acme/")


def test_emoji_and_colour_tell_the_state_where_words_do_not() -> None:
    """Sites title alerts with a fire or a check mark; a bar's colour is the last thing that is asked."""
    for title, colour, state in (
        (":fire: HostSwapping", "", "firing"), (":white_check_mark: HostSwapping", "a30200", "resolved"),
        ("HostSwapping", "a30200", "firing"), ("HostSwapping", "2eb886", "resolved"), ("HostSwapping", "cccccc", "unknown"),
        ("Warning: HostSwapping", "2eb886", "firing"), ("[OK] HostSwapping", "", "resolved"),
    ):  # fmt: skip
        attachment = {"title": title, "color": colour, "title_link": "http://am.example:9093/#/alerts?receiver=x"}
        assert alert({"bot_id": "B1", "username": "Alertmanager", "attachments": [attachment]}).state == state


def test_times_that_cannot_be_are_not_believed() -> None:
    """A start long before or after the message (year 1, another zone, a typing error) is left out."""
    for start in ("0001-01-01T00:00:00Z", "2031-01-01T00:00:00Z", "2025-01-01 00:00:00 +0000 UTC", "yesterday"):
        text = json.dumps(sample("alertmanager-firing-with-trace")).replace("2026-11-18T11:05:00Z", start)
        assert alert(json.loads(text)).window == (1_795_000_000 - 900, 1_795_000_000)


def test_a_deleted_message_says_nothing() -> None:
    """When a message is deleted there is nothing left to answer."""
    event = {"type": "message", "subtype": "message_deleted", "previous_message": sample("grafana-firing")}
    assert read_alert(event, HOSTS) is None


def test_chatter_is_no_alert() -> None:
    """What people and programs say without naming a trace or a service is nobody's alert."""
    for message in (
        {"type": "message", "user": "U1", "text": "good morning, all fine?", "ts": "1795000000.1"},
        {
            "type": "message",
            "bot_id": "B1",
            "text": "Build 1234 passed: <https://ci.example/b/1234|log>",
            "ts": "1795000000.1",
        },
        {
            "type": "message",
            "bot_id": "B1",
            "text": ":white_check_mark: Deploy of checkout succeeded",
            "ts": "1795000000.1",
        },
        {"type": "message", "user": "U1", "text": "[RESOLVED] lunch", "ts": "1795000000.1"},
        {"type": "message", "subtype": "channel_join", "user": "U1", "text": "<@U1> has joined the channel"},
        {},
    ):
        assert read_alert(message, HOSTS) is None
        assert not is_alert(message)


def test_our_own_messages_and_peoples_are_no_alerts() -> None:
    """In a watched channel only other programs' alerts count: never ours, never a person's."""
    ours = sample("grafana-firing")
    assert not is_alert(ours, own={"B0ALERTS2"})
    assert not is_alert(ours, own={"A0GRAFANA"})
    assert not is_alert(sample("grafana-changed-event"), own={"B0ALERTS2"})
    person = {"type": "message", "user": "U1", "text": f"trace_id={A} service=checkout", "ts": "1795000000.1"}
    assert read_alert(person, HOSTS) is not None
    assert not is_alert(person)


def test_an_unknown_programs_alert_is_read_by_its_labels() -> None:
    """A webhook nobody knows is an alert when it says that something fires, resolved or not."""
    message = {
        "type": "message", "subtype": "bot_message", "bot_id": "B9", "username": "watchdog", "ts": "1795000000.1",
        "text": 'Triggered: slow checkout\nservice=checkout operation="POST /pay" env=prod',
    }  # fmt: skip
    read = alert(message)
    assert (read.vendor, read.state, read.service, read.operation) == ("unknown", "firing", "checkout", "POST /pay")
    assert is_alert(message)
    resolved = copy.deepcopy(message) | {
        "text": str(message["text"]).replace("Triggered", "Recovered"),
        "ts": "1795009999.1",
    }
    assert (alert(resolved).state, alert(resolved).fingerprint) == ("resolved", read.fingerprint)


@pytest.mark.parametrize(
    "text",
    [
        "service=checkout env=prod", 'service="checkout",env="prod"', "*Service:* checkout *Env:* prod", "service:checkout, env:prod",
        " - service = checkout\n - env = prod", "*Service*\ncheckout\n*Env*\nprod", "• *service:* `checkout`\n• *env:* `prod`",
        "Service: checkout | Env: prod", "service: `checkout`  env: `prod`", '{"service":"checkout","env": "prod"}',
        "service_name=checkout deployment.environment=prod", "Service Name: checkout\nEnvironment: prod",
        '{alertname="X", service="checkout", env="prod"}', "service: <https://wiki.example/checkout|checkout>\nenv: prod",
        "job=shop/checkout env=prod", "dd.service=checkout env=prod", "> Service: checkout\n> Env: prod",
        "Tags: service:checkout, env:prod", "**Service:** checkout\n**Env:** prod", "Service name: “checkout”\nenv=“prod”",
        "app=checkout stage=prod", "service=checkout service=cart env=prod env=dev", "service:checkout env:prod status:error",
    ],
)  # fmt: skip
def test_labels_in_any_dress(text) -> None:
    """However a template writes them, service and environment are read; the first of several counts."""
    read = alert({"bot_id": "B1", "text": text, "ts": "1795000000.1"})
    assert (read.service, read.environment) == ("checkout", "prod")


@pytest.mark.parametrize(
    ("text", "operation"),
    [
        ("span_name=GET", "GET"), ('span_name="POST /pay"', "POST /pay"), ("http.route=/pay http.method=post", "POST /pay"),
        ("http.route=/pay", "/pay"), ("transaction: `/pay`", "/pay"), ("resource_name:get_/pay/{id}", "GET /pay/{id}"),
        ("operation=charge http.route=/pay", "charge"), ("rpc.method=Charge", "Charge"), ("method=GET", ""),
    ],
)  # fmt: skip
def test_operations_as_spans_name_them(text, operation) -> None:
    """A span's name comes first; a route takes its method, as server spans are named."""
    assert alert({"bot_id": "B1", "text": f"service=checkout\n{text}", "ts": "1795000000.1"}).operation == operation


@pytest.mark.parametrize(
    "link",
    [
        "https://am.example/#/silences/new?filter=%7Balertname%3D%22Slow%22%2C%20service%3D%22checkout%22%2C%20env%3D%22prod%22%7D",
        'https://am.example/#/silences/new?filter={alertname="Slow",service="checkout",env="prod"}',
        "https://grafana.example/alerting/silence/new?alertmanager=grafana&matcher=alertname%3DSlow&matcher=service%3Dcheckout&matcher=env%3Dprod&orgId=1",
    ],
)
def test_a_silence_link_names_the_labels(link) -> None:
    """Where a site's own text shows no labels, the link that silences the alert still carries them."""
    button = {"type": "button", "text": ":no_bell: Silence", "url": link}
    read = alert({"bot_id": "B1", "attachments": [{"title": "[FIRING:1] Slow", "text": "look!", "actions": [button]}]})
    assert (read.service, read.environment, read.labels["alertname"]) == ("checkout", "prod", "Slow")


def test_what_the_text_says_comes_before_what_a_link_says() -> None:
    """A label in the text wins over the same label in a silence link."""
    link = "https://am.example/#/silences/new?filter={service=cart}"
    message = {
        "bot_id": "B1",
        "attachments": [{"title": "[FIRING:1] Slow", "text": f"service=checkout <{link}|silence>"}],
    }
    assert alert(message).service == "checkout"


def test_tables_mentions_and_tags_are_read_as_people_see_them() -> None:
    """A table's cells stand under their column's name, links show their label, mentions their name."""
    link = {
        "type": "rich_text",
        "elements": [
            {
                "type": "rich_text_section",
                "elements": [{"type": "link", "url": f"https://jaeger.example/trace/{A}", "text": "open"}],
            }
        ],
    }
    rows = [
        [
            {"type": "raw_text", "text": "Service"},
            {"type": "raw_text", "text": "Trace"},
            {"type": "raw_text", "text": "p99"},
        ],
        [{"type": "raw_text", "text": "checkout"}, link, {"type": "raw_number", "value": 3.1, "text": "3.1 s"}],
    ]
    message = {
        "bot_id": "B1", "text": "<!subteam^S1|@shop> <@U1> <#C1|shop> see <mailto:a@b.example|a@b.example>",
        "blocks": [{"type": "table", "rows": rows}], "ts": "1795000000.1",
    }  # fmt: skip
    read = alert(message)
    assert (read.service, read.labels["p99"]) == ("checkout", "3.1 s")
    assert [(reference.trace_id, reference.source) for reference in read.references] == [(A, "jaeger")]
    assert read.title == "@shop @U1 shop see a@b.example"


def test_a_status_label_tells_the_state() -> None:
    """Where title and emoji say nothing, a status or state that the alert lists does."""
    for status, state in (
        ("open", "firing"),
        ("Resolved", "resolved"),
        ("closed", "resolved"),
        ("in review", "unknown"),
    ):
        message = {"bot_id": "B1", "username": "Opsgenie", "text": f"Disk is full\nService: checkout\nState: {status}"}
        assert alert(message).state == state
        message["username"] = "somebody"
        assert alert(message).state == state


def test_sentrys_environment_may_stand_in_the_link_only() -> None:
    """Without tags, the issue's link still says which environment it was, and the project which service."""
    text = json.dumps(sample("sentry-issue-decoys")).replace("environment: `production`", "")
    assert (alert(json.loads(text)).environment, alert(json.loads(text)).service) == ("production", "checkout")


def test_a_sentence_is_no_service() -> None:
    """What people say after "service:" is not taken for a name."""
    assert read_alert({"user": "U1", "text": "service: is it down again or is it just me?"}, HOSTS) is None


def test_what_is_read_does_not_change_the_message() -> None:
    """Reading leaves the message as it was."""
    message = sample("grafana-grouped")
    before = copy.deepcopy(message)
    read_alert(message, HOSTS)
    assert message == before
