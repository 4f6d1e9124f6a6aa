"""Traces that lie or lack: clocks that disagree, services that sent nothing, new names; with and without a fault."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench.simulate import naming
from bench.simulate.faults import calls, network, work
from bench.simulate.faults.base import Plan, Scene, fault, operation_of
from bench.simulate.instrumentation import Recording

if TYPE_CHECKING:
    from collections.abc import Callable

REAL = (work.slow_operation, work.slow_statement, network.edge_delay, calls.n_plus_one)


def _nothing() -> Plan:
    return Plan((), ("none",), mode="none")


def _real(scene: Scene) -> Plan | None:
    """Plan one of a few ordinary faults."""
    choice: Callable[[Scene], Plan | None] = scene.rng.choice(REAL)
    return choice(scene)


def _others(scene: Scene, plan: Plan) -> list[str]:
    """Return the services that took part, without the root's and the blamed ones."""
    taken = {scene.world.root.service.name, *plan.services}
    return sorted({a.instance.service.name for a in scene.waited()} - taken)


def _skewed(scene: Scene, plan: Plan | None) -> Plan | None:
    names = sorted({a.instance.service.name for a in scene.waited()} - {scene.world.root.service.name})
    if plan is None or not names:
        return None
    skews = {
        scene.pick(names) or names[0]: scene.rng.choice((-1, 1)) * scene.rng.choice((3.0, 20.0, 80.0, 500.0, 9_000.0))
    }
    plan.recording.skew_ms = skews
    if scene.rng.random() < 0.3:
        plan.baseline_recording.skew_ms = dict(skews)
    return plan


@fault
def healthy_skewed(scene: Scene) -> Plan | None:
    """Nothing is wrong but a clock."""
    return _skewed(scene, _nothing())


@fault
def skewed_fault(scene: Scene) -> Plan | None:
    """A fault, and a wrong clock."""
    plan = _skewed(scene, _real(scene))
    if plan is not None and plan.either_end:
        plan.kinds = (*plan.kinds, "self_time_increase")
    return plan


def _hidden(scene: Scene, plan: Plan | None) -> Plan | None:
    if plan is None:
        return None
    names = _others(scene, plan)
    if not names:
        return None
    plan.recording.hidden = frozenset({scene.pick(names) or names[0]})
    return plan


@fault
def healthy_missing_spans(scene: Scene) -> Plan | None:
    """Nothing is wrong; one service's spans did not arrive."""
    return _hidden(scene, _nothing())


@fault
def missing_spans_fault(scene: Scene) -> Plan | None:
    """A fault, and another service's spans did not arrive."""
    return _hidden(scene, _real(scene))


def _renamed(scene: Scene, plan: Plan | None) -> Plan | None:
    """Rename an operation or a service between A and B, or instrument a service anew."""
    if plan is None:
        return None
    server = scene.pick(scene.servers()[1:])
    if server is None:
        return None
    service, operation = server.instance.service, operation_of(server)
    match scene.rng.choice(("operation", "service", "layer", "convention")):
        case "operation":
            old = naming.operation_name(operation, service.style)
            new = old.replace(operation.route, "/v9" + operation.route) if operation.route in old else old + "V2"
            plan.recording.span_names[service.name, old] = new
        case "service":
            plan.recording.service_names[service.name] = f"{service.name}-v2"
            plan.services = (*plan.services, *(f"{s}-v2" for s in plan.services if s == service.name))
        case "layer":
            plan.recording.styles[service.name] = replace(service.style, controller=not service.style.controller)
        case _:
            other = "old" if service.style.convention == "new" else "new"
            plan.recording.styles[service.name] = replace(service.style, convention=other)
    return plan


@fault
def healthy_renamed(scene: Scene) -> Plan | None:
    """Nothing is wrong; names or instrumentation of a service changed."""
    plan = _nothing()
    plan.also_right = ("changed",)
    return _renamed(scene, plan)


@fault
def renamed_fault(scene: Scene) -> Plan | None:
    """A fault, and names or instrumentation of a service changed."""
    return _renamed(scene, _real(scene))


@fault
def healthy_partial(scene: Scene) -> Plan | None:
    """Nothing is wrong; part of B's spans did not arrive."""
    plan = _nothing()
    plan.recording = _loss(scene)
    return plan


@fault
def partial_fault(scene: Scene) -> Plan | None:
    """A fault, and part of B's spans did not arrive."""
    plan = _real(scene)
    if plan is not None:
        plan.recording = _loss(scene)
    return plan


def _loss(scene: Scene) -> Recording:
    if scene.rng.random() < 0.5:
        return Recording(lost=scene.rng.choice((0.05, 0.15, 0.3)))
    return Recording(lost_tail=scene.rng.choice((0.1, 0.3)))
