"""Numbers over time as a line of text, with the words that say the same. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVELS = "▁▂▃▄▅▆▇█"
GAP = " "
COLUMNS = 24


def sparkline(points: Sequence[tuple[int, float]], columns: int = COLUMNS) -> str:
    """Draw (time, value) as blocks on a scale from 0: each column is the highest of its time, or blank."""
    if not points:
        return ""
    first, last = points[0][0], points[-1][0]
    width = (last - first) / columns or 1
    highest: dict[int, float] = {}
    for at, value in points:
        column = min(columns - 1, int((at - first) / width))
        highest[column] = max(value, highest.get(column, 0.0))
    top = max(highest.values()) or 1.0
    return "".join(
        LEVELS[min(len(LEVELS) - 1, int(highest[column] / top * len(LEVELS)))] if column in highest else GAP
        for column in range(max(highest) + 1)
    )
