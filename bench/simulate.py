"""Simulated requests of random systems, healthy and with one fault each, labelled with what is wrong.

A `System` is a random tree of operations over services with realistic timing; `run` executes one request and
emits its spans as an instrumented system would. Faults change how it runs. Everything follows from the seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analysis.model import Event, Resource, Span, SpanKind, Trace

if TYPE_CHECKING:
    from collections.abc import Callable

START = 1_795_000_000_000_000_000
MS = 1_000_000
WORDS = [
    "auth",
    "billing",
    "cart",
    "catalog",
    "checkout",
    "email",
    "fraud",
    "geo",
    "history",
    "inventory",
    "ledger",
    "media",
    "orders",
    "payment",
    "pricing",
    "profile",
    "promo",
    "quote",
    "rating",
    "recs",
    "search",
    "session",
    "shipping",
    "stock",
    "tax",
    "user",
    "wallet",
]


@dataclass
class Call:
    """An operation and what it calls, in order; times are milliseconds."""

    service: str
    name: str
    kind: str  # "rpc", "db", "cache", "external", "internal", "publish"
    own_ms: float
    children: list[Call] = field(default_factory=list)
    parallel: bool = False
    table: str = ""
    calls: int = 1
    consumer: Call | None = None


@dataclass
class Fault:
    """What is wrong in one run; `target` is the call (or service) it concerns."""

    name: str = "none"
    target: Call | None = None
    service: str = ""
    caller: str = ""
    callee: str = ""
    amount_ms: float = 0.0
    count: int = 0


@dataclass
class System:
    """A random system: its root operation and how it is instrumented."""

    root: Call
    calls: list[Call]
    parents: dict[int, Call]
    new_conventions: bool
    network_ms: float
    pods: dict[str, list[str]]
    noise: float


def make_system(seed: int) -> System:
    """Build a random system."""
    rng = random.Random(seed)
    services = rng.sample(WORDS, rng.randint(3, 10))
    scale = rng.choice((0.3, 1, 1, 3, 10))
    calls: list[Call] = []
    parents: dict[int, Call] = {}

    def grow(service: str, depth: int) -> Call:
        path = f"/{service}/{rng.choice(('list', 'get', 'quote', 'apply', 'load', 'check'))}"
        call = Call(service, f"{rng.choice(('GET', 'POST'))} {path}", "rpc", scale * rng.uniform(0.5, 4))
        call.parallel = rng.random() < 0.3
        calls.append(call)
        for _ in range(rng.randint(0, 3) if depth < 4 else 0):
            below = [s for s in services if s != service]
            kind = rng.choice(("rpc", "rpc", "db", "db", "cache", "internal", "external"))
            if kind == "rpc":
                child = grow(rng.choice(below), depth + 1)
            elif kind == "db":
                table = rng.choice(("orders", "users", "items", "prices", "stock", "events"))
                child = Call(
                    service, rng.choice(("SELECT", "UPDATE", "INSERT")), "db", scale * rng.uniform(1, 6), table=table
                )
            elif kind == "cache":
                child = Call(
                    service, rng.choice(("GET", "MGET", "HGETALL")), "cache", 0.4, table=rng.choice(("u", "p", "s"))
                )
            elif kind == "external":
                child = Call(
                    service, "POST", "external", scale * rng.uniform(5, 25), table=rng.choice(("acme", "bankco"))
                )
            else:
                child = Call(
                    service,
                    rng.choice(("render", "validate", "compute", "map")),
                    "internal",
                    scale * rng.uniform(0.3, 2),
                )
            child.calls = rng.choice((1, 1, 1, 1, 2, 3)) if kind != "rpc" else 1
            if child not in calls:
                calls.append(child)
            parents[id(child)] = call
            call.children.append(child)
        return call

    root = grow(services[0], 0)
    while len(calls) < 6:
        child = grow(rng.choice(services[1:]), 2)
        parents[id(child)] = root
        root.children.append(child)
    if rng.random() < 0.3:
        consumer = Call(rng.choice(services[1:]), "process jobs", "consumer", scale * 3)
        publish = Call(root.service, "send jobs", "publish", 0.3, consumer=consumer)
        root.children.append(publish)
        calls.append(publish)
        parents[id(publish)] = root
    pods = {s: [f"{s}-{i}" for i in range(rng.randint(1, 3))] for s in services}
    return System(root, calls, parents, rng.random() < 0.5, rng.uniform(0.1, 1.0), pods, rng.uniform(0.05, 0.2))


class Run:
    """One request through a system."""

    def __init__(self, system: System, seed: int, fault: Fault, *, suspect: bool) -> None:
        self.system = system
        self.rng = random.Random(seed)
        self.fault = fault if suspect else Fault()
        self.version = "2" if suspect and fault.name == "new_version_call" else "1"
        self.spans: list[Span] = []
        self.resources: dict[str, Resource] = {}
        self.pods = {s: self.rng.choice(p) for s, p in system.pods.items()}
        self.failed = False

    def trace(self) -> Trace:
        """Execute the request and return its trace."""
        self._rpc(self.system.root, "", 0.0, self.system.root.service, client=False)
        return Trace(trace_id=f"{self.rng.getrandbits(128):032x}", spans=tuple(self.spans))

    def _noisy(self, ms: float) -> float:
        out = ms * self.rng.lognormvariate(0, self.system.noise)
        return out * 2 if self.rng.random() < 0.01 else out

    def _resource(self, service: str) -> Resource:
        if service not in self.resources:
            pod = self.pods.get(service, service)
            attributes = {
                "k8s.pod.name": pod,
                "service.version": self.version if service == self.fault.service else "1",
            }
            self.resources[service] = Resource(service=service, attributes=attributes)
        return self.resources[service]

    def _emit(self, name, service, kind, parent, start, end, *, attributes=None, error="", span_id="") -> str:
        span_id = span_id or f"{self.rng.getrandbits(64):016x}"
        events = (Event("exception", START, {"exception.type": error, "exception.message": "boom"}),) if error else ()
        self.spans.append(
            Span(span_id, parent, name, kind, self._resource(service), START + round(start * MS), START + round(end * MS),
                 bool(error), error, attributes or {}, events)
        )  # fmt: skip
        return span_id

    def _http(self, method: str, path: str, host: str, status: int) -> dict:
        url = f"http://{host}.svc{path}/{self.rng.randrange(10**6)}"
        if self.system.new_conventions:
            return {
                "http.request.method": method,
                "url.full": url,
                "server.address": f"{host}.svc",
                "http.response.status_code": status,
            }
        return {"http.method": method, "http.url": url, "net.peer.name": f"{host}.svc", "http.status_code": status}

    def _network(self, caller: str, callee: str) -> tuple[float, float]:
        there, back = self._noisy(self.system.network_ms), self._noisy(self.system.network_ms)
        f = self.fault
        if f.name == "slow_edge" and (caller, callee) == (f.caller, f.callee):
            return there + f.amount_ms / 2, back + f.amount_ms / 2
        if f.name == "netem_service" and f.service in (caller, callee):
            return there + f.amount_ms / 2, back + f.amount_ms / 2
        if f.name == "egress_delay":
            return there + (f.amount_ms if caller == f.service else 0), back + (
                f.amount_ms if callee == f.service else 0
            )
        if f.name == "accept_queue" and callee == f.service:
            return there + f.amount_ms, back
        return there, back

    def _rpc(self, call: Call, parent: str, start: float, caller: str, *, client: bool) -> tuple[float, str]:
        """Run an operation of another service; returns its end and how it failed ("" when it did not)."""
        there, back = self._network(caller, call.service) if client else (0.0, 0.0)
        method, path = call.name.split(" ", 1)
        client_id = f"{self.rng.getrandbits(64):016x}" if client else parent
        server_id = f"{self.rng.getrandbits(64):016x}"
        f = self.fault
        error = ""
        begin = start + there
        if f.name == "error" and call is f.target:
            error = "ValueError"
        clock = begin + self._noisy(call.own_ms / 2)
        if f.name in ("slow_cpu", "slow_pod") and (
            call is f.target or (f.name == "slow_pod" and call.service == f.service)
        ):
            clock += f.amount_ms * (1 if f.name == "slow_cpu" else self.rng.uniform(0.5, 1.0))
        if not error:
            clock, error = self._children(call, server_id, clock)
        clock += self._noisy(call.own_ms / 2)
        swallowed = error and f.name == "error_swallowed"
        status = 500 if error else 200
        own = {"http.request.method": method, "http.route": path, "http.response.status_code": status} if self.system.new_conventions else {
            "http.method": method, "http.route": path, "http.status_code": status}  # fmt: skip
        self._emit(
            call.name,
            call.service,
            SpanKind.SERVER,
            client_id,
            begin,
            clock,
            attributes=own,
            error=error,
            span_id=server_id,
        )
        end = clock + back
        if client:
            self._emit(method, caller, SpanKind.CLIENT, parent, start, end, span_id=client_id,
                       attributes=self._http(method, path, call.service, status), error=error and "HTTPError")  # fmt: skip
        return end, "" if swallowed else error

    def _children(self, call: Call, span_id: str, clock: float) -> tuple[float, str]:
        f = self.fault
        children = list(call.children)
        if f.name == "new_version_call" and call is f.target:
            children.append(Call("fraudcheck", "POST /score", "rpc", f.amount_ms))
        if f.name == "new_calls" and call is f.target:
            children.append(Call(call.service, "SELECT", "db", f.amount_ms, table="audit"))
        if f.name == "pool_wait" and call is f.target:
            clock += f.amount_ms
        parallel = call.parallel and not (f.name == "serialised" and call is f.target)
        ends = [clock]
        failed = ""
        for child in children:
            begin = clock if parallel else ends[-1]
            end, error = self._child(child, call.service, span_id, begin + 0.05)
            ends.append(max(end, begin))
            failed = failed or error
            if error and not parallel:
                return ends[-1], error if f.name != "error_swallowed" else ""
        return max(ends), failed

    def _child(self, child: Call, service: str, parent: str, clock: float) -> tuple[float, str]:
        f = self.fault
        if f.name == "removed" and child is f.target:
            return clock, ""
        if child.kind == "rpc":
            return self._rpc(child, parent, clock, service, client=True)
        times = child.calls
        if f.name == "n_plus_one" and child is f.target:
            times = f.count
        for attempt in range(times):
            tries = f.count if f.name == "retries" and child is f.target and attempt == 0 else 1
            for number in range(tries):
                last = number == tries - 1
                clock, error = self._leaf(child, service, parent, clock, fails=not last)
                if not last:
                    clock += f.amount_ms * (number + 1)
            if error:
                return clock, error
        return clock, ""

    def _leaf(self, child: Call, service: str, parent: str, clock: float, *, fails: bool) -> tuple[float, str]:
        f = self.fault
        took = self._noisy(child.own_ms)
        error = "ConnectionError" if fails else ""
        hit = child is f.target
        if f.name == "slow_db" and hit:
            took += f.amount_ms
        if f.name == "timeout" and hit:
            took, error = f.amount_ms * 1.002, "TimeoutError"
        if f.name in ("error_leaf", "error_swallowed") and hit:
            error = "IntegrityError"
        if f.name == "egress_delay" and service == f.service and child.kind in ("db", "cache", "external"):
            took += f.amount_ms
        if f.name == "netem_service" and service == f.service and child.kind in ("db", "cache", "external"):
            took += f.amount_ms
        end = clock + took
        kind, attributes = SpanKind.INTERNAL, {}
        if child.kind in ("db", "cache"):
            kind = SpanKind.CLIENT
            text = (
                f"{child.name} x FROM {child.table} WHERE id = {self.rng.randrange(10**6)}"
                if child.kind == "db"
                else f"{child.name} {child.table}:{self.rng.randrange(10**6)}"
            )
            attributes = {
                "db.system": "postgresql" if child.kind == "db" else "redis",
                "db.statement": text,
                "net.peer.name": f"{child.kind}.svc",
            }
        elif child.kind == "external":
            kind = SpanKind.CLIENT
            attributes = self._http("POST", f"/v1/{child.table}", f"api.{child.table}", 500 if error else 200)
        elif child.kind == "publish":
            kind = SpanKind.PRODUCER
            attributes = {"messaging.system": "kafka", "messaging.destination.name": "jobs"}
        span_id = self._emit(child.name, service, kind, parent, clock, end, attributes=attributes, error=error)
        if child.consumer is not None:
            wait = self._noisy(2) + (f.amount_ms if f.name == "queue_delay" else 0)
            late = child.consumer
            self._emit(
                late.name, late.service, SpanKind.CONSUMER, span_id, end + wait, end + wait + self._noisy(late.own_ms)
            )
        return end, error


@dataclass
class Case:
    """A labelled pair."""

    fault: str
    baseline: Trace
    suspect: Trace
    services: set[str]
    operations: set[str]
    verdicts: set[str]
    ratio: float


SLOWER, FAILING = {"slower"}, {"failing"}


def make_case(name: str, seed: int) -> Case | None:
    """Simulate a pair with a fault; None when the random system has no place for it."""
    system = make_system(seed)
    rng = random.Random(seed * 7 + 1)
    fault, services, operations, verdicts = PLANS[name](system, rng)
    if fault is None:
        return None
    a = Run(system, seed * 2 + 1, fault, suspect=False).trace()
    b = Run(system, seed * 2 + 2, fault, suspect=True).trace()
    return Case(name, a, b, services, operations, verdicts, _length(b) / _length(a))


def healthy(seed: int, number: int) -> Trace:
    """Return one more healthy trace of the system of a seed."""
    return Run(make_system(seed), seed * 1000 + number + 17, Fault(), suspect=False).trace()


def _length(trace: Trace) -> int:
    root = next(s for s in trace.spans if not s.parent_id)
    return root.end_ns - root.start_ns


def _total(system: System) -> float:
    def run(c: Call) -> float:
        return c.calls * (c.own_ms + sum(run(x) for x in c.children))

    return run(system.root)


Plan = tuple[Fault | None, set[str], set[str], set[str]]
NOTHING: Plan = (None, set(), set(), set())


def _pick(system: System, rng: random.Random, test: Callable[[Call], bool]) -> Call | None:
    found = [c for c in system.calls if test(c)]
    return rng.choice(found) if found else None


def _amount(system: System, rng: random.Random) -> float:
    """A slowdown of 1 to 8 times the request, at least 25 ms."""
    return max(25.0, _total(system) * rng.choice((0.8, 1.5, 3, 8)))


def _on(
    name: str, test: Callable[[Call], bool], verdicts: set[str], count: tuple[int, int] = (0, 0), scale: float = 1.0
):
    def plan(system: System, rng: random.Random) -> Plan:
        target = _pick(system, rng, test)
        if target is None:
            return NOTHING
        fault = Fault(name, target, target.service, amount_ms=_amount(system, rng) * scale, count=rng.randint(*count))
        return fault, {target.service}, {target.name}, verdicts

    return plan


def _edge(name: str):
    def plan(system: System, rng: random.Random) -> Plan:
        target = _pick(system, rng, lambda c: c.kind == "rpc" and c is not system.root)
        if target is None:
            return NOTHING
        caller = system.parents[id(target)].service
        fault = Fault(name, target, target.service, caller, target.service, _amount(system, rng))
        names = {target.name, target.name.split(" ", 1)[0]}
        ends = {caller, target.service} if name == "slow_edge" else {target.service}
        if name in ("netem_service", "egress_delay", "accept_queue"):
            names = {"*"}
        return fault, ends, names, SLOWER

    return plan


def _n_plus_one(system: System, rng: random.Random) -> Plan:
    target = _pick(system, rng, lambda c: c.kind == "db" and c.own_ms > 0.5)
    if target is None:
        return NOTHING
    count = max(12, int(_amount(system, rng) / target.own_ms))
    return Fault("n_plus_one", target, target.service, count=min(count, 200)), {target.service}, {target.name}, SLOWER


def _timeout(system: System, rng: random.Random) -> Plan:
    target = _pick(system, rng, lambda c: c.kind in ("external", "db"))
    if target is None:
        return NOTHING
    fault = Fault("timeout", target, target.service, amount_ms=rng.choice((500, 1000, 3000)))
    return fault, {target.service}, {target.name}, {"failing", "slower"}


def _version(system: System, rng: random.Random) -> Plan:
    target = _pick(system, rng, lambda c: c.kind == "rpc")
    if target is None:
        return NOTHING
    fault = Fault("new_version_call", target, target.service, amount_ms=_amount(system, rng))
    return fault, {target.service, "fraudcheck"}, {"POST", "POST /score", target.name}, SLOWER


def _queue(system: System, rng: random.Random) -> Plan:
    target = _pick(system, rng, lambda c: c.kind == "publish")
    if target is None or target.consumer is None:
        return NOTHING
    return (
        Fault("queue_delay", target, amount_ms=400),
        {target.consumer.service},
        {"process jobs"},
        {"changed", "slower"},
    )


def _parallel(c: Call) -> bool:
    return c.parallel and len(c.children) > 2 and sum(x.own_ms for x in c.children) > 60


def _serialised(system: System, rng: random.Random) -> Plan:
    target = _pick(system, rng, lambda c: c.parallel and len(c.children) >= 3)
    if target is None:
        return NOTHING
    return (
        Fault("serialised", target, target.service),
        {target.service},
        {target.name},
        {"slower", "no_meaningful_difference", "changed"},
    )


def _nothing(system: System, rng: random.Random) -> Plan:  # noqa: ARG001 - plans share a signature
    return Fault(), set(), set(), {"no_meaningful_difference", "identical"}


PLANS: dict[str, Callable[[System, random.Random], Plan]] = {
    "slow_cpu": _on("slow_cpu", lambda c: c.kind == "rpc", SLOWER),
    "slow_db": _on("slow_db", lambda c: c.kind == "db", SLOWER),
    "slow_external": _on("slow_db", lambda c: c.kind == "external", SLOWER),
    "slow_internal": _on("slow_db", lambda c: c.kind == "internal", SLOWER),
    "slow_pod": _on("slow_pod", lambda c: c.kind == "rpc", SLOWER),
    "pool_wait": _on("pool_wait", lambda c: c.kind == "rpc" and bool(c.children), SLOWER),
    "new_calls": _on("new_calls", lambda c: c.kind == "rpc", SLOWER),
    "retries": _on("retries", lambda c: c.kind in ("db", "external"), SLOWER, (3, 5), 0.3),
    "error_leaf": _on("error_leaf", lambda c: c.kind in ("db", "external"), FAILING),
    "error": _on("error", lambda c: c.kind == "rpc", FAILING),
    "error_swallowed": _on("error_swallowed", lambda c: c.kind in ("db", "external"), FAILING),
    "slow_edge": _edge("slow_edge"),
    "netem_service": _edge("netem_service"),
    "egress_delay": _edge("egress_delay"),
    "accept_queue": _edge("accept_queue"),
    "n_plus_one": _n_plus_one,
    "timeout": _timeout,
    "new_version_call": _version,
    "queue_delay": _queue,
    "serialised": _serialised,
    "none": _nothing,
}
OPEN_NAMES = {"new_calls", "pool_wait", "slow_pod"}  # the named operation may be another of the same service
