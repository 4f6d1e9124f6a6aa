"""A fair sample of the requests of a window, of what searches send: some that match, in an order of their own. Pure.

    window    |-------|-------|-------|-------|-------|-------|-------|-------|
    slices        12       30     full      9      14      11      22      8       each is searched by itself
    narrowed                       =|--|  17                                       full: a piece of it

Where the answer to a slice holds all that matches, nobody chose. Where it is full, the backend chose, by its own order
(the newest, the first block): then a short piece of the slice, at a place that says nothing of its requests, is
searched in its stead, and stands for all of it. Of what was found every slice gives in proportion to its requests, and
of each those whose ids come first when scrambled: random ids make a random choice, the same one every time.
"""

from __future__ import annotations

import itertools
from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis.format import duration
from bot.finding.trend import percent
from bot.sources.base import TraceSummary
from bot.sources.metrics import Totals

if TYPE_CHECKING:
    from collections.abc import Sequence


SLICES = 12
NARROWER = 4  # how much shorter, at least, the piece of a full slice is
FILLED = 0.7  # ... and where the answer held the newest alone, how much of the time that they span
NARROWINGS = 4  # at most
SAMPLE = 200  # traces of each window that are compared: enough to see what strikes one request in ten


class Slice(Struct, frozen=True):
    """A part of a window, and what was found in the piece of it that was searched. Times are unix seconds."""

    whole: tuple[int, int]
    searched: tuple[int, int]
    found: tuple[TraceSummary, ...] = ()
    cut: bool = False  # the answer was full: the backend chose

    @property
    def requests(self) -> float:
        """About how many requests the whole slice has, at least where the answer was cut."""
        piece = self.searched[1] - self.searched[0]
        return len(self.found) * (self.whole[1] - self.whole[0]) / piece

    def narrowed(self) -> Slice | None:
        """Return a shorter piece of it to search in its stead; None when none is worth it."""
        start, end = self.searched
        if end - start <= 1:
            return None
        starts = [its.started_at_ns for its in self.found]
        span_s = (max(starts) - min(starts)) / 1e9 if starts else end - start
        length = max(1, int(min((end - start) / NARROWER, FILLED * span_s)))
        at = start + _scrambled(f"{start}:{end}") % (end - start - length + 1)
        return Slice(self.whole, (at, at + length))


class Sampled(Struct, frozen=True, kw_only=True):
    """What became of one window: how it was searched, and how many of its requests were compared."""

    window: tuple[int, int]
    requests: int  # found, or about as many as there are where `about`
    about: bool  # only pieces were searched
    at_least: bool  # even pieces had more than an answer holds
    unsearched: int  # slices whose search failed
    wanted: int
    fetched: int = 0
    unreadable: int = 0
    totals: Totals | None = None  # all requests, as the backend counts them

    def words(self) -> str:
        """Say how large the sample is: "100 of about 1,200 requests"."""
        used = self.fetched - self.unreadable
        if self.at_least:
            return f"{used:,} of more than {self.requests:,} requests"
        if self.about:
            return f"{used:,} of about {rounded(self.requests):,} requests"
        return f"all {used:,} requests" if used == self.requests else f"{used:,} of {self.requests:,} requests"

    def all_words(self) -> str:
        """Say how all requests of the window went, as the backend counts them; "" where it does not."""
        its = self.totals
        if its is None or not its.requests:
            return ""
        seconds = self.window[1] - self.window[0]
        failed = f", {percent(its.failed_share)} failing" if its.failed_share is not None else ""
        return (
            f"about {rounded(its.requests):,} requests, {rate(its.requests / seconds)}{failed}, "
            f"p50 about {duration(its.middle_ns)}, p95 about {duration(its.tail_ns)}"
        )


def slices(window: tuple[int, int]) -> list[Slice]:
    """Cut a window into slices of about the same length."""
    start, end = window
    number = min(SLICES, end - start)
    ends = [start + (end - start) * i // number for i in range(number + 1)]
    return [Slice(one, one) for one in itertools.pairwise(ends)]


def drawn(found: Sequence[Slice], most: int = SAMPLE) -> list[TraceSummary]:
    """Draw at most `most` traces, from every slice in proportion to its requests, scrambled.

    However far one comes with the list, what was taken until then is a sample of the whole window.
    """
    total = sum(its.requests for its in found)
    ranked = []
    for number, its in enumerate(found):
        share = most * its.requests / total if total else 0.0
        ordered = sorted(its.found, key=lambda summary: _scrambled(summary.trace_id))
        for i, summary in enumerate(ordered):
            if i < share:
                ranked.append(((i + 0.5) / share, number, summary))
    ranked.sort(key=lambda each: each[:2])
    return [summary for _, _, summary in ranked][:most]


def sampled(window: tuple[int, int], found: Sequence[Slice], unsearched: int, wanted: int) -> Sampled:
    """Sum up how a window was searched."""
    return Sampled(
        window=window, requests=round(sum(its.requests for its in found)), wanted=wanted, unsearched=unsearched,
        about=any(its.searched != its.whole for its in found), at_least=any(its.cut for its in found),
    )  # fmt: skip


def rounded(number: int) -> int:
    """Round to two digits: a number that is an estimate is not to look like a count."""
    scale: int = 10 ** max(0, len(str(number)) - 2)
    return int(round(number / scale) * scale)


def rate(per_second: float) -> str:
    """Say a rate: "12/s", "0.7/s", "3/min"."""
    if per_second >= 0.1:
        return f"{per_second:.2g}/s" if per_second < 100 else f"{rounded(round(per_second)):,}/s"
    return f"{per_second * 60:.2g}/min"


def _scrambled(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:8])
