"""One line of a log: how bad it is, and what of it is the message. Pure.

    {"level":"error","msg":"pool exhausted","pool":"orders"}       JSON
    ts=... level=warn msg="retrying" attempt=3                     logfmt
    2026-11-24 02:24:15,644 ERROR [catalog] pool exhausted         text
    E1124 02:24:15.644    1 server.go:42] pool exhausted           klog

What a log store says about a line counts before what the line says about itself.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

ERROR, WARNING, FINE = "error", "warning", ""
TEXT = 4_000  # characters of a line that are kept
FIELDS = 1_000  # characters within which a line of fields names its level and its message
LEVEL_KEYS = ("detected_level", "level", "log.level", "severity_text", "severity", "loglevel", "log_level", "lvl")
MESSAGE_KEYS = ("message", "msg", "body", "log", "error", "err")
_ERRORS = ("err", "fatal", "crit", "panic", "alert", "emerg", "severe")
_LOGFMT_LEVEL = re.compile(r"(?:^|\s)(?:level|lvl|severity|loglevel)=\"?([A-Za-z]{1,12})", re.IGNORECASE)
_LOGFMT_MESSAGE = re.compile(r"(?:^|\s)(?:msg|message|err|error)=(\"(?:[^\"\\]|\\.){1,4000}\"|\S{1,4000})")
_KLOG = re.compile(r"^([IWEF])\d{4} \d")
_WORD = re.compile(r"\b(ERROR|ERR|FATAL|CRITICAL|CRIT|SEVERE|PANIC|WARNING|WARN|INFO|DEBUG|TRACE|NOTICE)\b")
_BRACKET = re.compile(r"\[(error|fatal|critical|warning|warn|info|debug)\]", re.IGNORECASE)
_HEAD = 200  # characters within which a line of text names its level


class Line(Struct, frozen=True, kw_only=True):
    """One line: of which service ("" if unknown), how bad, and what it says."""

    service: str
    level: str  # ERROR, WARNING or FINE
    text: str


def line(service: str, said: Mapping[str, object], text: str) -> Line:
    """Read a line; `said` is what the log store knows about it."""
    text = text[:TEXT]
    fields = _json(text)
    level = _of_fields(said)
    if level is None:
        level = _of_fields(fields) if fields is not None else _of_text(text)
    return Line(service=service, level=level or FINE, text=_message(fields, text))


def _json(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _of_fields(fields: Mapping[str, object]) -> str | None:
    """Return the level that fields name; None when they name none."""
    for key in LEVEL_KEYS:
        value = fields.get(key)
        if isinstance(value, str) and (level := _named(value)) is not None:
            return level
        if isinstance(value, int) and not isinstance(value, bool):  # bunyan and pino count: 40 warn, 50 error
            return ERROR if value >= 50 else WARNING if value >= 40 else FINE
    number = fields.get("severity_number")
    if isinstance(number, (int, float, str)) and str(number).isdigit():  # OpenTelemetry: 13 warn, 17 error
        return ERROR if int(str(number)) >= 17 else WARNING if int(str(number)) >= 13 else FINE
    return None


def _named(name: str) -> str | None:
    name = name.strip().casefold()
    if name.startswith(_ERRORS):
        return ERROR
    if name.startswith("warn"):
        return WARNING
    return None if name in ("", "unknown", "unspecified") else FINE


def _of_text(text: str) -> str | None:
    if match := _LOGFMT_LEVEL.search(text[:FIELDS]):
        return _named(match.group(1))
    if match := _KLOG.match(text):
        return {"E": ERROR, "F": ERROR, "W": WARNING}.get(match.group(1), FINE)
    head = text[:_HEAD]
    if match := _WORD.search(head) or _BRACKET.search(head):
        return _named(match.group(1))
    return None


def _message(fields: dict[str, Any] | None, text: str) -> str:
    """Return what a line says, without the fields around it; all of it where that cannot be told."""
    if fields is not None:
        for key in MESSAGE_KEYS:
            if isinstance(value := fields.get(key), str) and value.strip():
                return value
        return text
    if _LOGFMT_LEVEL.search(text[:FIELDS]) and (match := _LOGFMT_MESSAGE.search(text[:FIELDS])):
        return match.group(1).removeprefix('"').removesuffix('"')
    return text
