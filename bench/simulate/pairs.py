"""Labelled pairs and populations: the simulator's front door.

pair = make_pair("n_plus_one", seed=7)          # None when that system has no place for the fault
recent = healthy_traces(seed=7, number=40)
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

from bench.simulate.execution import Request, execute
from bench.simulate.faults import FAULTS, Scene
from bench.simulate.faults.base import RATIO_WEIGHTS, RATIOS
from bench.simulate.instrumentation import record
from bench.simulate.labels import Label, Run, make_label
from bench.simulate.topology import make_world

if TYPE_CHECKING:
    from analysis.model import Trace
    from bench.simulate.conditions import Conditions
    from bench.simulate.faults.base import Plan
    from bench.simulate.instrumentation import Recording
    from bench.simulate.program import World


@dataclass(frozen=True, slots=True)
class Pair:
    """Two traces and what is true about them."""

    fault: str
    seed: int
    baseline: Trace
    suspect: Trace
    label: Label


def make_pair(fault: str, seed: int) -> Pair | None:
    """Simulate a pair with a fault; None when the system of the seed has no place for it."""
    world = _world(seed)
    first, second = _request(world, seed, 1), _request(world, seed, 2)
    plan = _plan(fault, seed)
    if plan is None:
        return None
    undisturbed = execute(world, second, plan.baseline_conditions).ms
    a = _run(world, first, plan.baseline_conditions, plan.baseline_recording)
    second = replace(second, size=second.size * plan.size)
    b = _run(world, second, plan.conditions, plan.recording)
    if plan.mode == "identical":
        b = a
    elif plan.other_root is not None:
        b = _run(replace(world, root=plan.other_root), second, plan.conditions, plan.recording)
    if plan.swapped:
        a, b = b, a
    return Pair(fault, seed, a.trace, b.trace, make_label(fault, plan, a, b, undisturbed))


def healthy_traces(seed: int, number: int) -> list[Trace]:
    """Return recent healthy traces of the system of a seed: what a pair of that seed is to be judged against."""
    world = _world(seed)
    found = []
    for index in range(number):
        request = _request(world, seed, 100 + index)
        found.append(record(world, execute(world, request), request.seed).trace)
    return found


def troubled_traces(fault: str, seed: int, number: int) -> list[Trace]:
    """Return other requests of the system of a seed while the fault of that seed's pair is there."""
    world, plan = _world(seed), _plan(fault, seed)
    requests = [_request(world, seed, 10_000 + index) for index in range(number if plan else 0)]
    return [_run(world, request, plan.conditions, plan.recording).trace for request in requests if plan]


def _plan(fault: str, seed: int) -> Plan | None:
    world = _world(seed)
    rng = random.Random(hash((seed, crc32(fault.encode()))))
    scene = Scene(
        world=world, rng=rng, baseline=execute(world, _request(world, seed, 1)),
        healthy=execute(world, _request(world, seed, 2)), ratio=rng.choices(RATIOS, RATIO_WEIGHTS)[0],
    )  # fmt: skip
    return FAULTS[fault](scene)


@lru_cache(maxsize=64)
def _world(seed: int) -> World:
    return make_world(seed)


def _request(world: World, seed: int, number: int) -> Request:
    size = random.Random(hash((seed, number, 9))).lognormvariate(0.0, world.size_spread)
    return Request(hash((seed, number)), size)


def _run(world: World, request: Request, conditions: Conditions, recording: Recording) -> Run:
    root = execute(world, request, conditions)
    return Run(root, record(world, root, request.seed, recording))
