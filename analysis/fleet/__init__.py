"""Two windows of requests instead of two traces: which groups of spans changed, for whom, and what they have in common.

Two traces are one sample each; two windows of the requests of one operation tell a change from chance, find what
strikes one request in ten, and which version, host or customer the slow ones share:

    traces -> window.py       per request: exposed time, calls, errors and attribute values by call path
              change.py       whether a number changed: ranks.py, tables.py, corrected for their number by many.py
              causes.py       which changes explain the others
              separators.py   which values go with the slow requests
              verdict.py      one word, one sentence, how sure and why
              report.py       in lines, for people; markdown.py the same as a document
"""

from analysis.fleet.compare import compare_fleets, compare_windows
from analysis.fleet.markdown import render_fleets_markdown
from analysis.fleet.report import render_fleets
from analysis.fleet.result import FleetComparison
from analysis.fleet.window import Observer, Window, tells

__all__ = [
    "FleetComparison",
    "Observer",
    "Window",
    "compare_fleets",
    "compare_windows",
    "render_fleets",
    "render_fleets_markdown",
    "tells",
]
