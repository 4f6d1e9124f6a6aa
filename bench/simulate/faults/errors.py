"""Faults that show as errors: exceptions, retries, timeouts, rate limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.simulate.conditions import Conditions, Failure
from bench.simulate.faults.base import Plan, Scene, ends, fault, name, operation_of, query_of, remote_of
from bench.simulate.program import Query, Remote, Work

if TYPE_CHECKING:
    from bench.simulate.execution import Activity

TIMEOUTS_MS = (250.0, 500.0, 1_000.0, 2_000.0, 3_000.0, 5_000.0, 10_000.0, 30_000.0)
KINDS = ("error", "removed_calls")
EXCEPTIONS = (("ValueError", "invalid state"), ("java.lang.NullPointerException", "order is null"),
              ("KeyError", "'price'"), ("IllegalStateException", "already closed"))  # fmt: skip
UNAVAILABLE = Failure("ServiceUnavailable", "upstream connect error", http=503, grpc=14)


def _step(call: Activity) -> Query | Remote:
    return query_of(call) if call.role == "query" else remote_of(call)


def _parties(call: Activity) -> tuple[str, ...]:
    return ends(call) if call.role == "client" else (name(call),)


def _propagates(call: Activity) -> bool:
    """Tell whether a failure of the call reaches the root."""
    at: Activity | None = call
    while at is not None:
        if at.role in ("query", "client") and not _step(at).critical:
            return False
        at = at.parent
    return True


@fault
def exception(scene: Scene) -> Plan | None:
    """A handler raises; whoever needs it fails too, others go on without it."""
    server = scene.pick(scene.servers())
    if server is None:
        return None
    kind, message = scene.rng.choice(EXCEPTIONS)
    return Plan(
        (name(server),), KINDS, Conditions(operation_failures={server.subject.id: Failure(kind, message)}), mode="error"
    )


@fault
def swallowed_exception(scene: Scene) -> Plan | None:
    """A call that is not needed fails; the root answers as if nothing had been."""
    calls = [c for c in scene.remotes() + scene.queries() + scene.third_parties() if not _propagates(c)]
    call = scene.pick(calls)
    if call is None:
        return None
    failure = Failure("ConnectionError", "connection reset by peer", http=500)
    return Plan(_parties(call), KINDS, Conditions(step_failures={call.subject.id: failure}), mode="error")


@fault
def failing_statement(scene: Scene) -> Plan | None:
    """A statement fails (a deadlock, a missing column)."""
    query = scene.pick(scene.queries())
    if query is None:
        return None
    failure = Failure("DatabaseError", "deadlock detected", http=500)
    return Plan((name(query),), KINDS, Conditions(step_failures={query.subject.id: failure}), mode="error")


@fault
def fails_fast(scene: Scene) -> Plan | None:
    """The root refuses at once: an error, and a much shorter request."""
    failure = Failure("PermissionError", "token expired", http=500, grpc=16)
    operation = operation_of(scene.healthy)
    conditions = Conditions(operation_failures={operation.id: failure})
    for step in operation.steps[1:]:
        conditions.replace[step.id] = ()
    return Plan((operation.service.name,), KINDS, conditions, mode="error")


@fault
def retries_succeed(scene: Scene) -> Plan | None:
    """A call fails some times, is tried again with growing pauses, and works."""
    return _retries(scene, succeeds=True)


@fault
def retries_fail(scene: Scene) -> Plan | None:
    """A call fails as often as it is tried."""
    return _retries(scene, succeeds=False)


def _retries(scene: Scene, *, succeeds: bool) -> Plan | None:
    call = scene.pick(scene.remotes() + scene.queries() + scene.third_parties())
    if call is None:
        return None
    attempts = scene.rng.randint(1 if succeeds else 2, 5)
    pauses = sum(2**i for i in range(attempts if succeeds else attempts - 1))
    failure = Failure(
        UNAVAILABLE.exception, UNAVAILABLE.message, http=503, grpc=14, attempts=attempts, succeeds=succeeds,
        backoff_ms=scene.share(call) * scene.rng.uniform(0.6, 1.0) / pauses, took_ms=scene.rng.uniform(0.5, 3.0),
    )  # fmt: skip
    plan = Plan(_parties(call), ("retry", "more_calls", "error"), Conditions(step_failures={call.subject.id: failure}))
    if attempts == 1:
        plan.kinds = (*plan.kinds, "wait_gap", "self_time_increase")
    plan.mode = "latency" if succeeds else "error"
    plan.operations = ("@parent",) if succeeds else ()
    return plan


@fault
def rate_limited(scene: Scene) -> Plan | None:
    """A third party or a service answers 429; the caller sleeps and tries again."""
    call = scene.pick(scene.third_parties() + scene.remotes())
    if call is None:
        return None
    failure = Failure(
        "TooManyRequests", "rate limit exceeded", http=429, grpc=8, attempts=scene.rng.randint(1, 3), succeeds=True,
        backoff_ms=scene.share(call), took_ms=1.0,
    )  # fmt: skip
    kinds = ("retry", "more_calls", "error", "wait_gap", "self_time_increase")
    return Plan(_parties(call), kinds, Conditions(step_failures={call.subject.id: failure}), operations=("@parent",))


@fault
def timeout(scene: Scene) -> Plan | None:
    """A call takes too long and its caller gives up at a configured time; the callee may go on working."""
    call = scene.pick(scene.remotes() + scene.queries() + scene.third_parties())
    if call is None:
        return None
    reachable = [t for t in TIMEOUTS_MS if t > 1.2 * call.ms]
    limit = scene.rng.choice(reachable[:4])
    failure = Failure("TimeoutError", "deadline exceeded", http=504, grpc=4, took_ms=limit * 1.002, cut=True)
    conditions = Conditions(step_failures={call.subject.id: failure})
    if call.role == "client":
        operation = remote_of(call).operation
        slow = Work(next(scene.ids), limit * scene.rng.uniform(1.2, 3), faulty=True)
        conditions.insert[operation.id] = [(scene.place(), slow)]
    kinds = ("error", "self_time_increase", "removed_calls", "wait_gap", "network")
    return Plan(_parties(call), kinds, conditions, mode="error")
