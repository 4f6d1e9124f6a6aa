"""Runs one request through a system in virtual time and records what every process did, instrumented or not.

The result is a tree of `Activity`: a server handling, a client call, a query, a wait. Each knows when it ran,
on which instance, how it ended, and how many milliseconds a fault added to it and where (`blame`). Every
duration is drawn from the request's seed and the activity's place, so the same request run with and without a
fault differs by the fault's effect alone.

    client      |--------------------------------|
    network     |>>>>|                      |>>>>|      there_ms, back_ms
    accept wait      |..|                               the process stands still, or its queue is full
    server              |-------------------|
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TypeAlias

from bench.simulate.conditions import Conditions, EdgeDelay, Failure, Stalls
from bench.simulate.program import (
    Branch,
    Cached,
    Inner,
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
    World,
    inner_steps,
)

OUTLIER_CHANCE = 0.002  # of one drawn duration: a page fault, a lock, a lost packet
BUSY_CHANCE = 0.08  # of a request: everything a bit slower
Subject: TypeAlias = "Operation | Query | Remote | Publish | Inner | Wait"
Result: TypeAlias = "tuple[float, Failure | None]"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: its seed decides all chances, its size how often `by_size` loops run."""

    seed: int
    size: float = 1.0


@dataclass(eq=False, slots=True)
class Activity:
    """Something one process did for the request, whether or not a span shows it."""

    role: str  # "server" | "client" | "query" | "inner" | "producer" | "wait"
    subject: Subject
    instance: Instance
    parent: Activity | None
    seed: int
    start: float
    end: float = 0.0
    arrived: float = 0.0  # server: when the request reached its host
    failure: Failure | None = None
    raised: bool = False  # the failure began here
    asynchronous: bool = False  # nobody waits for it
    blame: dict[str, float] = field(default_factory=dict)  # "own" or "edge" -> ms a fault added
    attributes: dict[str, str | bool | int | float] = field(default_factory=dict)
    children: list[Activity] = field(default_factory=list)

    @property
    def ms(self) -> float:
        """How long it took."""
        return self.end - self.start

    def walk(self) -> list[Activity]:
        """Return this activity and all below, parents first."""
        found = [self]
        for activity in found:
            found.extend(activity.children)
        return found

    def accuse(self, where: str, ms: float) -> None:
        """Note that a fault added time here."""
        self.blame[where] = self.blame.get(where, 0.0) + ms


def execute(world: World, request: Request, conditions: Conditions | None = None) -> Activity:
    """Run a request of the system's root operation; returns the root's server activity."""
    return _Execution(world, request, conditions or Conditions()).run()


NO_STALLS = Stalls([])


class _Execution:
    def __init__(self, world: World, request: Request, conditions: Conditions) -> None:
        self.world = world
        self.request = request
        self.conditions = conditions
        rng = random.Random(hash((request.seed, 1)))
        self.busy = rng.uniform(1.1, 1.5) if rng.random() < BUSY_CHANCE else rng.lognormvariate(0.0, 0.04)

    def run(self) -> Activity:
        root = self.world.root
        seed = hash((self.request.seed, root.id))
        activity = Activity("server", root, self._instance(root.service, seed), None, seed, 0.0)
        self._serve(activity, root, 0.0)
        return activity

    # Chance and time -------------------------------------------------------------------------------

    def _instance(self, service: Service, seed: int) -> Instance:
        pinned = self.conditions.pins.get(service.name)
        return pinned or service.instances[hash((seed, 2)) % len(service.instances)]

    def _noisy(self, ms: float, seed: int, salt: int) -> float:
        rng = random.Random(hash((seed, salt)))
        took = ms * self.busy * rng.lognormvariate(0.0, self.world.noise)
        if rng.random() < OUTLIER_CHANCE:
            took = took * rng.uniform(2, 5) + rng.uniform(0, 10)
        return took

    def _compute(self, activity: Activity, start: float, ms: float) -> float:
        """Let the activity's process compute; returns when it is done."""
        pod = activity.instance.pod
        factor = self.conditions.slow_pods.get(pod, 1.0)
        usual = ms * activity.instance.slowness
        end = self.conditions.stalls.get(pod, NO_STALLS).finish(start, usual * factor)
        late = end - start - usual
        if late > 1e-6:
            activity.accuse("own", late)
        return end

    def _wake(self, activity: Activity, at: float, where: str) -> float:
        """Return when the activity's process notices what happens at `at`."""
        awake = self.conditions.stalls.get(activity.instance.pod, NO_STALLS).wake(at)
        if awake > at:
            activity.accuse(where, awake - at)
        return awake

    def _leg(self, activity: Activity, caller: str, callee: str, usual: float, salt: int, *, back: bool) -> float:
        """Return the time of one way of a call, and note what a fault adds."""
        rng = random.Random(hash((activity.seed, salt)))
        took = usual * rng.lognormvariate(0.0, 0.3)
        extra = sum(_extra(delay, caller, callee, activity.seed, back=back) for delay in self.conditions.edges)
        if extra:
            activity.accuse("edge", extra)
        return took + extra

    # Operations ------------------------------------------------------------------------------------

    def _serve(self, activity: Activity, operation: Operation, start: float) -> None:
        """Run an operation's handler as `activity`, from `start`; sets its end and failure."""
        activity.start = self._wake(activity, start, "edge")
        activity.attributes.update(self.conditions.attributes.get(operation.id, {}))
        steps = list(operation.steps)
        for place, step in self.conditions.insert.get(operation.id, ()):
            steps.insert(round(place * len(steps)), step)
        failure = self.conditions.operation_failures.get(operation.id)
        if failure is not None:
            steps = steps[: max(1, len(steps) // 2)]
        end, caught = self._steps(tuple(steps), activity, activity.start, activity.seed)
        if caught is None and failure is not None:
            activity.raised = True
            activity.accuse("own", 1.0)
            caught = failure
        activity.end, activity.failure = end, caught

    def _steps(self, steps: tuple[Step, ...], activity: Activity, at: float, seed: int) -> Result:
        """Run steps one after another; `seed` decides their chances."""
        for step in steps:
            for done in self.conditions.replace.get(step.id, (step,)):
                at, failure = self._step(done, activity, at, seed)
                if failure is not None:
                    return at, failure
        return at, None

    def _step(self, step: Step, activity: Activity, at: float, seed: int) -> Result:
        match step:
            case Work():
                return self._work(step, activity, at, seed), None
            case Wait():
                return self._wait(step, activity, at, seed), None
            case Query() | Remote():
                return self._call(step, activity, at, seed)
            case Parallel():
                return self._parallel(step, activity, at, seed)
            case Repeat():
                times = round(step.count * self.request.size) if step.by_size else step.count
                for index in range(max(1, times)):
                    at, failure = self._steps(step.steps, activity, at, hash((seed, index)))
                    if failure is not None:
                        return at, failure
                return at, None
            case Cached():
                return self._cached(step, activity, at, seed)
            case Inner():
                return self._inner(step, activity, at, seed)
            case Branch():
                taken = hash((self.request.seed, step.id)) % 1000 < step.share * 1000
                return self._steps(step.steps if taken else step.otherwise, activity, at, seed)
            case Publish():
                return self._publish(step, activity, at, seed), None

    def _work(self, step: Work, activity: Activity, at: float, seed: int) -> float:
        ms = step.ms if step.exact else self._noisy(step.ms, seed, step.id)
        if step.faulty:
            activity.accuse("own", ms)
        return self._compute(activity, at, ms)

    def _wait(self, step: Wait, activity: Activity, at: float, seed: int) -> float:
        end = at + step.ms
        owner = activity
        if step.span:
            owner = self._begin("wait", step, activity, hash((seed, step.id)), at)
            owner.end = end
        if step.faulty:
            owner.accuse("own", step.ms)
        return end

    def _cached(self, step: Cached, activity: Activity, at: float, seed: int) -> Result:
        at, _ = self._steps((step.lookup,), activity, at, seed)
        found = activity.children[-1]
        drawn = hash((seed, step.id, 5)) % 1000 < step.hit_rate * 1000
        hit = (drawn or self.conditions.warm_caches) and step.id not in self.conditions.cold_caches
        found.attributes["cache.hit"] = hit
        if hit:
            return at, None
        before = len(activity.children)
        at, failure = self._steps(step.miss, activity, at, seed)
        if step.id in self.conditions.cold_caches:
            for child in activity.children[before:]:
                child.accuse("own", child.ms)
        return at, failure

    def _inner(self, step: Inner, activity: Activity, at: float, seed: int) -> Result:
        inner = self._begin("inner", step, activity, hash((seed, step.id)), at)
        inner.end, inner.failure = self._steps(step.steps, inner, at, seed)
        if step.faulty:
            inner.accuse("own", inner.ms)
        return inner.end, inner.failure

    def _parallel(self, step: Parallel, activity: Activity, at: float, seed: int) -> Result:
        slots = [at] * (step.width or len(step.steps))
        failed: Failure | None = None
        for index, inner in enumerate(step.steps):  # each takes a few microseconds to start
            slot = slots.index(min(slots))
            end, failure = self._steps((inner,), activity, slots[slot] + 0.02 * (index + 1), seed)
            slots[slot] = end
            failed = failed or failure
        return max(slots), failed

    # Calls -----------------------------------------------------------------------------------------

    def _begin(self, role: str, subject: Subject, owner: Activity, seed: int, at: float) -> Activity:
        activity = Activity(role, subject, owner.instance, owner, seed, at)
        owner.children.append(activity)
        return activity

    def _call(self, step: Query | Remote, activity: Activity, at: float, seed: int) -> Result:
        """Call with retries; a failure of a call that is not critical is swallowed."""
        failure = self.conditions.step_failures.get(step.id)
        tries = failure.attempts + failure.succeeds if failure is not None else 1
        seen: Failure | None = None
        for attempt in range(tries):
            fails = failure if failure is not None and attempt < failure.attempts else None
            place = hash((seed, step.id, attempt))
            role = "query" if isinstance(step, Query) else "client"
            call = self._begin(role, step, activity, place, at)
            if isinstance(step, Query):
                self._query(step, call, fails)
            else:
                self._remote(step, call, fails)
                if step.faulty:
                    call.accuse("edge", call.ms)
            at, seen = call.end, call.failure
            if attempt and not fails:
                call.attributes["http.request.resend_count"] = attempt
            if fails is not None and attempt + 1 < tries:
                pause = fails.backoff_ms * 2**attempt
                activity.accuse("own", pause)
                at += pause
            if seen is None:
                break
        return at, seen if step.critical else None

    def _query(self, step: Query, call: Activity, fails: Failure | None) -> None:
        service, store = call.instance.service.name, step.store
        out = self._compute(call, call.start, 0.01)
        there = self._leg(call, service, store.name, store.distance_ms, 11, back=False)
        usual = self._noisy(step.ms, call.seed, 12)
        factor = self.conditions.slow_stores.get(store.name, 1.0)
        pod_factor = self.conditions.slow_pods.get(call.instance.pod, 1.0)
        took = usual * factor * min(pod_factor, 3.0)  # a starved process reads answers late as well
        if took > usual:
            call.accuse("own", took - usual)
        if step.faulty:
            call.accuse("own", took)
        if fails is not None:
            if fails.took_ms is not None:
                took = fails.took_ms
                there = 0.0 if fails.cut else there
            call.failure, call.raised = fails, True
            call.accuse("own", took)
        back = (
            0.0
            if fails is not None and fails.cut
            else self._leg(call, service, store.name, store.distance_ms, 13, back=True)
        )
        call.end = self._wake(call, out + there + took + back, "own")

    def _remote(self, step: Remote, call: Activity, fails: Failure | None) -> None:
        operation = step.operation
        caller, callee = call.instance.service.name, operation.service.name
        server = Activity(
            "server", operation, self._instance(operation.service, call.seed), call, hash((call.seed, 3)), 0.0
        )
        usual = self.world.network_ms * (1.0 if server.instance.zone == call.instance.zone else 2.5)
        out = self._compute(call, call.start, 0.02)
        server.arrived = out + self._leg(call, caller, callee, usual, 14, back=False)
        begin = server.arrived
        accept = self.conditions.accept_ms.get(callee, 0.0)
        if accept:
            server.accuse("edge", accept)
            begin += accept
        if fails is not None and not fails.cut:
            # the callee answers at once that it does not want to
            server.start = self._wake(server, begin, "edge")
            server.end = self._compute(server, server.start, fails.took_ms if fails.took_ms is not None else 0.3)
            server.failure, server.raised = fails, True
            call.accuse("edge", server.ms)
        else:
            self._serve(server, operation, begin)
        payload = self.conditions.payload.get(operation.id, 1.0)
        sent = operation.response_bytes * payload / 50_000  # ms, at 50 MB/s
        if payload > 1.0:
            call.accuse("edge", sent)
        answered = server.end + self._leg(call, caller, callee, usual, 15, back=True) + sent
        call.end = self._wake(call, answered, "edge") + 0.01
        call.failure = server.failure
        if fails is not None and fails.cut and fails.took_ms is not None and call.end > call.start + fails.took_ms:
            call.end = call.start + fails.took_ms
            call.failure, call.raised = fails, True
            call.accuse("edge", fails.took_ms)
            server.asynchronous = server.end > call.end
        call.children.append(server)

    def _publish(self, step: Publish, activity: Activity, at: float, seed: int) -> float:
        producer = self._begin("producer", step, activity, hash((seed, step.id)), at)
        leg = self._leg(
            producer, activity.instance.service.name, step.broker.name, step.broker.distance_ms, 16, back=False
        )
        producer.end = at + 2 * leg + 0.05
        late = self.conditions.lag_ms.get(step.id, 0.0)
        begin = producer.end + self._noisy(step.lag_ms, producer.seed, 17) + late
        place = hash((producer.seed, 4))
        instance = self._instance(step.consumer.service, place)
        consumer = Activity("server", step.consumer, instance, producer, place, begin, asynchronous=True)
        if late:
            consumer.accuse("edge", late)
        self._serve(consumer, step.consumer, begin)
        producer.children.append(consumer)
        return producer.end


def _extra(delay: EdgeDelay, caller: str, callee: str, seed: int, *, back: bool) -> float:
    """Return what one rule adds to one way of a call."""
    if delay.caller not in ("", caller) or delay.callee not in ("", callee):
        return 0.0
    if delay.chance < 1.0 and hash((seed, 18)) % 1000 >= delay.chance * 1000:
        return 0.0
    if back:
        return delay.back_ms
    step = delay.steps[hash((seed, 19)) % len(delay.steps)] if delay.steps else 0.0
    return delay.there_ms + step


def executed(root: Activity) -> dict[int, int]:
    """Return how often each step and operation ran (by the subject's id), waits and works aside."""
    times: dict[int, int] = {}
    for activity in root.walk():
        times[activity.subject.id] = times.get(activity.subject.id, 0) + 1
    return times


def steps_below(steps: tuple[Step, ...]) -> list[Step]:
    """Return all steps of a handler, those inside loops and fan-outs too."""
    found = list(steps)
    for step in found:
        found.extend(inner_steps(step))
    return found
