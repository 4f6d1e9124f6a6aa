"""Traces as files: Jaeger v1 JSON, OTLP JSON, and trees to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from analysis.model import SpanKind

if TYPE_CHECKING:
    from analysis.model import Attributes, AttributeValue, Resource, Span, Trace

OTLP_KINDS = tuple(SpanKind)


def jaeger_json(trace: Trace) -> bytes:
    """Encode as Jaeger's `/api/traces/{id}` answers."""
    processes: dict[int, str] = {}
    named: dict[str, dict[str, object]] = {}
    spans = []
    for span in trace.spans:
        process = processes.setdefault(id(span.resource), f"p{len(processes) + 1}")
        if process not in named:
            tags = {k: v for k, v in span.resource.attributes.items() if k != "service.name"}
            named[process] = {"serviceName": span.service, "tags": _tags(tags)}
        spans.append(_jaeger_span(trace.trace_id, span, process))
    body = {"data": [{"traceID": trace.trace_id, "spans": spans, "processes": named, "warnings": None}], "errors": None}
    return json.dumps(body, separators=(",", ":")).encode()


def _jaeger_span(trace_id: str, span: Span, process: str) -> dict[str, object]:
    tags = dict(span.attributes)
    if span.kind is not SpanKind.UNSPECIFIED:
        tags["span.kind"] = span.kind.value
    if span.error:
        tags |= {"error": True, "otel.status_code": "ERROR"}
    if span.status_message:
        tags["otel.status_description"] = span.status_message
    kind = "FOLLOWS_FROM" if span.follows_from else "CHILD_OF"
    references = [{"refType": kind, "traceID": trace_id, "spanID": span.parent_id}] if span.parent_id else []
    references += [{"refType": "FOLLOWS_FROM", "traceID": x.trace_id, "spanID": x.span_id} for x in span.links]
    logs = [
        {"timestamp": e.time_ns // 1_000, "fields": _tags({"event": e.name, **e.attributes})} for e in span.events
    ]  # fmt: skip
    return {
        "traceID": trace_id, "spanID": span.span_id, "operationName": span.name, "references": references,
        "startTime": span.start_ns // 1_000, "duration": (span.end_ns - span.start_ns) // 1_000, "tags": _tags(tags),
        "logs": logs, "processID": process, "warnings": None,
    }  # fmt: skip


def _tags(attributes: Attributes) -> list[dict[str, object]]:
    names = {bool: "bool", int: "int64", float: "float64"}
    return [{"key": k, "type": names.get(type(v), "string"), "value": v} for k, v in attributes.items()]


def otlp_json(trace: Trace) -> bytes:
    """Encode as OTLP JSON."""
    by_resource: dict[int, tuple[Resource, list[Span]]] = {}
    for span in trace.spans:
        by_resource.setdefault(id(span.resource), (span.resource, []))[1].append(span)
    body = {
        "resourceSpans": [
            {
                "resource": {"attributes": _key_values({"service.name": resource.service, **resource.attributes})},
                "scopeSpans": [
                    {"scope": {"name": "simulate"}, "spans": [_otlp_span(trace.trace_id, s) for s in spans]}
                ],
            }
            for resource, spans in by_resource.values()
        ]
    }
    return json.dumps(body, separators=(",", ":")).encode()


def _otlp_span(trace_id: str, span: Span) -> dict[str, object]:
    return {
        "traceId": trace_id, "spanId": span.span_id, "parentSpanId": span.parent_id, "name": span.name,
        "kind": OTLP_KINDS.index(span.kind), "startTimeUnixNano": str(span.start_ns), "endTimeUnixNano": str(span.end_ns),
        "attributes": _key_values(span.attributes),
        "events": [
            {"timeUnixNano": str(e.time_ns), "name": e.name, "attributes": _key_values(e.attributes)} for e in span.events
        ],
        "links": [{"traceId": x.trace_id, "spanId": x.span_id} for x in span.links],
        "status": {"code": 2, "message": span.status_message} if span.error else {},
    }  # fmt: skip


def _key_values(attributes: Attributes) -> list[dict[str, object]]:
    return [{"key": key, "value": _any_value(value)} for key, value in attributes.items()]


def _any_value(value: AttributeValue) -> dict[str, object]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    return {"stringValue": str(value)}


DETAILS = ("db.query.text", "db.statement", "url.full", "http.url", "exception.type")
MARKS = ("service.version", "k8s.pod.name", "host.name")


def tree(trace: Trace, marked: frozenset[str] = frozenset()) -> str:
    """Draw a trace as an indented list: start ms, duration ms, service, name; `*` before marked span ids."""
    children: dict[str, list[Span]] = {}
    ids = {s.span_id for s in trace.spans}
    for span in sorted(trace.spans, key=lambda s: s.start_ns):
        orphan = span.parent_id not in ids or span.parent_id == span.span_id
        children.setdefault("" if orphan else span.parent_id, []).append(span)
    origin = min((s.start_ns for s in children.get("", ()) if not s.parent_id), default=0)
    lines: list[str] = []
    stack = [(span, 0) for span in reversed(children.get("", []))]
    seen: set[int] = set()
    while stack:
        span, depth = stack.pop()
        if id(span) in seen:
            continue
        seen.add(id(span))
        lines.append(_line(span, depth, origin, ids, span.span_id in marked))
        stack.extend((child, depth + 1) for child in reversed(children.get(span.span_id, [])) if child is not span)
    return "\n".join(lines)


def _line(span: Span, depth: int, origin: int, ids: set[str], marked: bool) -> str:  # noqa: FBT001 - a column
    detail = next((str(span.attributes[k])[:60] for k in DETAILS if k in span.attributes), "")
    place = " ".join(str(span.resource.attributes[k])[-8:] for k in MARKS if k in span.resource.attributes)
    flags = ("ERROR " if span.error else "") + ("orphan " if span.parent_id and span.parent_id not in ids else "")
    flags += "".join(f"{event.name}:{event.attributes.get('exception.type', '')} " for event in span.events)
    return (
        f"{'*' if marked else ' '}{(span.start_ns - origin) / 1e6:9.1f} {(span.end_ns - span.start_ns) / 1e6:9.1f}  "
        f"{'  ' * depth}{span.service} {span.name} [{span.kind.value}] {flags}{detail}  @{place}"
    )
