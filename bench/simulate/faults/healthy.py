"""Pairs without a fault, pairs that are no pairs, and faults seen the other way round or two at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.simulate.conditions import Conditions
from bench.simulate.faults import calls, errors, network, processes, work
from bench.simulate.faults.base import Plan, Scene, fault, operation_of
from bench.simulate.instrumentation import Recording

if TYPE_CHECKING:
    from collections.abc import Callable

TURNED = (work.slow_operation, work.slow_statement, calls.n_plus_one, network.edge_delay, errors.retries_succeed,
          calls.lost_parallelism)  # fmt: skip
TWO = (work.slow_operation, work.slow_statement, network.edge_delay)


@fault
def healthy(scene: Scene) -> Plan | None:
    """Two ordinary requests of one operation."""
    del scene
    return Plan((), ("none",), mode="none")


@fault
def healthy_other_instances(scene: Scene) -> Plan | None:
    """Two ordinary requests that met other replicas."""
    pins = {s.name: s.instances[0] for s in scene.world.services}
    others = {s.name: s.instances[-1] for s in scene.world.services}
    if all(len(s.instances) == 1 for s in scene.world.services):
        return None
    return Plan((), ("none",), Conditions(pins=others), baseline_conditions=Conditions(pins=pins), mode="none")


@fault
def healthy_new_version(scene: Scene) -> Plan | None:
    """A release without any effect on this request."""
    service = scene.rng.choice(scene.servers()).instance.service
    return Plan(
        (), ("none",), recording=Recording(versions={service.name: "9.2.0"}), mode="none", also_right=("changed",)
    )


@fault
def same_trace_twice(scene: Scene) -> Plan | None:
    """One trace, given twice."""
    del scene
    return Plan((), ("none",), mode="identical")


@fault
def different_operations(scene: Scene) -> Plan | None:
    """Two requests of different operations of one service."""
    return Plan((), ("none",), mode="different", other_root=scene.world.sibling)


@fault
def part_of_the_request(scene: Scene) -> Plan | None:
    """B is a request of an operation that A calls somewhere, for a small part of its time."""
    small = [s for s in scene.servers()[1:] if s.ms < 0.5 * scene.baseline.ms]
    server = scene.pick(small)
    return Plan((), ("none",), mode="different", other_root=operation_of(server)) if server is not None else None


@fault
def improvement(scene: Scene) -> Plan | None:
    """A had a fault, B has not: what got better?"""
    choice: Callable[[Scene], Plan | None] = scene.rng.choice(TURNED)
    plan = choice(scene)
    if plan is not None:
        plan.swapped = True
        plan.kinds = (*plan.kinds, "removed_calls")
    return plan


@fault
def two_faults(scene: Scene) -> Plan | None:
    """Two faults at once, of any sizes."""
    first, second = scene.rng.choice(TWO)(scene), scene.rng.choice(TWO)(scene)
    if first is None or second is None:
        return None
    both = Conditions(
        replace={**first.conditions.replace, **second.conditions.replace},
        insert={**first.conditions.insert, **second.conditions.insert},
        edges=first.conditions.edges + second.conditions.edges,
    )
    services = tuple({*first.services, *second.services})
    kinds = tuple({*first.kinds, *second.kinds})
    return Plan(services, kinds, both, operations=("*",) if set(first.services) & set(second.services) else ())


@fault
def throttled_with_new_version(scene: Scene) -> Plan | None:
    """A pod is throttled, and an innocent service was released at the same time."""
    plan = processes.cpu_throttled(scene)
    others = sorted({a.instance.service.name for a in scene.waited()} - set(plan.services if plan else ()))
    if plan is None or not others:
        return None
    plan.recording = Recording(versions={scene.rng.choice(others): "9.3.0"})
    return plan
