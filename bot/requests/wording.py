"""How what was asked for is written for people: times, windows, operations. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from analysis.redact import redacted


def between(window: tuple[int, int], today: int) -> str:
    """Write a window for people, with the date unless it is that of `today` (unix seconds)."""
    start, end = (datetime.fromtimestamp(seconds, tz=UTC) for seconds in window)
    last = end.strftime("%H:%M") if end.date() == start.date() else end.strftime("%Y-%m-%d %H:%M")
    first = moment(window[0], today)
    return first if first.removesuffix(" UTC").endswith(last) else f"{first.removesuffix(' UTC')}-{last} UTC"


def moment(seconds: int, today: int) -> str:
    """Write a time for people, with the date unless it is that of `today` (both unix seconds)."""
    when, day = (datetime.fromtimestamp(each, tz=UTC) for each in (seconds, today))
    return when.strftime("%H:%M UTC" if when.date() == day.date() else "%Y-%m-%d %H:%M UTC")


def named(service: str, operation: str | None) -> str:
    """Write an operation for people, without secrets: names are searched as they were sent, but not shown so."""
    return redacted(f"{service} {operation}" if operation else service)
