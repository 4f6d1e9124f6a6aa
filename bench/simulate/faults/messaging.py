"""Faults of queues and consumers: the root answers as ever, the work behind it is late."""

from __future__ import annotations

from dataclasses import replace

from bench.simulate.conditions import Conditions
from bench.simulate.faults.base import SLOW, Plan, Scene, fault
from bench.simulate.program import Operation, Publish, Work


def _publish(scene: Scene) -> tuple[Operation, Publish] | None:
    both = scene.in_both()
    return scene.pick([(o, p) for o, p in scene.steps(Publish) if p.id in both])


@fault
def queue_delay(scene: Scene) -> Plan | None:
    """A message waits long before it is consumed."""
    found = _publish(scene)
    if found is None:
        return None
    operation, step = found
    late = max(100.0, scene.amount_ms)
    kinds = ("messaging_delay", "wait_gap")
    services = (step.consumer.service.name, operation.service.name)
    plan = Plan(services, kinds, Conditions(lag_ms={step.id: late}), mode="completion")
    plan.operations = (f"@{step.id}",)
    return plan


@fault
def slow_consumer(scene: Scene) -> Plan | None:
    """The consumer of a message takes long."""
    found = _publish(scene)
    if found is None:
        return None
    _, step = found
    slow = replace(Work(next(scene.ids), max(100.0, scene.amount_ms)), faulty=True)
    conditions = Conditions(insert={step.consumer.id: [(scene.place(), slow)]})
    return Plan((step.consumer.service.name,), (*SLOW, "messaging_delay"), conditions, mode="completion")
