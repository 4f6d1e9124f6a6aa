"""The faults: each a function from a scene (a healthy request) to a plan (what goes wrong, and the truth about it)."""

from bench.simulate.faults import calls, capture, errors, healthy, messaging, network, processes, work
from bench.simulate.faults.base import FAULTS, Plan, Scene

__all__ = [
    "FAULTS",
    "Plan",
    "Scene",
    "calls",
    "capture",
    "errors",
    "healthy",
    "messaging",
    "network",
    "processes",
    "work",
]
