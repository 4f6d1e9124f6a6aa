"""The timeline: the few rows of both traces that a picture needs, bounded in size.

row "SELECT ... WHERE id = ?"     A  |  ##                    |       # exposed: on the critical path
B  |  ## ## ## ## ## ## ##  |       - running beside it
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from analysis.comparison import Lane, TimelineRow
from analysis.findings.base import label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair
    from analysis.attribute import Attribution, Share
    from analysis.profile import CallGroup, Profile

ROWS = 9
PIECES = 80  # intervals of one lane; more are joined with their nearest neighbour

Interval = tuple[int, int]


def timeline(
    attribution: Attribution, baseline: Profile, suspect: Profile, blamed: list[Pair]
) -> tuple[TimelineRow, ...]:
    """Pick the root, what is blamed and the groups with the largest change, in the order of their calls."""
    shares = attribution.shares
    top = next((s for s in shares if s.pair.baseline and s.pair.suspect), shares[0])
    rest = [s for s in shares if s is not top and (s.baseline.exposed_ns or s.suspect.exposed_ns)]
    rest.sort(key=lambda s: (-abs(s.delta_ns), -max(s.baseline.exposed_ns, s.suspect.exposed_ns), label(s.pair)))
    accused = [attribution.by_pair[id(pair)] for pair in blamed if pair is not top.pair]
    chosen = [top, *accused, *(share for share in rest if share not in accused)][:ROWS]
    order = {id(share): number for number, share in enumerate(_by_depth(shares))}
    exposed = [
        _exposed(baseline, [group for share in chosen for group in share.pair.baseline]),
        _exposed(suspect, [group for share in chosen for group in share.pair.suspect]),
    ]
    return tuple(_row(share, baseline, suspect, exposed) for share in sorted(chosen, key=lambda s: order[id(s)]))


def _by_depth(shares: list[Share]) -> list[Share]:
    """Order shares as a tree is read: callers before what they call, siblings in the order of the alignment."""
    by_pair = {id(share.pair): share for share in shares}
    ordered = []
    stack = [share.pair for share in reversed(shares) if share.pair.parent is None]
    while stack:
        pair = stack.pop()
        ordered.append(by_pair[id(pair)])
        stack.extend(reversed(pair.children))
    return ordered


def _exposed(side: Profile, groups: list[CallGroup]) -> dict[int, list[Interval]]:
    """Return the exposed segments of some groups, by id(group)."""
    of_span = {i: id(group) for group in groups for i in group.spans}
    found: dict[int, list[Interval]] = {}
    for span, start, end in side.path.segments:
        if span in of_span and end > start:
            found.setdefault(of_span[span], []).append((start, end))
    return found


def _row(share: Share, baseline: Profile, suspect: Profile, exposed: list[dict[int, list[Interval]]]) -> TimelineRow:
    pair = share.pair
    depth = 0
    above = pair.parent
    while above is not None and depth < ROWS:
        depth += 1
        above = above.parent
    return TimelineRow(
        label=label(pair),
        service=pair.key.service,
        depth=depth,
        delta_ns=share.delta_ns,
        baseline_calls=share.baseline.calls,
        suspect_calls=share.suspect.calls,
        baseline=_lane(pair.baseline, baseline, exposed[0]),
        suspect=_lane(pair.suspect, suspect, exposed[1]),
    )


def _lane(groups: list[CallGroup], side: Profile, exposed: dict[int, list[Interval]]) -> Lane:
    starts, ends = side.tree.starts, side.tree.ends
    return Lane(
        spans=_joined((starts[i], ends[i]) for group in groups for i in group.spans),
        exposed=_joined(piece for group in groups for piece in exposed.get(id(group), ())),
    )


def _joined(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """Join overlapping intervals, then the nearest ones until few enough are left."""
    merged: list[list[int]] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    if len(merged) > PIECES:
        gaps = sorted(b[0] - a[1] for a, b in pairwise(merged))
        limit = gaps[len(merged) - PIECES - 1]
        kept = [merged[0]]
        for piece in merged[1:]:
            if piece[0] - kept[-1][1] <= limit:
                kept[-1][1] = piece[1]
            else:
                kept.append(piece)
        merged = kept
    return tuple((start, end) for start, end in merged)
