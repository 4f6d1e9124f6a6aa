"""Durations: a span that ends before it starts lasted no time at all."""

from __future__ import annotations

from operator import lt
from typing import TYPE_CHECKING

from analysis.notes import Severity

if TYPE_CHECKING:
    from analysis.repair.draft import Draft


def mend_durations(draft: Draft) -> None:
    """Take negative durations as zero."""
    starts, ends = draft.starts, draft.ends
    if not any(map(lt, ends, starts)):
        return
    negative = 0
    for i, start in enumerate(starts):
        if ends[i] < start:
            ends[i] = start
            negative += 1
    draft.note(
        "negative-durations",
        Severity.WARNING,
        negative,
        "spans ended before they started; their duration was taken as zero",
    )
