"""Faults that change which calls are made, how often, and in which order."""

from __future__ import annotations

from dataclasses import replace

from bench.simulate.conditions import Conditions
from bench.simulate.faults.base import CALLS, Plan, Scene, ends, fault, name, query_of, remote_of
from bench.simulate.instrumentation import Recording
from bench.simulate.program import (
    Cached,
    Instance,
    Operation,
    Parallel,
    Publish,
    Query,
    Remote,
    Repeat,
    Service,
    Step,
    Wait,
    Work,
)

MOST = 400  # repeated calls


def _times(scene: Scene, once_ms: float, least: int = 4) -> int:
    """Return how many calls of a duration make up the amount."""
    return int(min(MOST, max(least, scene.amount_ms / max(0.05, once_ms))))


@fault
def n_plus_one(scene: Scene) -> Plan | None:
    """One statement becomes one statement per row; or a batch becomes single look-ups."""
    query = scene.pick(scene.queries())
    if query is None:
        return None
    step, ran = query_of(query), scene.times()[query.subject.id]
    single = replace(step, id=next(scene.ids), faulty=True)
    if scene.rng.random() < 0.4:  # another statement
        text = step.text.replace("WHERE", "WHERE tenant = 7 AND") or step.text
        single = replace(single, ms=step.ms * 0.6, text=text)
    times = _times(scene, query.ms * ran + 0.4)
    return Plan((name(query),), CALLS, Conditions(replace={step.id: (Repeat(next(scene.ids), times, (single,)),)}))


@fault
def repeated_remote_calls(scene: Scene) -> Plan | None:
    """A call to another service is made again and again (polling, a lost batch end point)."""
    remote = scene.pick(scene.remotes())
    if remote is None:
        return None
    step = remote_of(remote)
    faulty = replace(step, id=next(scene.ids), faulty=True)
    times = min(_times(scene, remote.ms * scene.times()[step.id], 3), max(3, 1500 // (1 + len(remote.walk()))))
    plan = Plan(ends(remote), CALLS, Conditions(replace={step.id: (Repeat(next(scene.ids), times, (faulty,)),)}))
    plan.operations = ("*",) if len(remote.walk()) > 3 else ()  # what is below is repeated too
    plan.services = tuple({name(a) for a in remote.walk()}) if plan.operations else plan.services
    return plan


@fault
def cache_stopped_hitting(scene: Scene) -> Plan | None:
    """The cache has nothing any more: what stands behind it is called."""
    cached = [s for _, s in scene.steps(Cached)]
    hit = {s.id for s in cached if s.lookup.id in scene.in_both()}
    if not hit:
        return None
    services = {o.service.name for o, s in scene.steps(Cached) if s.id in hit}
    slower: dict[int, tuple[Step, ...]] = {}
    for step in cached:
        for inner in step.miss:
            if step.id in hit and isinstance(inner, Query) and inner.store.system != "redis":
                slower[inner.id] = (replace(inner, ms=inner.ms + scene.amount_ms / len(hit)),)
    warm = Conditions(warm_caches=True, replace=slower)
    cold = Conditions(warm_caches=True, cold_caches=frozenset(hit), replace=slower)
    return Plan(tuple(sorted(services)), CALLS, cold, baseline_conditions=warm, mode="path")


@fault
def new_statement(scene: Scene) -> Plan | None:
    """A handler does one thing more: a new statement."""
    server = scene.pick(scene.servers())
    store = scene.pick(scene.world.stores)
    if server is None or store is None:
        return None
    text = "SELECT flags, quota FROM entitlements WHERE subject = {}"
    step = Query(next(scene.ids), store, "SELECT", "entitlements", text, scene.share(server), faulty=True)
    conditions = Conditions(insert={server.subject.id: [(scene.place(), step)]})
    return Plan((name(server),), ("new_calls", "more_calls", "version_change"), conditions)


@fault
def new_dependency(scene: Scene) -> Plan | None:
    """A release calls a service that was not there before."""
    server = scene.pick(scene.servers())
    if server is None:
        return None
    style = replace(server.instance.service.style, server_spans=scene.rng.random() < 0.8)
    fresh = Service("policy-engine", "0.3.1", style)
    fresh.instances.append(Instance(fresh, "policy-engine-5c9f-x2x4k", "node-9", server.instance.zone, "10.9.9.9", 1.0))
    work = Work(next(scene.ids), scene.share(server), faulty=True)
    operation = Operation(next(scene.ids), fresh, "http", "POST", "/decisions", "decide_policy", (work,))
    call = Remote(next(scene.ids), operation, faulty=True)
    conditions = Conditions(insert={server.subject.id: [(scene.place(), call)]})
    plan = Plan((name(server), fresh.name), ("new_calls", "version_change"), conditions)
    if scene.rng.random() < 0.7:
        plan.recording = Recording(versions={name(server): "9.1.0"})
    names = {"*"} if not server.instance.service.style.client_spans else set()
    plan.operations = tuple(names)
    return plan


@fault
def removed_call(scene: Scene) -> Plan | None:
    """A call is no longer made."""
    call = scene.pick(scene.remotes() + scene.queries())
    if call is None:
        return None
    services = tuple({name(a) for a in call.walk()}) + (ends(call) if call.role == "client" else ())
    plan = Plan(services, ("removed_calls",), Conditions(replace={call.subject.id: ()}), mode="path")
    plan.operations = ("*",)  # any of what is gone may be named
    return plan


@fault
def lost_parallelism(scene: Scene) -> Plan | None:
    """What ran at the same time runs one after the other, or few at a time."""
    both = scene.in_both()
    wide = [
        (o, p) for o, p in scene.steps(Parallel)
        if sum(1 for s in p.steps if s.id in both) >= 3
    ]  # fmt: skip
    found = scene.pick(wide)
    if found is None:
        return None
    operation, step = found
    narrow = replace(step, id=next(scene.ids), width=scene.rng.choice((1, 1, 1, 2)))
    plan = Plan((operation.service.name,), ("serialised", "wait_gap"), Conditions(replace={step.id: (narrow,)}))
    plan.operations = ("@parent", *(f"@{s.id}" for s in step.steps), f"@{operation.id}")
    return plan


@fault
def pool_exhausted(scene: Scene) -> Plan | None:
    """Every statement of a service waits for a connection first; a span may show it."""
    query = scene.pick(scene.queries(caches=True))
    if query is None:
        return None
    service, store = name(query), query_of(query).store
    steps = [q for q in scene.queries(caches=True) if name(q) == service and query_of(q).store is store]
    times = sum(scene.times()[q.subject.id] for q in steps)
    span = scene.rng.choice(("", "", "pool.acquire", "connect"))
    conditions = Conditions()
    for q in steps:
        wait = Wait(next(scene.ids), scene.amount_ms / times, faulty=True, span=span)
        conditions.replace[q.subject.id] = (wait, query_of(q))
    kinds = ("wait_gap", "self_time_increase", "network") + (("new_calls",) if span else ())
    plan = Plan((service,), kinds, conditions)
    plan.operations = tuple(f"@{q.subject.id}" for q in steps)
    return plan


@fault
def flag_path_change(scene: Scene) -> Plan | None:
    """A feature flag sends the request another way that takes about as long."""
    call = scene.pick(scene.remotes() + scene.queries())
    store = scene.pick(scene.world.stores)
    if call is None or store is None:
        return None
    ran = max(1, scene.times()[call.subject.id])
    text = "SELECT payload FROM snapshots WHERE key = {}"
    steps: list[Step] = [
        Query(next(scene.ids), store, "SELECT", "snapshots", text, call.ms / 2, faulty=True) for _ in range(2)
    ]  # fmt: skip
    conditions = Conditions(replace={call.subject.id: tuple(steps)})
    parent = call.parent
    if parent is not None and isinstance(parent.subject, Operation):
        conditions.attributes[parent.subject.id] = {"feature_flag.key": "new-path", "feature_flag.result.variant": "on"}
    services = tuple({name(a) for a in call.walk()})
    plan = Plan(services, ("new_calls", "removed_calls", "more_calls"), conditions, mode="path")
    plan.operations = ("*",)
    plan.notes = f"path change, {ran} calls"
    return plan


@fault
def chatty_publish(scene: Scene) -> Plan | None:
    """One message per item instead of one: many publishes while the root waits."""
    published = [s for _, s in scene.steps(Publish) if s.id in scene.in_both()]
    step = scene.pick(published)
    if step is None:
        return None
    operation = next(o for o, s in scene.steps(Publish) if s is step)
    silent = replace(step, id=next(scene.ids))
    waits = Wait(next(scene.ids), 1.0)
    times = _times(scene, 2.0)
    loop = Repeat(next(scene.ids), min(times, 60), (silent, waits))
    plan = Plan((operation.service.name, step.consumer.service.name), CALLS, Conditions(replace={step.id: (loop,)}))
    plan.operations = ("*",)
    return plan
