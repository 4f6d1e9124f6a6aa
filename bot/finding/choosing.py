"""Where to look for traces, what to take of what was found, and how to say it. Pure.

    |---- 6 days ----|--- 18 h ---|-- 4 h --|- 1.5 h -|- 30 min -|-| suspect
      looked at last                          looked at first    second: at most 5 min

All but that one begin and end at whole 5 minutes: questions about neighbours search, and fetch, the same.

The requests just before a suspect may be part of the same trouble. A window in which most are like the suspect is
passed over while an earlier one can still tell what is usual.
"""

from __future__ import annotations

import difflib
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING

from analysis.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis import RootCall
    from bot.sources.base import TraceSummary

REACHES_S = (1800, 2 * 3600, 6 * 3600, 24 * 3600, 168 * 3600)  # how far back, step by step; no backend keeps all
SHARED_S = 300  # suspects within as much of each other are compared with the same requests
AFTER_S = 24 * 3600  # how far forward, when nothing ran before
DAY_S = 24 * 3600
ENOUGH = 20  # traces after which no further window is looked at
FEW = 3  # traces of which nothing can be said in general
SAMPLE = 40  # traces that are fetched: enough for a 95th percentile worth its name
SLOWER_RATIO, SLOWER_NS = 1.5, 20_000_000  # as the engine: less than both is normal variation
CLOSE = 3  # names proposed for one that is not known


def windows_before(started_at_ns: int) -> list[tuple[int, int]]:
    """Return the windows (unix seconds) before a request, in the order in which to look: above."""
    end = -(-started_at_ns // 1_000_000_000)
    shared = end // SHARED_S * SHARED_S
    first, *farther = [(shared - far, shared - near) for near, far in pairwise((0, *REACHES_S))]
    return [first, *([(shared, end)] if end > shared else []), *farther]


def window_after(started_at_ns: int) -> tuple[int, int]:
    """Return the window after a request."""
    start = started_at_ns // 1_000_000_000
    return start, start + AFTER_S


def like(suspect: RootCall, found: Sequence[TraceSummary]) -> bool:
    """Tell whether most of the requests are as slow, or as failed, as the suspect: then they explain nothing."""
    if len(found) < FEW:
        return False
    if suspect.failed and sum(summary.has_errors is True for summary in found) * 2 >= len(found):
        return True
    # Backends that do not say how long the root took say how long the whole trace did.
    took_ns = suspect.completion_ns if found[0].matched_ns is None else suspect.response_ns
    usual = median(summary.took_ns for summary in found)
    return not suspect.failed and took_ns <= max(usual * SLOWER_RATIO, usual + SLOWER_NS)


def spread(found: Sequence[TraceSummary], most: int = SAMPLE) -> list[TraceSummary]:
    """Take at most `most` traces, evenly over the time in which they ran."""
    ordered = sorted(found, key=lambda summary: (summary.started_at_ns, summary.trace_id))
    if len(ordered) <= most:
        return ordered
    return [ordered[i * (len(ordered) - 1) // (most - 1)] for i in range(most)]


def span_of(found: Sequence[TraceSummary]) -> tuple[int, int]:
    """Return the time (unix seconds) from the first to the last of the traces."""
    starts = [summary.started_at_ns // 1_000_000_000 for summary in found]
    return min(starts), max(starts) + 1


def around(windows: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """Return the time from the first window's start to the last one's end; None without any."""
    return (min(start for start, _ in windows), max(end for _, end in windows)) if windows else None


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return the sentence that helps with a name that is not known: those that are close, else some that are."""
    folded, by_folded = name.casefold(), {each.casefold(): each for each in known}
    close = difflib.get_close_matches(folded, by_folded, n=CLOSE, cutoff=0.6)
    close += [each for each in by_folded if each not in close and (each in folded or folded in each)]
    if close:
        return f"Did you mean {' or '.join(redacted(by_folded[each]) for each in close[:CLOSE])}?"
    some = redacted(", ".join(list(known)[:CLOSE]))
    return f"It has, among others: {some}." if len(known) > CLOSE else f"It has: {some}." if known else "It has none."
