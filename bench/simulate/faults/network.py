"""Faults on the way between services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.simulate.conditions import Conditions, EdgeDelay
from bench.simulate.faults.base import GAP, Plan, Scene, ends, fault, name, query_of

if TYPE_CHECKING:
    from bench.simulate.execution import Activity

ON_THE_WAY = (*GAP, "self_time_increase")  # the last where one end sends no spans


def _calls(scene: Scene, caller: str = "", callee: str = "") -> list[Activity]:
    """Return the waited-for calls between two ends ("" = any)."""
    found = []
    for activity in scene.waited():
        if activity.role == "client":
            a, b = ends(activity)
        elif activity.role == "query":
            a, b = name(activity), query_of(activity).store.name
        else:
            continue
        if caller in ("", a) and callee in ("", b):
            found.append(activity)
    return found


def _around_one_service(scene: Scene) -> tuple[str, list[Activity]]:
    """Choose a service; return it with the waited-for calls from and to it."""
    server = scene.pick(scene.servers())
    if server is None:
        return "", []
    service = name(server)
    return service, _calls(scene, service) + _calls(scene, "", service)


@fault
def edge_delay(scene: Scene) -> Plan | None:
    """One connection between two services is slow, in one or both directions."""
    remote = scene.pick(scene.remotes())
    if remote is None:
        return None
    caller, callee = ends(remote)
    ms = scene.amount_ms / len(_calls(scene, caller, callee))
    there = scene.rng.choice((0.0, 0.5, 0.5, 0.5, 1.0))
    delay = EdgeDelay(caller, callee, ms * there, ms * (1 - there))
    return Plan((caller, callee), ON_THE_WAY, Conditions(edges=[delay]), either_end=True)


@fault
def store_edge_delay(scene: Scene) -> Plan | None:
    """The connection from one service to a database is slow: all its statements are."""
    query = scene.pick(scene.queries(caches=True))
    if query is None:
        return None
    caller, store = name(query), query_of(query).store.name
    ms = scene.amount_ms / len(_calls(scene, caller, store))
    return Plan((caller,), ON_THE_WAY, Conditions(edges=[EdgeDelay(caller, store, ms / 2, ms / 2)]))


@fault
def service_network_delay(scene: Scene) -> Plan | None:
    """Everything to and from one service is slow, both ways."""
    service, calls = _around_one_service(scene)
    if not calls:
        return None
    ms = scene.amount_ms / len(calls) / 2
    delays = [EdgeDelay(service, "", ms, ms), EdgeDelay("", service, ms, ms)]
    return Plan((service,), ON_THE_WAY, Conditions(edges=delays), either_end=len(_peers(calls)) == 1)


@fault
def egress_delay(scene: Scene) -> Plan | None:
    """What one service sends is late: its requests to others, and its answers."""
    service, calls = _around_one_service(scene)
    if not calls:
        return None
    ms = scene.amount_ms / len(calls)
    delays = [EdgeDelay(service, "", ms, 0.0), EdgeDelay("", service, 0.0, ms)]
    return Plan((service,), ON_THE_WAY, Conditions(edges=delays), either_end=len(_peers(calls)) == 1)


@fault
def packet_loss(scene: Scene) -> Plan | None:
    """Some calls of one connection lose a packet and wait for its retransmission."""
    remote = scene.pick(scene.remotes())
    if remote is None:
        return None
    caller, callee = ends(remote)
    steps = scene.rng.choice(((200.0, 400.0), (1_000.0,), (3_000.0,), (200.0, 200.0, 600.0)))
    few = len(_calls(scene, caller, callee)) <= 2
    delay = EdgeDelay(caller, callee, chance=1.0 if few else 0.4, steps=steps)
    return Plan((caller, callee), ON_THE_WAY, Conditions(edges=[delay]), either_end=True)


@fault
def far_zone(scene: Scene) -> Plan | None:
    """A service answers from a far zone: every call to it pays the way, each a little."""
    remote = scene.pick(scene.remotes())
    if remote is None:
        return None
    _, callee = ends(remote)
    calls = _calls(scene, "", callee)
    ms = scene.amount_ms / len(calls) / 2
    callers = {name(c) for c in calls}
    plan = Plan((callee,), ON_THE_WAY, Conditions(edges=[EdgeDelay("", callee, ms, ms)]), either_end=len(callers) == 1)
    plan.recording.resources[callee] = {"cloud.availability_zone": "us-east-1f", "cloud.region": "us-east-1"}
    plan.kinds = (*plan.kinds, "version_change")
    return plan


def _peers(calls: list[Activity]) -> set[tuple[str, str]]:
    return {ends(c) if c.role == "client" else (name(c), query_of(c).store.name) for c in calls}
