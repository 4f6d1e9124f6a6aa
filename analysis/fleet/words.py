"""Words for what changed in two windows of requests; every text of the traces in them is redacted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.fleet.result import Affected, Change
from analysis.fleet.window import MAX_PATH, PathName
from analysis.format import change as signed
from analysis.format import count, duration, share
from analysis.model import SpanKind

if TYPE_CHECKING:
    from analysis.fleet.causes import Group
    from analysis.redact import Redactor

SCALE = 10_000  # shares are kept to four digits
NONE_ARE = 0.0005  # a share below this is none


class Labels:
    """What call paths are called, as it may be shown."""

    def __init__(self, names: dict[str, PathName], redactor: Redactor) -> None:
        self.names = names
        self.redactor = redactor

    def name(self, path: str) -> PathName:
        """Return what a call path is called; its own short name when no trace of it was seen."""
        known = self.names.get(path)
        if known is None:
            return PathName("", "", f"call path {path}", SpanKind.UNSPECIFIED, "")
        text = self.redactor.text
        return PathName(known.parent, text(known.service), text(known.operation), known.kind, text(known.detail))

    def path(self, path: str) -> tuple[tuple[str, str, str], ...]:
        """Return the chain of (service, operation, kind) from the root to a call path, bounded."""
        chain: list[tuple[str, str, str]] = []
        while path in self.names and len(chain) < MAX_PATH:
            name = self.name(path)
            chain.append((name.service, name.operation, name.kind.value))
            path = name.parent
        return tuple(reversed(chain))

    def __call__(self, path: str) -> str:
        """Say a call path: "SELECT in catalog"."""
        name = self.name(path)
        return f"{name.operation} in {name.service}" if name.service else name.operation


def percent(part: float) -> str:
    """Say a share (0 to 1) in per cent."""
    if 0 < part < 0.1:
        return f"{max(0.1, 100 * part):.1f} %"
    return share(round(part * SCALE), SCALE)


def summary(group: Group, label: str) -> str:
    """Say in one sentence what changed about a group of spans."""
    said = [
        say(change)
        for change, say in ((group.errors, errors), (group.calls, calls), (group.time, time))
        if change is not None
    ]
    return f"{label} {', '.join(said)}"


def time(change: Change) -> str:
    """Say how much longer requests are held up, or how many of them."""
    if change.affected is not Affected.SOME:
        instead = f"{duration(change.suspect_median)} instead of {duration(change.baseline_median)}"
        part = change.affected is Affected.PRESENT
        requests = f"the {percent(change.suspect_present)} of requests that wait for it" if part else "requests"
        return f"holds {requests} up {instead} ({interval(change)})"
    typical = change.suspect_above_median if change.mean_delta > 0 else change.baseline_above_median
    return (
        f"holds up {percent(change.suspect_above)} of requests for more than {duration(change.limit)} instead of "
        f"{percent(change.baseline_above)}, typically {duration(typical)}"
    )


def interval(change: Change) -> str:
    """Say the shift of the typical request and how far it is known."""
    moved = change.shift
    return f"{signed(moved.value)}, 95 % sure of {signed(moved.low)} to {signed(moved.high)}"


def calls(change: Change) -> str:
    """Say how often the group is called."""
    low, high = change.baseline_above, change.suspect_above
    if change.limit == 0:
        if low < NONE_ARE:
            return f"is new: called by {percent(high)} of requests"
        if high < NONE_ARE:
            return f"is gone: {percent(low)} of requests called it"
        return f"is called by {percent(high)} of requests instead of {percent(low)}"
    if change.affected is Affected.ALL and change.baseline_median != change.suspect_median:
        return f"is called {count(change.suspect_median, 'time')} instead of {change.baseline_median}"
    more = "once" if change.limit == 1 else count(change.limit, "time")
    return f"is called more than {more} by {percent(high)} of requests instead of {percent(low)}"


def errors(change: Change) -> str:
    """Say how many requests have errors there."""
    return f"fails in {percent(change.suspect_above)} of requests instead of {percent(change.baseline_above)}"


def response(change: Change) -> str:
    """Say how the response time changed."""
    if change.affected is Affected.SOME:
        return (
            f"{percent(change.suspect_above)} of requests take more than {duration(change.limit)}, "
            f"{percent(change.baseline_above)} did"
        )
    return f"median {duration(change.baseline_median)} -> {duration(change.suspect_median)} ({interval(change)})"
