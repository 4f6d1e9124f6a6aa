"""Grafana Loki's query API: what is asked, and what the answers say. Pure.

Loki since version 3 tells the level of each line (`detected_level`) and keeps the ids of traces beside it; older ones
know what is in the line, or in the labels that whoever sends them has given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from bot.evidence.lines import line
from bot.settings.queries import filled, literal, one_of

if TYPE_CHECKING:
    from bot.evidence.lines import Line
    from bot.settings import LogSettings

RANGE = "/loki/api/v1/query_range"
PING = "/loki/api/v1/labels"
BAD = "(?i)(err.*|warn.*|fatal|crit.*|panic|alert|emerg.*|severe)"
LEVELS = " or ".join(f'{label}=~"{BAD}"' for label in ("detected_level", "level", "severity_text", "severity"))
WORDS = "(?i)(error|warn|fatal|panic|exception|critical|severe)"


class _Stream(Struct, gc=False):
    stream: dict[str, str] = {}
    values: list[list[Any]] = []


class _Data(Struct, gc=False):
    resultType: str = ""  # noqa: N815 - the wire's name
    result: list[_Stream] = []


class _Answer(Struct, gc=False):
    data: _Data
    status: str = ""


class _Status(Struct, gc=False):
    status: str = ""


def bad_lines(settings: LogSettings, services: tuple[str, ...]) -> str:
    """Return the query for errors and warnings, by what Loki knows of their level, or as it is configured."""
    return f"{_selector(settings, services)} {settings.pipeline or f'| {LEVELS}'}"


def bad_words(settings: LogSettings, services: tuple[str, ...]) -> str:
    """Return the query for lines that look like errors or warnings, where Loki knows no levels."""
    return f'{_selector(settings, services)} |~ "{WORDS}"'


def deployments(settings: LogSettings, service: str) -> str:
    """Return the query for the lines that say when a service was deployed."""
    return filled(settings.deployments, service=service)


def of_trace(settings: LogSettings, services: tuple[str, ...], trace_id: str) -> tuple[str, str]:
    """Return the queries for the lines of a trace: its id in the line, and beside it."""
    selector, id_ = _selector(settings, services), literal(trace_id)
    return f'{selector} |= "{id_}"', f'{selector} | {settings.trace_label}="{id_}"'


def _selector(settings: LogSettings, services: tuple[str, ...]) -> str:
    more = f", {settings.matchers}" if settings.matchers else ""
    return f'{{{settings.service_label}=~"{one_of(services)}"{more}}}'


def parameters(query: str, window: tuple[int, int], limit: int) -> dict[str, str]:
    """Return what `query_range` is asked: the newest lines of a window (unix ns)."""
    return {
        "query": query, "start": str(window[0]), "end": str(window[1]), "limit": str(limit), "direction": "backward",
    }  # fmt: skip


def read_events(body: bytes) -> list[tuple[int, str]]:
    """Read lines with their times (unix s), the oldest first; raises as `read_lines`."""
    events = [
        (int(value[0]) // 10**9, line("", its.stream, value[1]).text)
        for its in msgspec.json.decode(body, type=_Answer).data.result
        for value in its.values
        if len(value) >= 2 and isinstance(value[1], str) and str(value[0]).isdigit()
    ]
    return sorted(events)


def read_lines(body: bytes, service_label: str) -> list[Line]:
    """Read the lines of an answer; raises `msgspec.MsgspecError` or `ValueError`."""
    data = msgspec.json.decode(body, type=_Answer).data
    if data.resultType != "streams":
        raise ValueError("not the answer of a query for lines")
    return [
        line(its.stream.get(service_label, ""), its.stream, value[1])
        for its in data.result
        for value in its.values
        if len(value) >= 2 and isinstance(value[1], str)
    ]


def read_status(body: bytes) -> str:
    """Read whether a question was answered; raises as `read_lines`."""
    status = msgspec.json.decode(body, type=_Status).status
    if status != "success":
        raise ValueError(f"the status is {status[:40] or 'missing'}")
    return status
