"""Finding traces: the typical ones to compare a trace with, and the trace that shows what an alert is about.

`choosing` and `trend` are pure: where to look, what to take of what was found, how requests went over time. `place`,
`typical` and `exemplar` ask the sources.
"""

from __future__ import annotations

from bot.finding.exemplar import Exemplar, find_exemplar
from bot.finding.place import Place
from bot.finding.trend import Trend
from bot.finding.typical import Others, find_others

__all__ = ["Exemplar", "Others", "Place", "Trend", "find_exemplar", "find_others"]
