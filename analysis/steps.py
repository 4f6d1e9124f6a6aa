"""Next steps: from each cause to something concrete to do, citing the evidence it follows from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import semconv
from analysis.comparison import CauseKind, LinkTarget, NextStep, VerdictKind
from analysis.findings import error_gone, repeated_calls, setting_changed
from analysis.format import count, short_id

if TYPE_CHECKING:
    from analysis.comparison import Cause, PopulationView, Verdict
    from analysis.findings.base import Candidate
    from analysis.operation_key import OperationKey

WORSE = (VerdictKind.SLOWER, VerdictKind.FAILING)
FAILS = (CauseKind.ERROR, CauseKind.RETRY)
BETWEEN = (*FAILS, CauseKind.NETWORK)  # either end may be at fault


def next_steps(
    verdict: Verdict,
    causes: tuple[Cause, ...],
    keys: tuple[OperationKey, ...],
    hints: list[Candidate],
    population: PopulationView | None,
) -> tuple[NextStep, ...]:
    """Advise on the causes, most important first; no advice without a finding or a verdict to base it on.

    `keys`: the operation of each cause; `hints`: what else differs where the first one is. Nothing is said twice.
    """
    told = list(zip(causes, keys, strict=True))
    steps: list[NextStep] = []
    if verdict.kind is VerdictKind.FASTER:
        text = "B is the quicker one: nothing in it needs mending. If A is the request to explain, swap the two."
        steps.append(NextStep(text=text, finding="faster", links=()))
        steps += [_step(cause, key, set()) for cause, key in told[:1] if cause.finding == error_gone.CODE]
    elif verdict.kind is not VerdictKind.NO_MEANINGFUL_DIFFERENCE:
        harmful = _harmful(causes) if verdict.kind in WORSE else set()
        steps += _mending(told, hints, harmful)
    if verdict.kind is VerdictKind.IDENTICAL:
        steps.append(
            NextStep(
                text="Both are the same request. To explain a spike, compare the slow one with a healthy trace of it.",
                finding="identical",
                links=(),
            )
        )
    elif verdict.kind is VerdictKind.NOT_COMPARABLE:
        steps.append(
            NextStep(
                text="Pick two traces of the same operation, or compare each with the typical trace of its own.",
                finding="not-comparable",
                links=(),
            )
        )
    elif population is not None and population.usual_traces and _odd_baseline(verdict, population):
        typical = f"{short_id(population.typical_trace_id)}, the most typical of {count(population.traces, 'request')}"
        text = f"Compare B with {typical}: A is itself unusual."
        steps.append(NextStep(text=text, finding="unusual-baseline", links=()))
    elif (population is None or not population.usual_traces) and verdict.confidence != "high":
        steps.append(
            NextStep(
                text="Compare B with the typical trace of this operation: two single requests can differ by chance.",
                finding="single-sample",
                links=(),
            )
        )
    unique: dict[str, NextStep] = {}
    for step in steps:
        unique.setdefault(step.text, step)
    return tuple(unique.values())


def _mending(told: list[tuple[Cause, OperationKey]], hints: list[Candidate], harmful: set[str]) -> list[NextStep]:
    """Advise on the causes, and on a setting that may be behind the first."""
    deployed: set[str] = set()
    steps = []
    for cause, key in told[:3]:
        if cause.kind is CauseKind.VERSION_CHANGE:
            if cause.service in deployed:
                continue  # one deployment, one review
            deployed.add(cause.service)
        steps.append(_step(cause, key, harmful))
    for hint in [hint for hint in hints if hint.finding == setting_changed.CODE][:1]:
        text = f"See whether it comes from a setting: {hint.summary}."
        steps.append(NextStep(text=text, finding=hint.finding, links=()))
    return steps


def _harmful(causes: tuple[Cause, ...]) -> set[str]:
    """Return the services that take more time or fail, by what the causes say; only there it helps to roll back."""
    harmful = set()
    for cause in causes:
        if cause.delta_ns > 0 or cause.kind in FAILS:
            harmful.add(cause.service)
            if cause.peer_service and cause.kind in BETWEEN:
                harmful.add(cause.peer_service)
    return harmful


def _odd_baseline(verdict: Verdict, population: PopulationView) -> bool:
    """Tell whether A should be another one; that it was slow is what `faster` is about."""
    return not population.baseline_typical and verdict.kind is not VerdictKind.FASTER


def _step(cause: Cause, key: OperationKey, harmful: set[str]) -> NextStep:
    side, ids = ("suspect", cause.suspect_span_ids) if cause.suspect_span_ids else ("baseline", cause.baseline_span_ids)
    links = [LinkTarget(kind="span", side=side, service=cause.service, span_id=span_id) for span_id in ids[:1]]
    links.append(LinkTarget(kind="logs", side="suspect", service=cause.service))
    return NextStep(text=_advice(cause, key, harmful), finding=cause.finding, links=tuple(links))


# What to look at where calls are slow, by what is called: {look} in advice.
STATEMENT = "locks, load, query plan"
COMMIT = "locks, load, disk, replication"
CACHE = "load, memory, large values"
BROKER = "load, disk, acknowledgements"
SERVICE = "load and limits; its own traces and metrics, or the status page of a third party"


def _look(key: OperationKey) -> str:
    """Say what to look at in what a call goes to."""
    if key.category == "messaging":
        return BROKER
    if key.category != "db":
        return SERVICE
    if any(name in key.target.partition(":")[0] for name in semconv.CACHES):
        return CACHE
    return COMMIT if (key.detail or key.name).upper().startswith("COMMIT") else STATEMENT


# What to do about a finding, or about a cause of a kind where its finding has no advice of its own; {to} is " to X"
# when the other end is known ...
ADVICE = {
    repeated_calls.CODE: "Batch the calls of {operation} in {service}, or find what made them multiply.",
    "slow-process": "Look at {service} as a whole: CPU limits, pauses, its host and network, what runs beside it.",
    "process-pause": "Check what stopped {service} at that moment: collection, throttling, a snapshot, swap.",
    "rate-limited": "See which limit refuses {operation}{to} and who uses it up; raise it, or call less.",
    "timed-out": "Find out what {operation} in {service} waits for{at}; the timeout only ended the wait.",
    "cache-missed": "Check the cache of {service}: is it reachable, emptied, full; did keys or lifetimes change?",
    "cold-start": "See whether {service} was just started or scaled; warm it up before it takes requests.",
    "waiting-for-connection": "See what {service} waits for{at} (a pool, a lock): its size, and who holds it for long.",
    "payload-growth": "Find out why {operation} in {service} gives so much more: a lost limit, grown data.",
    "input-changed": "B asks for more than A: compare it with a request of its own size first.",
    "slow-instance": "Take the slow instance of {service} out of rotation, then look at its host and its own load.",
    "status-changed": "Find out why {operation} in {service} gives another answer; B did other work than A.",
    "error-changed": "Both requests fail: compare B with one that succeeds, and look at the new reason first.",
    "exception-recorded": (
        "See what {service} does in {operation} after the exception: it reports success, so somebody caught it."
    ),
    "error-gone": "Choose another baseline: A failed in {operation} of {service}, it is no healthy request.",
}
# ... what depends on whether it is: here it is ...
TOWARDS_PEER: dict[str, str] = ADVICE | {
    "common-factor": "Check {peer} as a whole ({look}): the slow operations share it.",
    CauseKind.SELF_TIME_INCREASE: "Check {peer} for what makes {operation} slow ({look}): {service} waits for it.",
    CauseKind.MORE_CALLS: ADVICE[repeated_calls.CODE],
    CauseKind.NEW_CALLS: (
        "Find out why {service} now makes the call {operation} to {peer}: a cold cache, a flag, a deployment."
    ),
    CauseKind.REMOVED_CALLS: "Check whether {service} is meant to skip {operation}.",
    CauseKind.SERIALISED: (
        "See what changed in {operation} of {service}: its calls can run in parallel, they did before."
    ),
    CauseKind.WAIT_GAP: "Check the hosts of {service}: CPU throttling, pauses, connection limits, the listen queue.",
    CauseKind.NETWORK: "Check the way between {service} and {peer}: network, proxies, connection set-up, both hosts.",
    CauseKind.ERROR: "Open the failing span of {operation} in {service} and its logs at that time; check {peer}.",
    CauseKind.RETRY: (
        "Find out why tries of {operation} by {service} fail at {peer}; check timeouts, limits and backoff."
    ),
    CauseKind.VERSION_CHANGE: (
        "Review the deployment of {service}: it is new in B and brought the call {operation} to {peer}.{roll_back}"
    ),
    CauseKind.MESSAGING_DELAY: "Check the backlog and the number of consumers of {operation} in {service}.",
}
# ... and here it is not.
WITHOUT_PEER: dict[str, str] = TOWARDS_PEER | {
    "common-factor": "Start with what the slow operations share, not with each of them.",
    CauseKind.SELF_TIME_INCREASE: (
        "Look into {operation} in {service} while it is slow: profile it, check CPU limits and locks."
    ),
    CauseKind.NEW_CALLS: "Find out why {service} now makes the call {operation}: a cold cache, a flag, a deployment.",
    CauseKind.NETWORK: "Check the way from {service} to what it calls: network, proxies, connection set-up.",
    CauseKind.ERROR: "Open the failing span of {operation} in {service} and its logs at that time.",
    CauseKind.RETRY: ("Find out why tries of {operation} by {service} fail; check timeouts, limits and backoff."),
    CauseKind.VERSION_CHANGE: "Review the deployment of {service}: it is new in B.{roll_back}",
}


def _advice(cause: Cause, key: OperationKey, harmful: set[str]) -> str:
    peer = cause.peer_service
    to, at = (f" to {peer}", f" at {peer}") if peer else ("", "")
    advice = TOWARDS_PEER if peer else WITHOUT_PEER
    text = advice.get(cause.finding) or advice[cause.kind]
    roll_back = " Roll back if it is urgent." if cause.service in harmful else ""
    return text.format(
        service=cause.service, operation=cause.operation, peer=peer, to=to, at=at, look=_look(key), roll_back=roll_back
    )
