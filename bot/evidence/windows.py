"""Around when: two windows of equal length, one around each request, that hold different times. Pure.

A  |....====....|                      B  |....========....|      as long before and after as there is room for
        run                                       run
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from bot.evidence.question import Question

NS = 1_000_000_000
LEAST_S = 1.0  # before and after: less leaves no room for late lines


class Windows(Struct, frozen=True, kw_only=True):
    """When to look on either side (unix ns); `apart` is False where both requests ran at about the same time."""

    baseline: tuple[int, int]
    suspect: tuple[int, int]
    apart: bool

    @property
    def seconds(self) -> int:
        """How long each window is."""
        return round((self.suspect[1] - self.suspect[0]) / NS)


def windows(question: Question, around_s: float) -> Windows:
    """Return the windows of a question."""
    a, b = question.baseline, question.suspect
    first, second = sorted((a, b), key=lambda its: its.start_ns)
    longest = max(its.end_ns - its.start_ns for its in (a, b))
    room = (second.start_ns - first.start_ns - longest) / 2
    apart = room >= LEAST_S * NS
    around = round(min(around_s * NS, room)) if apart else round(around_s * NS)
    length = longest + 2 * around
    return Windows(
        baseline=(a.start_ns - around, a.start_ns - around + length),
        suspect=(b.start_ns - around, b.start_ns - around + length), apart=apart,
    )  # fmt: skip
