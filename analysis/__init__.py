"""The engine of Compare Traces: what is different between these two requests, and why?

    from analysis import compare, decode

    result = compare(decode(healthy_bytes), decode(slow_bytes))
    print(result.verdict.headline)

Pure: bytes in, values out; no network, no clock, no files. Its only dependency is msgspec.
"""

from analysis.compare import compare
from analysis.comparison import Comparison
from analysis.decode import decode, decode_many
from analysis.errors import AnalysisError, DecodeError, EmptyTraceError, PopulationError
from analysis.fleet import FleetComparison, compare_fleets, render_fleets, render_fleets_markdown
from analysis.model import Trace, WireFormat
from analysis.options import DEFAULTS, CompareOptions
from analysis.population import Population
from analysis.render_markdown import render_markdown
from analysis.render_text import render_text
from analysis.root_call import RootCall

__version__ = "0.1.0"

__all__ = [
    "DEFAULTS",
    "AnalysisError",
    "CompareOptions",
    "Comparison",
    "DecodeError",
    "EmptyTraceError",
    "FleetComparison",
    "Population",
    "PopulationError",
    "RootCall",
    "Trace",
    "WireFormat",
    "__version__",
    "compare",
    "compare_fleets",
    "decode",
    "decode_many",
    "render_fleets",
    "render_fleets_markdown",
    "render_markdown",
    "render_text",
]
