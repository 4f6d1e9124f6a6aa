"""Deployments and other changes of a service between the two requests, as metrics and logs show them. Pure.

version="1.4.2"   #############            a label whose value is another one for most of what is counted:
version="1.5.0"            ##########      it changed when the new one was first seen
                  A        |        B
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.evidence.prometheus import Series
    from bot.evidence.question import Question

STEP_S = 60
LOOKBACK_S = 6 * 3600  # before the suspect: what was changed earlier would have shown earlier
BEFORE_S = 300  # before the baseline: what it was then
VALUE = 80  # characters of a value that are shown
NS = 1_000_000_000
Change = tuple[int, str, str]  # (unix seconds, before, after)


def between(question: Question) -> tuple[int, int] | None:
    """Return the time (unix seconds) in which a change can have made the difference; None where B ran first."""
    start, end = question.baseline.start_ns // NS, question.suspect.start_ns // NS
    return (max(start, end - LOOKBACK_S), end) if start < end else None


def window(time: tuple[int, int]) -> tuple[int, int]:
    """Return the time to look at: what was the case before it belongs to it."""
    return time[0] - BEFORE_S, time[1] + STEP_S


def changes(series: Sequence[Series], label: str, time: tuple[int, int], redact: Callable[[str], str]) -> list[Change]:
    """Return what changed within a time; `label` "": the value of the first line itself is what changes."""
    found = _of_label(series, label) if label else _of_value(series)
    return [
        (at, redact(before)[:VALUE], redact(after)[:VALUE]) for at, before, after in found if time[0] <= at <= time[1]
    ]


def _of_label(series: Sequence[Series], label: str) -> list[Change]:
    first: dict[str, int] = {}
    by_time: dict[int, dict[str, float]] = {}
    for its in series:
        name = its.labels.get(label, "")
        for at, value in its.points:
            if name and value > 0:
                first[name] = min(at, first.get(name, at))
                counts = by_time.setdefault(at, {})
                counts[name] = counts.get(name, 0.0) + value
    found: list[Change] = []
    now = ""
    for _, counts in sorted(by_time.items()):
        most = max(counts, key=lambda name: (counts[name], name == now, name))
        if now and most != now:
            found.append((first[most], now, most))
        now = most
    return found


def _of_value(series: Sequence[Series]) -> list[Change]:
    points = series[0].points if series else ()
    return [(at, f"{before:g}", f"{after:g}") for (_, before), (at, after) in pairwise(points) if before != after]
