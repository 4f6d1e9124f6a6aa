"""Populations: what is usual for an operation, learnt from its recent requests.

Two traces are one sample each; healthy requests of one operation easily differ by half. A population of 20 to
200 recent traces tells a change from that variation:

    traces -> reduced.py   numbers per call path: small, without any text of the traces, stored and merged
              spread.py    what is usual for one number: median, spread, percentiles
              typical.py   the request that is most like all others
              onset.py     since when requests are slower
              norms.py     the population as one comparison sees it
"""

from analysis.population.norms import Norms, Recent, recent
from analysis.population.reduced import Population
from analysis.population.sample import Sample

__all__ = ["Norms", "Population", "Recent", "Sample", "recent"]
