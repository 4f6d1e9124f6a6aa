"""Links to the pages where people go on: traces, logs, dashboards, runbooks.

Built from configured addresses and validated ids only. What a configured template takes from a trace (the name of a
service) is percent-encoded, and stands behind the host: no trace decides where a link goes.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from string import Formatter
from typing import TYPE_CHECKING
from urllib.parse import quote

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.settings import LinkSettings, SourceSettings

AROUND_NS = 300 * 10**9  # before and after the request: logs come late, dashboards need a shape to see

NEVER_NS = 2**33 * 10**9  # unix ns in the year 2242: clocks are wrong in traces too


class Place(Struct, frozen=True, kw_only=True):
    """What a template is filled in with: a service, a trace, maybe a span, and when the request ran (unix ns)."""

    service: str
    trace_id: str
    span_id: str = ""
    start_ns: int = 0
    end_ns: int = 0


def service_links(templates: Sequence[LinkSettings], place: Place) -> list[tuple[str, str]]:
    """Return (title, address) of every configured page about a place; those that need what it lacks are left out."""
    values = _values(place)
    found = []
    for link in templates:
        if link.services and not any(fnmatchcase(place.service, pattern) for pattern in link.services):
            continue
        wanted = {name for _, name, _, _ in Formatter().parse(link.url) if name}
        if all(values[name] for name in wanted):
            found.append((link.title, link.url.format(**values)))
    return found


def _values(place: Place) -> dict[str, str]:
    known = AROUND_NS < place.start_ns <= place.end_ns < NEVER_NS
    start, end = (place.start_ns - AROUND_NS, place.end_ns + AROUND_NS) if known else (0, 0)
    plain = {"service": place.service, "trace_id": place.trace_id, "span_id": place.span_id}
    for name, at in (("start", start), ("end", end)):
        seconds = at // 10**9
        plain[name] = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""
        plain[f"{name}_s"] = str(seconds) if at else ""
        plain[f"{name}_ms"] = str(at // 10**6) if at else ""
    return {name: quote(value, safe="", errors="replace") for name, value in plain.items()}


def trace_url(source: SourceSettings, trace_id: str, span_id: str = "") -> str | None:
    """Return the page of a trace (with one span in focus), or None when the source has no user interface."""
    if source.ui_url is None:
        return None
    if source.grafana_datasource:
        return _explore(source, [(trace_id, span_id)])
    if source.kind == "jaeger":
        focus = f"?uiFind={quote(span_id)}" if span_id else ""
        return f"{source.ui_url}/trace/{trace_id}{focus}"
    return None


def diff_url(baseline: SourceSettings, suspect: SourceSettings, a: str, b: str) -> str | None:
    """Return the backend's own page that shows both traces side by side, where both live in one source."""
    if baseline.name != suspect.name or baseline.ui_url is None or a == b:
        return None
    if baseline.grafana_datasource:
        return _explore(baseline, [(a, ""), (b, "")])
    if baseline.kind == "jaeger":
        return f"{baseline.ui_url}/trace/{a}...{b}"
    return None


def _explore(source: SourceSettings, traces: list[tuple[str, str]]) -> str:
    """Return a Grafana Explore link: one pane per trace, two panes side by side."""
    datasource = {"type": source.kind, "uid": source.grafana_datasource}
    panes: dict[str, object] = {}
    for name, (trace_id, span_id) in zip(("tra", "trb"), traces, strict=False):
        query = {
            "refId": "A", "datasource": datasource, "queryType": "traceql", "limit": 20, "tableType": "traces",
            "query": trace_id,
        }  # fmt: skip
        pane: dict[str, object] = {
            "datasource": source.grafana_datasource,
            "queries": [query],
            "range": {"from": "now-7d", "to": "now"},
        }
        if span_id:
            pane["panelsState"] = {"trace": {"spanId": span_id}}
        panes[name] = pane
    text = quote(json.dumps(panes, separators=(",", ":")), safe="")
    return f"{source.ui_url}/explore?schemaVersion=1&panes={text}&orgId=1"
