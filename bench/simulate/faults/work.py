"""Faults inside one service's own code, and slow answers of what it calls."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bench.simulate.conditions import Conditions
from bench.simulate.faults.base import GAP, SLOW, Plan, Scene, fault, name, operation_of, query_of
from bench.simulate.instrumentation import Recording
from bench.simulate.program import Inner, Repeat, Step, Wait, Work

if TYPE_CHECKING:
    from bench.simulate.execution import Activity


def _in_handler(scene: Scene, step: type[Work | Wait], *, only_roots: bool = False) -> Plan | None:
    """Put extra time into one handler, in one place or two."""
    server = scene.pick(scene.servers()[:1] if only_roots else scene.servers())
    if server is None:
        return None
    operation, parts = operation_of(server), scene.rng.choice((1, 1, 2))
    ms = scene.share(server) / parts
    conditions = Conditions()
    conditions.insert[operation.id] = [
        (scene.place(), step(next(scene.ids), ms, faulty=True)) for _ in range(parts)
    ]  # fmt: skip
    return Plan((name(server),), SLOW, conditions)


@fault
def slow_operation(scene: Scene) -> Plan | None:
    """A handler computes longer; sometimes it came with a release."""
    plan = _in_handler(scene, Work)
    if plan is not None and scene.rng.random() < 0.25:
        plan.recording = Recording(versions={plan.services[0]: "9.0.1"})
        plan.kinds = (*plan.kinds, "version_change")
    return plan


@fault
def slow_root(scene: Scene) -> Plan | None:
    """The root's own handler computes longer."""
    return _in_handler(scene, Work, only_roots=True)


@fault
def lock_wait(scene: Scene) -> Plan | None:
    """A handler waits for a lock; no span shows it."""
    return _in_handler(scene, Wait)


@fault
def slow_shared_callee(scene: Scene) -> Plan | None:
    """An operation that is called several times, or from several places, is slow."""
    times = scene.times()
    server = scene.pick([s for s in scene.servers() if times[s.subject.id] > 1])
    if server is None:
        return None
    step = Work(next(scene.ids), scene.share(server), faulty=True)
    return Plan((name(server),), SLOW, Conditions(insert={server.subject.id: [(scene.place(), step)]}))


@fault
def slow_inner_step(scene: Scene) -> Plan | None:
    """A step that has an internal span of its own computes longer."""
    found = scene.pick([(o, i) for o, i in scene.steps(Inner) if i.id in scene.in_both()])
    if found is None:
        return None
    operation, inner = found
    ms = scene.amount_ms / scene.times()[inner.id]
    slow = replace(inner, steps=(*inner.steps, Work(next(scene.ids), ms, faulty=True)))
    return Plan((operation.service.name,), SLOW, Conditions(replace={inner.id: (slow,)}))


def _slow_query(scene: Scene, choices: list[Activity]) -> Plan | None:
    query = scene.pick(choices)
    if query is None:
        return None
    step = query_of(query)
    slow = replace(step, id=next(scene.ids), ms=step.ms + scene.share(query), faulty=True)
    alone = sum(1 for q in choices if query_of(q).store is step.store)
    kinds = (*SLOW, "network") if alone == 1 or step.store.system == "http" else SLOW
    return Plan((name(query),), kinds, Conditions(replace={step.id: (slow,)}))


@fault
def slow_statement(scene: Scene) -> Plan | None:
    """One statement is slow: a lost index, a lock on its rows."""
    return _slow_query(scene, scene.queries())


@fault
def slow_cache(scene: Scene) -> Plan | None:
    """One cache command is slow (a big value, a blocked server)."""
    return _slow_query(
        scene, [q for q in scene.queries(caches=True) if query_of(q).store.system in ("redis", "memcached")]
    )


@fault
def slow_third_party(scene: Scene) -> Plan | None:
    """Somebody else's service answers slowly."""
    return _slow_query(scene, scene.third_parties())


@fault
def slow_store(scene: Scene) -> Plan | None:
    """A whole database is slow: every statement, whoever sends it."""
    query = scene.pick(scene.queries())
    if query is None:
        return None
    store = query_of(query).store
    spent = [q for q in scene.healthy.walk() if q.role == "query" and query_of(q).store is store]
    usual = sum(q.ms for q in spent)
    conditions = Conditions(slow_stores={store.name: 1 + scene.amount_ms / max(0.1, usual)})
    return Plan(tuple(sorted({name(q) for q in spent})), (*SLOW, "network"), conditions)


@fault
def payload_growth(scene: Scene) -> Plan | None:
    """An answer is many times as large: it takes longer to make, to send and to read."""
    remote = scene.pick(scene.remotes())
    if remote is None:
        return None
    server = remote.children[0]
    operation = operation_of(server)
    ms = scene.share(server)
    factor = min(5_000.0, max(3.0, ms * 0.3 * 50_000 / operation.response_bytes))
    before, after = operation.response_bytes, int(operation.response_bytes * factor)
    attribute = "http.response.body.size" if operation.protocol == "http" else "rpc.response.size"
    conditions = Conditions(payload={operation.id: factor}, attributes={operation.id: {attribute: after}})
    conditions.insert[operation.id] = [(0.95, Work(next(scene.ids), ms * 0.5, faulty=True))]
    caller = scene.healthy if remote.parent is None else remote.parent
    conditions.insert.setdefault(caller.subject.id, []).append((0.95, Work(next(scene.ids), ms * 0.2)))
    usual = Conditions(attributes={operation.id: {attribute: before}})
    return Plan((name(server), name(remote)), (*SLOW, "network"), conditions, baseline_conditions=usual)


@fault
def cold_start(scene: Scene) -> Plan | None:
    """The first request of a new process loads and connects before it answers."""
    server = scene.pick(scene.servers())
    if server is None:
        return None
    operation, ms = operation_of(server), scene.share(server)
    work: Step = Work(next(scene.ids), ms, faulty=True)
    if scene.rng.random() < 0.4:
        work = Inner(next(scene.ids), scene.rng.choice(("initialize", "load model", "warm up")), (work,), faulty=True)
    conditions = Conditions(insert={operation.id: [(0.0, work)]})
    if scene.rng.random() < 0.5:
        conditions.attributes[operation.id] = {"faas.coldstart": True}
    service = server.instance.service
    fresh = replace(server.instance, pod=server.instance.pod[:-5] + "fresh")
    conditions.pins[service.name] = fresh
    return Plan((service.name,), (*SLOW, "new_calls"), conditions)


@fault
def config_change(scene: Scene) -> Plan | None:
    """A changed setting makes a handler slower; the resource shows the setting."""
    plan = _in_handler(scene, Work)
    if plan is None:
        return None
    service = plan.services[0]
    plan.baseline_recording = Recording(resources={service: {"config.revision": "41", "app.log_level": "info"}})
    plan.recording = Recording(resources={service: {"config.revision": "42", "app.log_level": "debug"}})
    plan.kinds = (*plan.kinds, "version_change")
    return plan


@fault
def larger_request(scene: Scene) -> Plan | None:
    """The request has many times as many items: nothing is broken, all is more."""
    both = scene.in_both()
    loops = [(o, s) for o, s in scene.steps(Repeat) if s.by_size and any(i.id in both for i in s.steps)]
    if not loops:
        return None
    repeated = {step.id for _, loop in loops for step in loop.steps}
    services = {name(inner) for a in scene.waited() if a.subject.id in repeated for inner in a.walk()}
    services |= {operation.service.name for operation, _ in loops}
    factor = scene.rng.choice((4.0, 8.0, 15.0))
    return Plan(
        tuple(sorted(services)), ("more_calls", "new_calls", *SLOW), size=factor, operations=("*",), notes="input size"
    )


@fault
def gap_before_server(scene: Scene) -> Plan | None:
    """A service's accept queue is full: each request waits before its server span begins."""
    remote = scene.pick(scene.remotes())
    if remote is None:
        return None
    callee = name(remote.children[0])
    calls = sum(1 for a in scene.waited() if a.role == "client" and name(a.children[0]) == callee)
    conditions = Conditions(accept_ms={callee: scene.amount_ms / calls})
    return Plan((callee,), (*GAP, "self_time_increase"), conditions, either_end=True)
