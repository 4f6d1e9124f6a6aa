"""Next steps: from each cause to something concrete to do, citing the evidence it follows from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind, LinkTarget, NextStep, VerdictKind
from analysis.findings import error_gone, repeated_calls, setting_changed
from analysis.format import count, short_id

if TYPE_CHECKING:
    from analysis.comparison import Cause, PopulationView, Verdict
    from analysis.findings.base import Candidate


def next_steps(
    verdict: Verdict, causes: tuple[Cause, ...], hints: list[Candidate], population: PopulationView | None
) -> tuple[NextStep, ...]:
    """Advise on the causes, most important first; no advice without a finding or a verdict to base it on.

    `hints`: what else differs where the first cause is.
    """
    steps = []
    if verdict.kind is VerdictKind.FASTER:
        text = "B is the quicker one: nothing in it needs mending. If A is the request to explain, swap the two."
        steps.append(NextStep(text=text, finding="faster", links=()))
        steps += [_step(cause) for cause in causes[:1] if cause.finding == error_gone.CODE]
    elif verdict.kind is not VerdictKind.NO_MEANINGFUL_DIFFERENCE:
        steps += _mending(causes, hints)
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
    return tuple(steps)


def _mending(causes: tuple[Cause, ...], hints: list[Candidate]) -> list[NextStep]:
    """Advise on the causes, and on a setting that may be behind the first."""
    deployed: set[str] = set()
    steps = []
    for cause in causes[:3]:
        if cause.kind is CauseKind.VERSION_CHANGE:
            if cause.service in deployed:
                continue  # one deployment, one review
            deployed.add(cause.service)
        steps.append(_step(cause))
    for hint in [hint for hint in hints if hint.finding == setting_changed.CODE][:1]:
        text = f"See whether it comes from a setting: {hint.summary}."
        steps.append(NextStep(text=text, finding=hint.finding, links=()))
    return steps


def _odd_baseline(verdict: Verdict, population: PopulationView) -> bool:
    """Tell whether A should be another one; that it was slow is what `faster` is about."""
    return not population.baseline_typical and verdict.kind is not VerdictKind.FASTER


def _step(cause: Cause) -> NextStep:
    side, ids = ("suspect", cause.suspect_span_ids) if cause.suspect_span_ids else ("baseline", cause.baseline_span_ids)
    links = [LinkTarget(kind="span", side=side, service=cause.service, span_id=span_id) for span_id in ids[:1]]
    links.append(LinkTarget(kind="logs", side="suspect", service=cause.service))
    return NextStep(text=_advice(cause), finding=cause.finding, links=tuple(links))


# What to do about findings that say more than their kind does: {to} is " to X" when the other end is known.
ADVICE = {
    repeated_calls.CODE: "Batch the calls of {operation} in {service}, or find what made them multiply.",
    "slow-process": "Look at {service} as a whole: CPU limits, pauses, its host and network, what runs beside it.",
    "process-pause": "Check what stopped {service} at that moment: collection, throttling, a snapshot, swap.",
    "common-factor": "Start with what the slow operations share, not with each of them.",
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
    "error-gone": "Choose another baseline: A failed in {operation} of {service}, it is no healthy request.",
}


# What to do about a cause of a kind where its finding has no advice of its own and the other end is known ...
TOWARDS_PEER = {
    CauseKind.SELF_TIME_INCREASE: (
        "Check {peer} for what makes {operation} slow (query plan, load, limits): {service} waits for it."
    ),
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
    CauseKind.RETRY: "Find out why {peer} refuses the first tries of {service}; check limits and backoff.",
    CauseKind.VERSION_CHANGE: (
        "Review the deployment of {service}: it is new in B and brought the call {operation} to {peer}. "
        "Roll back if it is urgent."
    ),
    CauseKind.MESSAGING_DELAY: "Check the backlog and the number of consumers of {operation} in {service}.",
}
# ... and where it is not.
WITHOUT_PEER = TOWARDS_PEER | {
    CauseKind.SELF_TIME_INCREASE: (
        "Look into {operation} in {service} while it is slow: profile it, check CPU limits and locks."
    ),
    CauseKind.NEW_CALLS: "Find out why {service} now makes the call {operation}: a cold cache, a flag, a deployment.",
    CauseKind.NETWORK: "Check the way from {service} to what it calls: network, proxies, connection set-up.",
    CauseKind.ERROR: "Open the failing span of {operation} in {service} and its logs at that time.",
    CauseKind.RETRY: "Find out why {operation} refuses the first tries of {service}; check limits and backoff.",
    CauseKind.VERSION_CHANGE: "Review the deployment of {service}: it is new in B. Roll back if it is urgent.",
}


def _advice(cause: Cause) -> str:
    peer = cause.peer_service
    to, at = (f" to {peer}", f" at {peer}") if peer else ("", "")
    text = ADVICE.get(cause.finding) or (TOWARDS_PEER if peer else WITHOUT_PEER)[cause.kind]
    return text.format(service=cause.service, operation=cause.operation, peer=peer, to=to, at=at)
