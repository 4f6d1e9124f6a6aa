"""An alert bot: posts what monitoring tools post, in the shapes in which they post it, about the recorded traces.

Each alert names its trace in another way (a link, a label, a tag), and Grafana's names none, only the service and
the operation. Hosts but the playground's own are invented.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from bot.playground.workspace import Message, SlackError

if TYPE_CHECKING:
    from bot.playground.trace_api import Samples
    from bot.playground.workspace import Workspace

RED, GREEN = "a30200", "2eb886"


class Trouble(Struct, frozen=True, kw_only=True):
    """What an alert is about."""

    trace_id: str
    service: str
    operation: str
    at: int  # Unix seconds
    took: str  # "0.14 s"
    link: str  # to the trace

    @property
    def when(self) -> str:
        """When it was, as alerts write it."""
        return datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Kind(Struct, frozen=True, kw_only=True):
    """One thing that the alert bot can post."""

    title: str
    sample: str
    make: Callable[[Trouble], Message]


class AlertBot:
    """Posts alerts on demand."""

    def __init__(self, workspace: Workspace, samples: Samples) -> None:
        self._workspace = workspace
        self._samples = samples

    def menu(self) -> list[dict[str, str]]:
        """Return what can be posted."""
        return [{"name": name, "title": kind.title} for name, kind in KINDS.items()] + [
            {"name": "resolved", "title": "The last alert here is resolved"}
        ]

    def post(self, channel: str, name: str) -> Message:
        """Post an alert, or edit the last one in the channel; raises `SlackError`."""
        if name == "resolved":
            return self._resolve(channel)
        kind = KINDS.get(name)
        if kind is None:
            raise SlackError("no such alert")
        return self._workspace.post_as(channel, kind.make(self._trouble(kind.sample)))

    def _resolve(self, channel: str) -> Message:
        """Edit an alert as Alertmanager does where it is told to update its messages."""
        messages = self._workspace.messages.get(channel, [])
        last = next((m for m in reversed(messages) if "FIRING" in _title(m)), None)
        if last is None:
            raise SlackError("There is no Alertmanager or Grafana alert here that could be resolved: post one first.")
        attachments = copy.deepcopy(last["attachments"])
        for part in attachments:
            part["color"] = GREEN
            for name in ("title", "fallback", "text"):
                part[name] = part[name].replace("[FIRING:1]", "[RESOLVED]").replace("**Firing**", "**Resolved**")
        return self._workspace.edit_as(channel, last, {"attachments": attachments})

    def _trouble(self, name: str) -> Trouble:
        pair = next(sample for sample in self._samples.pairs if sample.name == name)
        trace = self._samples.trace(pair.suspect)
        root = next(span for span in trace.spans if not span.parent_id) if trace else None
        if root is None:
            raise SlackError(f"the sample {name} is missing: install the package again")
        return Trouble(
            trace_id=pair.suspect, service=root.service, operation=root.name, at=root.start_ns // 10**9,
            took=f"{(root.end_ns - root.start_ns) / 1e9:.2g} s",
            link=f"{self._workspace.base_url}/jaeger/trace/{pair.suspect}",
        )  # fmt: skip


def _title(message: Message) -> str:
    return str((message.get("attachments") or [{}])[0].get("title") or "")


def _webhook(name: str, **more: Any) -> Message:
    """A message of a classic incoming webhook."""
    return {"subtype": "bot_message", "username": name, "bot_id": f"B0{name.upper()}", "text": "", **more}


def _app(name: str, **more: Any) -> Message:
    """A message of another app."""
    app, bot = f"A0{name.upper()}", f"B0{name.upper()}"
    profile = {"id": bot, "app_id": app, "name": name, "deleted": False}
    return {"user": f"U0{name.upper()}", "bot_id": bot, "app_id": app, "bot_profile": profile, "text": "", **more}


def alertmanager(trouble: Trouble) -> Message:
    """One attachment; the site's own template lists labels and links the exemplar."""
    title = f"[FIRING:1] HighLatency {trouble.service} (prod shop critical)"
    link = "https://alertmanager.example/#/alerts?receiver=slack"
    lines = (
        f"*Alert:* p99 latency of {trouble.operation} is above its objective - `critical`",
        f"*Slowest request:* {trouble.took}, <{trouble.link}|open its trace>",
        "*Details:*", "  • *alertname:* `HighLatency`", f"  • *service:* `{trouble.service}`",
        f"  • *span_name:* `{trouble.operation}`", "  • *namespace:* `shop`", f"  • *started:* `{trouble.when}`",
    )  # fmt: skip
    actions = [{"id": "1", "name": "", "text": "Runbook", "type": "button", "url": "https://runbooks.example/latency"}]
    return _webhook("Alertmanager", attachments=[{
        "id": 1, "color": RED, "title": title, "title_link": link, "fallback": f"{title} | {link}",
        "text": "\n".join(lines), "mrkdwn_in": ["fallback", "pretext", "text"], "actions": actions,
    }])  # fmt: skip


def grafana(trouble: Trouble) -> Message:
    """Labels and links, no trace: which request it was has to be found."""
    title = f"[FIRING:1] Latency Shop (prod {trouble.service} {trouble.operation})"
    rule = "https://grafana.example/alerting/grafana/cdy1mqk3b8v0gd/view?orgId=1"
    text = (
        f"**Firing**\n\nValue: B={trouble.took.split()[0]}, C=1\nLabels:\n - alertname = Latency\n"
        f" - service_name = {trouble.service}\n - span_name = {trouble.operation}\n"
        f" - deployment_environment = prod\nAnnotations:\n - summary = p99 above its objective\n"
        f" - startsAt = {trouble.when}\nSource: <{rule}>\n"
    )
    return _app("Grafana", attachments=[{
        "id": 1, "color": "d63232", "title": title, "title_link": rule, "fallback": title, "text": text,
        "footer": "Grafana v12.2.0", "ts": trouble.at, "mrkdwn_in": ["pretext"],
    }])  # fmt: skip


def datadog(trouble: Trouble) -> Message:
    """A monitor's notification with its tags, and a second attachment that leads to the trace."""
    scope = f"env:prod,service:{trouble.service}"
    title = f"Triggered: {trouble.operation} p95 latency on {scope}"
    monitor = "https://app.datadoghq.com/monitors/444839"
    text = (
        f"p95 latency of *{trouble.operation}* is *above its objective* during the *last 5m*.\n\n"
        f"The monitor was last triggered at "
        f"{datetime.fromtimestamp(trouble.at, UTC).strftime('%a %b %d %Y %H:%M:%S')} UTC."
    )
    return _app("Datadog", attachments=[
        {
            "id": 1, "color": RED, "title": title, "fallback": title, "text": text,
            "title_link": f"{monitor}?link_event_ts={trouble.at}&link_source=monitor_notif",
            "fields": [
                {"title": "Monitor", "value": f"<{monitor}|{trouble.operation} p95 latency>", "short": True},
                {"title": "Priority", "value": "P2", "short": True},
            ],
        },
        {
            "id": 2, "title": "View in APM", "fallback": "View in APM",
            "title_link": f"https://app.datadoghq.com/apm/trace/{trouble.trace_id}?link_monitor_id=444839",
        },
    ])  # fmt: skip


def pagerduty(trouble: Trouble) -> Message:
    """An incident in blocks; the details are as the monitoring tool wrote them."""
    incident = "https://acme.pagerduty.com/incidents/Q1QGYB805SG874"
    title = f"#4711: {trouble.service} {trouble.operation} is slow"
    details = (
        f"env: prod\nnamespace: shop\nspan_name: {trouble.operation}\ntrace_id: {trouble.trace_id}\n"
        f"started_at: {trouble.when}"
    )
    fields = (f"*Service:*\n{trouble.service}", "*Urgency:*\nHigh", "*Assigned:*\nAda Lovelace")
    buttons: tuple[tuple[str, dict[str, str]], ...] = (("Acknowledge", {}), ("View in PagerDuty", {"url": incident}))
    return _app("PagerDuty", attachments=[{
        "id": 1, "color": "d13a2f", "fallback": f"Triggered {title}", "blocks": [
            _section("a", f":red_circle: *Triggered* <{incident}|{title}>"),
            {"type": "section", "block_id": "b", "fields": [{"type": "mrkdwn", "text": text} for text in fields]},
            _section("c", f"*Details*\n```{details}```"),
            {"type": "actions", "block_id": "d", "elements": [
                {"type": "button", "action_id": text, "text": {"type": "plain_text", "text": text}, **more}
                for text, more in buttons
            ]},
        ],
    }])  # fmt: skip


def sentry(trouble: Trouble) -> Message:
    """An issue in blocks; its trace is one of its tags."""
    issue = "https://acme.sentry.io/issues/7700748352/?referrer=slack&alert_type=issue"
    name = {"type": "link", "url": issue, "text": "PaymentTimeout", "style": {"bold": True}}
    title: list[dict[str, Any]] = [{"type": "emoji", "name": "red_circle"}, {"type": "text", "text": " "}, name]
    tags = f"environment: `production`  level: `error`  trace: `{trouble.trace_id}`  "
    return _app("Sentry", text=f"[{trouble.service}] PaymentTimeout", blocks=[
        {"type": "rich_text", "block_id": "a", "elements": [{"type": "rich_text_section", "elements": title}]},
        _context(trouble.operation),
        _section("b", "```payment gateway did not answer in 1 s```"),
        _section("c", tags),
        _context("Events: *1*   State: *New*   First Seen: *Just now*"),
    ])  # fmt: skip


def _section(block_id: str, text: str) -> dict[str, Any]:
    return {"type": "section", "block_id": block_id, "text": {"type": "mrkdwn", "text": text, "verbatim": False}}


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}


KINDS = {
    "alertmanager": Kind(title="Alertmanager: slow checkout, with its trace", sample="slow-query", make=alertmanager),
    "grafana": Kind(title="Grafana: slow cart, labels only", sample="n-plus-one", make=grafana),
    "datadog": Kind(title="Datadog: slow home page", sample="lost-parallelism", make=datadog),
    "pagerduty": Kind(title="PagerDuty: slow checkout", sample="retry-storm", make=pagerduty),
    "sentry": Kind(title="Sentry: failing checkout", sample="payment-timeout", make=sentry),
}
