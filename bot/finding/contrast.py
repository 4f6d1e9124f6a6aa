"""What all slow or failing requests of a window share, as a backend counts them, and not a sample alone. Pure.

all of A, as counted     p95 about 512 ms  ---.
v
all of B, as counted     912 at most that long | 136 longer: zone = b in 96 % of these, in 33 % of the others
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.fleet import tells
from analysis.format import duration
from bot.finding.trend import percent
from bot.sources.metrics import Contrast, Picked

if TYPE_CHECKING:
    from analysis.redact import Redactor
    from bot.sources.metrics import Contrasts, Totals

FAILING_MORE = 0.01  # by so much more of B fails than of A: then its failing requests are looked at, else its slow ones
ENOUGH = 30  # picked requests: of fewer, some of the hundreds of values are shared by chance
APART = 0.25  # difference of shares, below which most of the picked requests have another reason
MOST = 3  # values told: further ones repeat them
LONGEST = 120  # characters of a value that says something: longer ones are statements and messages


class Apart(Struct, frozen=True, kw_only=True):
    """What sets some of all requests of B apart. `values`: most telling first; empty where nothing does."""

    picked: Picked
    requests: int  # picked
    others: int
    values: tuple[Contrast, ...]

    def words(self, source: str) -> str:
        """Say it: which requests these are, how many, and what they share."""
        limit = self.picked.slower_than_ns
        which = "failed" if limit is None else f"took longer than {duration(limit)}"
        of = f"{self.requests:,} of all {self.requests + self.others:,} requests of B {which}, as {source} counts"
        if not self.values:
            return f"{of}: no value of an attribute sets them apart"
        shared = (
            f"{its.attribute} = {its.value} in {percent(its.picked_share)} of these, "
            f"{percent(its.other_share)} of the others"
            for its in self.values
        )
        return f"{of}: {'; '.join(shared)}"


def picked(a: Totals | None, b: Totals | None) -> Picked | None:
    """Choose which requests of B to look at, from how all of both windows went; None where that is not known."""
    if a is None or b is None or not a.requests or not b.requests:
        return None
    if (b.failed_share or 0.0) - (a.failed_share or 0.0) >= FAILING_MORE:
        return Picked(slower_than_ns=None)
    return Picked(slower_than_ns=a.tail_ns) if b.tail_ns > a.tail_ns > 0 else None


def apart(its: Picked, found: Contrasts, redactor: Redactor) -> Apart | None:
    """Keep what is worth telling; None where too few requests were picked."""
    if found.picked < ENOUGH or not found.others:
        return None
    telling = [
        one for one in found.values
        if tells(one.attribute) and len(one.value) <= LONGEST and one.picked_share - one.other_share >= APART
    ]  # fmt: skip
    telling.sort(key=lambda one: (one.other_share - one.picked_share, one.attribute, one.value))
    values = tuple(
        Contrast(
            redactor.text(one.attribute), redactor.value(one.attribute, one.value), one.picked_share, one.other_share
        )
        for one in telling[:MOST]
    )
    return Apart(picked=its, requests=found.picked, others=found.others, values=values)
