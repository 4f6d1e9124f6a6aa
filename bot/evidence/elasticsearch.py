"""Elasticsearch's and OpenSearch's search: what is asked, and what the answers say. Pure.

The same thing stands in other fields with every way of sending logs (ECS, OpenTelemetry, Fluent Bit, Logstash), so each
is looked for in all of them; a field that an index has not got matches nothing. Names go into JSON, never into a query
language.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from bot.evidence.lines import line
from bot.settings.queries import filled

if TYPE_CHECKING:
    from bot.evidence.lines import Line
    from bot.settings import LogSettings

LEVELS = tuple(
    written
    for name in (
        "error", "err", "warn", "warning", "fatal", "critical", "crit", "panic", "severe", "alert", "emergency",
    )
    for written in (name, name.upper(), name.capitalize())
)  # fmt: skip


class _Hit(Struct, gc=False):
    source: dict[str, Any] = msgspec.field(name="_source", default_factory=dict)


class _Hits(Struct, gc=False):
    hits: list[_Hit] = []


class _Answer(Struct, gc=False):
    hits: _Hits


def path(settings: LogSettings) -> str:
    """Return where to search; an index that is not there is no error."""
    return f"/{quote(settings.index, safe='*,-_.')}/_search"


PARAMETERS = {"ignore_unavailable": "true", "allow_no_indices": "true"}


def bad_lines(settings: LogSettings, services: tuple[str, ...], window: tuple[int, int], limit: int) -> bytes:
    """Return the question for the newest errors and warnings of services in a window (unix ns)."""
    level = [_said(name, settings.level_fields) for name in LEVELS]
    level += [{"range": {"severity_number": {"gte": 13}}}, {"range": {"SeverityNumber": {"gte": 13}}}]
    return _question(settings, [_of(services, settings), _any(level)], window, limit)


def of_trace(
    settings: LogSettings, services: tuple[str, ...], trace_id: str, window: tuple[int, int], limit: int
) -> bytes:
    """Return the question for the lines of a trace: its id in a field, or in what the line says."""
    named = _said(trace_id, (*settings.trace_fields, *settings.message_fields))
    return _question(settings, [_of(services, settings), named], window, limit)


def deployments(settings: LogSettings, service: str, window: tuple[int, int], limit: int) -> bytes:
    """Return the question for the lines that say when a service was deployed: a query string of one's own."""
    own = {"query_string": {"query": filled(settings.deployments, service=service), "lenient": True}}
    return _question(settings, [own], window, limit)


def read_events(body: bytes, settings: LogSettings) -> list[tuple[int, str]]:
    """Read lines with their times (unix s), the oldest first; raises as `read_lines`."""
    hits = msgspec.json.decode(body, type=_Answer).hits.hits
    events = [(_seconds(_at(hit.source, settings.time_field)), _line(hit.source, settings).text) for hit in hits]
    return sorted((at, text) for at, text in events if at is not None)


def _seconds(time: object) -> int | None:
    if isinstance(time, (int, float)):
        return int(time / 1_000)
    try:
        return int(datetime.fromisoformat(str(time)).timestamp())
    except (ValueError, OverflowError):
        return None


def _question(settings: LogSettings, filters: list[dict[str, Any]], window: tuple[int, int], limit: int) -> bytes:
    start, end = (datetime.fromtimestamp(at // 10**6 / 1_000, UTC).isoformat(timespec="milliseconds") for at in window)
    between = {"range": {settings.time_field: {"gte": start, "lte": end, "format": "strict_date_optional_time"}}}
    return msgspec.json.encode({
        "size": limit, "track_total_hits": False, "query": {"bool": {"filter": [between, *filters]}},
        "sort": [{settings.time_field: {"order": "desc", "unmapped_type": "date"}}],
        "_source": [
            settings.time_field, *settings.service_fields, *settings.message_fields, *settings.level_fields,
            "severity_number", "SeverityNumber",
        ],
    })  # fmt: skip


def _of(services: tuple[str, ...], settings: LogSettings) -> dict[str, Any]:
    return _any([{"terms": {name: services}} for name in _both(settings.service_fields)])


def _said(word: str, fields: tuple[str, ...]) -> dict[str, Any]:
    """Ask for a word in any of these fields, whatever they are: one that holds numbers does not spoil the rest."""
    return {"multi_match": {"query": word, "fields": fields, "lenient": True}}


def _any(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"bool": {"should": choices, "minimum_should_match": 1}}


def _both(names: tuple[str, ...]) -> list[str]:
    """Add the exact form that texts get by default."""
    return [each for name in names for each in (name, f"{name}.keyword")]


def read_lines(body: bytes, settings: LogSettings) -> list[Line]:
    """Read the lines of an answer; raises `msgspec.MsgspecError`."""
    return [_line(hit.source, settings) for hit in msgspec.json.decode(body, type=_Answer).hits.hits]


def _line(source: dict[str, Any], settings: LogSettings) -> Line:
    texts = [_at(source, name) for name in settings.message_fields]
    text = next((text for text in texts if isinstance(text, str) and text.strip()), "")
    services = [_at(source, name) for name in settings.service_fields]
    service = next((name for name in services if isinstance(name, str)), "")
    level = next((its for name in settings.level_fields if (its := _at(source, name)) is not None), None)
    number = _at(source, "severity_number") or _at(source, "SeverityNumber")
    return line(service, {"level": level, "severity_number": number}, text)


def _at(source: dict[str, Any], name: str) -> object:
    """Return a field, written with dots or nested, or both in turn."""
    if name in source:
        return source[name]
    head, _, rest = name.partition(".")
    while rest:
        inner = source.get(head)
        if isinstance(inner, dict):
            return _at(inner, rest)
        more, _, rest = rest.partition(".")
        head = f"{head}.{more}"
    return None


def read_health(body: bytes) -> str:
    """Read that a server is one of these; raises `msgspec.MsgspecError`."""
    msgspec.json.decode(body, type=_Answer)
    return "ok"
