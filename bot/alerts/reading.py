"""From a message to an alert."""

from __future__ import annotations

import hashlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bot.alerts.alert import Alert
from bot.alerts.content import read_content
from bot.alerts.labels import ENVIRONMENT, NAMESPACE, SEVERITY, find_labels, operation_of, pick, service_of
from bot.alerts.shapes import shape_of
from bot.alerts.shapes.shape import opening
from bot.alerts.times import find_window
from bot.alerts.trace_ids import find_traces

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_NO_HOSTS: Mapping[str, str] = MappingProxyType({})


def read_alert(message: Mapping[str, Any], hosts: Mapping[str, str]) -> Alert | None:
    """Return what a message says, or None when it names no trace and no service and no known sender made it.

    `message` is as Slack delivers it, in a `message_changed` event as well (then the message as it is now);
    `hosts`: see `bot.requests.references.find_references`. Never raises, whatever the message holds.
    """
    content = read_content(message)
    if content is None:
        return None
    labels = find_labels(content.passages)
    shape = shape_of(content)
    said = shape.read(content, labels)
    every = {**said.labels, **labels}
    references, found = find_traces(content, hosts)
    service = service_of(every)
    if not (references or service or shape.vendor != "unknown"):
        return None
    window, window_said = find_window(every, said.start, said.end, content.ts)
    identity = (shape.vendor, *said.identity)
    if not any(said.identity):
        identity = (shape.vendor, *(reference.trace_id for reference in references))
    return Alert(
        references=references, found=found, service=service, operation=operation_of(every),
        environment=pick(every, ENVIRONMENT), namespace=pick(every, NAMESPACE), severity=pick(every, SEVERITY),
        labels=MappingProxyType(every), window=window, window_said=window_said, state=said.state,
        fingerprint=hashlib.sha256("\x1f".join(identity).encode("utf-8", "replace")).hexdigest()[:32],
        vendor=shape.vendor, title=said.title or opening(content.title)[1], url=said.url or content.title_url,
    )  # fmt: skip


def is_alert(message: Mapping[str, Any], own: Collection[str] = ()) -> bool:
    """Tell whether a message in a watched channel is an alert: a program's, and it says what is wrong or which trace.

    `own`: our own bot, app and user ids; what we post is never an alert to us.
    """
    inner = message.get("message")
    inner = inner if isinstance(inner, dict) else message
    if any(inner.get(name) in own for name in ("bot_id", "app_id", "user") if isinstance(inner.get(name), str)):
        return False
    content = read_content(message)
    if content is None or not content.from_bot:
        return False
    alert = read_alert(message, _NO_HOSTS)
    return alert is not None and (alert.state != "unknown" or alert.vendor != "unknown")
