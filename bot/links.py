"""Links to the pages where people open traces. Built from configured addresses and validated ids only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from bot.settings import SourceSettings


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
