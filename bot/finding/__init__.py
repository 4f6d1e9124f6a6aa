"""Finding traces: the typical ones to compare a trace with, and the trace that shows what an alert is about.

`choosing` is pure: where to look, and what to take of what was found. `typical` and `exemplar` ask the sources.
"""

from __future__ import annotations

from bot.finding.exemplar import Exemplar, find_exemplar
from bot.finding.place import Place
from bot.finding.typical import Others, find_others

__all__ = ["Exemplar", "Others", "Place", "find_exemplar", "find_others"]
