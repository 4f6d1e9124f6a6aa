"""Many questions at once: what of their answers is left when chance may answer some of them.

Of 60 groups of spans without any change, three pass a test at 5 %. Benjamini and Hochberg ("Controlling the False
Discovery Rate", Journal of the Royal Statistical Society B 57, 1995) order the m probabilities and compare the i-th
smallest with i/m of what chance may make up:

    p |                  .  x
      |              . x            below the line up to here: changes
      |          . x
      |     x. x
      | x.x                         . the line  i/m * chance
      +------|------------------> i

Where nothing changed at all, any alarm is then at most as probable as `chance`: exactly so where the questions are
independent of each other or move together (Benjamini and Yekutieli, "The Control of the False Discovery Rate in
Multiple Testing under Dependency", Annals of Statistics 29, 2001), as groups of one request mostly do; for the rest,
`bench/fleet.py` counts the alarms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def adjusted(chances: Sequence[float]) -> list[float]:
    """Return each probability adjusted for their number: to be compared with what chance may make up."""
    order = sorted(range(len(chances)), key=chances.__getitem__, reverse=True)
    found = [1.0] * len(chances)
    lowest = 1.0
    for beyond, i in enumerate(order):
        lowest = min(lowest, chances[i] * len(chances) / (len(chances) - beyond))
        found[i] = lowest
    return found
