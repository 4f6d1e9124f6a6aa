"""Faults of a process or its machine: it stands still, or is slow in all it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.simulate.conditions import Conditions, Stalls
from bench.simulate.faults.base import Plan, Scene, fault, name

if TYPE_CHECKING:
    from bench.simulate.execution import Activity

SHOWN_AS = ("self_time_increase", "wait_gap", "network")


@fault
def cpu_throttled(scene: Scene) -> Plan | None:
    """A pod may run only part of the time: it stalls again and again, wherever it happens to be."""
    server = scene.pick(scene.servers())
    if server is None:
        return None
    period = scene.rng.choice((60.0, 100.0, 150.0))
    stall = min(0.9 * period, max(5.0, scene.amount_ms))
    begin = scene.rng.uniform(server.arrived - stall, server.end)
    first = begin - period * (begin // period) if begin > period else begin
    horizon = scene.healthy.ms * 60 + 2_000
    windows = [(first + i * period, first + i * period + stall) for i in range(int(min(5_000, horizon / period)) + 1)]
    conditions = Conditions(stalls={server.instance.pod: Stalls(windows)})
    return _of_service(server.instance.service.name, conditions)


@fault
def process_pause(scene: Scene) -> Plan | None:
    """One process stands still once (garbage collection, a snapshot): all its spans stretch over one instant."""
    server = scene.pick(scene.servers())
    if server is None:
        return None
    at = scene.rng.uniform(server.start, server.end)
    conditions = Conditions(stalls={server.instance.pod: Stalls([(at, at + scene.amount_ms)])})
    return _of_service(server.instance.service.name, conditions)


@fault
def slow_instance(scene: Scene) -> Plan | None:
    """One replica is slow in everything; A met another replica where there is one."""
    server = scene.pick(scene.servers())
    if server is None:
        return None
    service = server.instance.service
    own = sum(_own_ms(a) for a in scene.waited() if a.instance.service is service and a.role in ("server", "inner"))
    factor = 1 + scene.amount_ms / max(0.2, own)
    bad, *others = scene.rng.sample(service.instances, len(service.instances))
    baseline = Conditions(pins={service.name: others[0]} if others else {service.name: bad})
    plan = _of_service(service.name, Conditions(pins={service.name: bad}, slow_pods={bad.pod: min(factor, 500)}))
    plan.baseline_conditions = baseline
    return plan


def _own_ms(activity: Activity) -> float:
    return max(0.0, activity.ms - sum(c.ms for c in activity.children if not c.asynchronous))


def _of_service(service: str, conditions: Conditions) -> Plan:
    """Blame a service: its own spans or those of calls to it."""
    return Plan(
        (service,), SHOWN_AS, conditions, operations=("@service",), notes=f"spans of {service} or of calls to it"
    )


@fault
def noisy_node(scene: Scene) -> Plan | None:
    """Every pod on one node is slow: several services are, by the same factor."""
    server = scene.pick(scene.servers())
    if server is None:
        return None
    host = server.instance.host
    here = {a.instance.pod: a for a in scene.waited() if a.instance.host == host}
    own = sum(_own_ms(a) for a in scene.waited() if a.instance.pod in here and a.role in ("server", "inner"))
    factor = min(500.0, 1 + scene.amount_ms / max(0.2, own))
    services = tuple(sorted({name(a) for a in here.values()}))
    return Plan(services, SHOWN_AS, Conditions(slow_pods=dict.fromkeys(here, factor)), operations=("@service",))
