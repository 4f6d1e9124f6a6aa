"""Datadog: an attachment titled `Triggered: <monitor>` (Warn, Re-Triggered, Recovered, ...), linked to the monitor.

The link holds the monitor's number, the group that it fired for, and times: it opens 15 minutes before the event
(`from_ts`, in milliseconds) and names the event's own second in newer messages (`link_event_ts`). Tags
(`service:checkout`) stand in the title's scope or in the text; trace ids may be decimal.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.alerts.shapes.shape import Said, Shape, on_host, opening, parameters, state_of, steady, whose
from bot.alerts.times import read_time

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.alerts.content import Content

LEAD_S = 15 * 60  # the link opens that long before the event

_MONITOR = re.compile(r"/monitors?[/#](\d{1,20})")
_SCOPE = re.compile(r"\b(?:on|for)\s+\(?([\w.\-]{1,60}:[^\s,()]{1,100}(?:,\s?[\w.\-]{1,60}:[^\s,()]{1,100}){0,20})\)?$")
_GROUPS = re.compile(r"([\w.\-]{1,60}):([^\s,]{1,100})")


def _recognises(content: Content) -> bool:
    if "datadog" in content.sender:
        return True
    return on_host(content.title_url, "datadoghq.com", "datadoghq.eu", "ddog-gov.com") and bool(
        _MONITOR.search(content.title_url)
    )


def _read(content: Content, labels: Mapping[str, str]) -> Said:
    state = state_of(content, labels)
    _, name = opening(content.title)
    said = parameters(content.title_url)
    event = read_time(said.get("link_event_ts", ""))
    if event is None and said.get("from_ts"):
        start = read_time(said["from_ts"])
        event = start + LEAD_S if start else None
    scope = _SCOPE.search(name)
    group = said.get("group") or (scope[1] if scope else "")
    every = {key.lower(): value for key, value in _GROUPS.findall(group)} | dict(labels)
    monitor = _MONITOR.search(content.title_url)
    return Said(
        state=state, title=name, labels=every,
        identity=(monitor[1] if monitor else steady(name), group, *whose(every)),
        start=event if state != "resolved" else None, end=event if state == "resolved" else None,
    )  # fmt: skip


SHAPE = Shape(vendor="datadog", recognises=_recognises, read=_read)
