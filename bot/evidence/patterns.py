"""Which errors and warnings are new, or much more frequent, around the suspect. Pure.

Lines are put together into templates (by Drain, "An Online Log Parsing Approach with Fixed Depth Tree"), those of both
times in one go, and counted on either side of equal windows. Without a difference a line falls on either side like a
coin, so that of n lines of a template b or more lie around the suspect with P = sum of C(n, k) / 2^n for k >= b; a
template counts where that is less than `CHANCE`, shared out among all templates, and b at least `MORE` times a. What
the suspect itself logged, and the baseline did not, needs no chance to be excluded.
"""

from __future__ import annotations

import re
from collections import Counter
from math import comb
from typing import TYPE_CHECKING

from drain3.drain import Drain
from msgspec import Struct

from analysis.redact import redacted
from bot.evidence.lines import ERROR, FINE, Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


CHANCE = 0.01
MORE = 3
MOST = 5  # patterns that are told
SAMPLE = 300  # characters
TEMPLATES = 1_000  # of one service; beyond them the oldest are forgotten
HEAD = 400  # characters of a line that make its template
NUMBER = "#"  # a word like any other to Drain, which takes its own wildcards for no likeness
_VARIABLE = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|\b(?:0x)?[0-9a-fA-F]*\d[0-9a-fA-F]*\b|\d+(?:[.:,]\d+)*"
)
_TIME = re.compile(r"^\W{0,2}\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?\s*")


class Lines(Struct, frozen=True, kw_only=True):
    """The lines of one side: around its request (all, or the last of very many), and of its own trace."""

    around: tuple[Line, ...] = ()
    own: tuple[Line, ...] = ()
    cut: bool = False  # there were more around than were read


class Pattern(Struct, frozen=True, kw_only=True):
    """Lines that say the same, around each request; `own`: the suspect itself logged one, the baseline none."""

    service: str
    level: str
    sample: str  # one of them, redacted
    baseline: int
    suspect: int
    own: bool


def new_patterns(
    baseline: Lines, suspect: Lines, *, apart: bool, redact: Callable[[str], str] = redacted
) -> tuple[Pattern, ...]:
    """Compare the logs of both sides; `apart`: their windows hold different times, so that counting means something."""
    miner = _Miner(redact)
    counts: list[Counter[tuple[str, str, int]]] = [
        miner.counted(lines) for lines in (baseline.around, suspect.around, baseline.own, suspect.own)
    ]
    a, b, own_a, own_b = counts
    kinds = set().union(*counts)
    found = []
    for kind in kinds:
        # A side of which only the last lines were read cannot be said to lack any.
        more = apart and not baseline.cut and _more(a[kind], b[kind], len(kinds))
        own = own_b[kind] > 0 and not own_a[kind] and (not apart or b[kind] >= MORE * a[kind])
        if more or own:
            service, level, _ = kind
            found.append(
                Pattern(
                    service=service, level=level, sample=miner.sample(kind), baseline=a[kind] if apart else 0,
                    suspect=b[kind] if apart else 0, own=own,
                )
            )  # fmt: skip
    found.sort(key=lambda its: (its.level != ERROR, not its.own, its.baseline - its.suspect, its.service, its.sample))
    return tuple(found[:MOST])


def _more(a: int, b: int, templates: int) -> bool:
    n = a + b
    if b < MORE * max(1, a):
        return False
    if n > 200:
        return True  # three times as many of so many are never chance
    rarer = sum(comb(n, k) for k in range(b, n + 1))
    return rarer < CHANCE / max(1, templates) * float(2**n)


class _Miner:
    """Puts errors and warnings together that say the same."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._drains: dict[str, Drain] = {}
        self._samples: dict[tuple[str, str, int], str] = {}

    def counted(self, lines: Iterable[Line]) -> Counter[tuple[str, str, int]]:
        """Count lines by service, level and template; what is fine is left out."""
        counts: Counter[tuple[str, str, int]] = Counter()
        for line in lines:
            if line.level == FINE:
                continue
            drain = self._drains.setdefault(line.service, Drain(max_clusters=TEMPLATES))
            cluster, _ = drain.add_log_message(_masked(line.text))
            kind = (line.service, line.level, cluster.cluster_id)
            counts[kind] += 1
            self._samples.setdefault(kind, line.text)
        return counts

    def sample(self, kind: tuple[str, str, int]) -> str:
        """Return a line of a kind, in which nothing sensitive is left: found before anything is cut off."""
        return _TIME.sub("", " ".join(self._redact(self._samples[kind]).split()))[:SAMPLE]


def _masked(text: str) -> str:
    """Return the first line of a text, its numbers and ids made alike."""
    first = next((each for each in text[: 2 * HEAD].splitlines() if each.strip()), "")[:HEAD]
    return " ".join(_VARIABLE.sub(NUMBER, _TIME.sub("", first)).split()) or NUMBER
