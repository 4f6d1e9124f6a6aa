"""Next steps: from each cause to something concrete to do, citing the evidence it follows from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind, LinkTarget, NextStep, VerdictKind

if TYPE_CHECKING:
    from analysis.comparison import Cause, Verdict


def next_steps(verdict: Verdict, causes: tuple[Cause, ...], *, with_population: bool) -> tuple[NextStep, ...]:
    """Advise on the causes, most important first; no advice without a finding or a verdict to base it on."""
    steps = [_step(cause) for cause in causes[:3]]
    if verdict.kind is VerdictKind.IDENTICAL:
        steps.append(NextStep(
            text="Both are the same request: nothing here explains a spike. Compare the slow one with a healthy trace "
            "of the same operation.", finding="identical", links=()))  # fmt: skip
    elif verdict.kind is VerdictKind.NOT_COMPARABLE:
        steps.append(NextStep(
            text="Pick two traces of the same operation, or compare each with the typical trace of its own.",
            finding="not-comparable", links=()))  # fmt: skip
    elif not with_population and verdict.confidence != "high":
        steps.append(NextStep(
            text="Compare B with the typical trace of this operation: two single requests can differ by chance.",
            finding="single-sample", links=()))  # fmt: skip
    return tuple(steps)


def _step(cause: Cause) -> NextStep:
    service, operation, peer = cause.service, cause.operation, cause.peer_service
    other = f" and {peer}" if peer else ""
    text = {
        CauseKind.SELF_TIME_INCREASE: (
            f"Look into {operation} in {service} while it is slow: profile it, check CPU limits and locks."
            if not peer
            else f"Check {peer} for what makes {operation} slow: query plan, load, limits; {service} only waits for it."
        ),
        CauseKind.MORE_CALLS: f"Batch the calls of {operation} in {service}, or find what made them multiply.",
        CauseKind.NEW_CALLS: f"Find out why {service} now calls {operation}{f' ({peer})' if peer else ''}: a cache that "
        "stopped hitting, a flag, a deployment.",
        CauseKind.REMOVED_CALLS: f"Check whether {service} is meant to skip {operation}.",
        CauseKind.SERIALISED: f"Let {operation} in {service} issue its calls in parallel again; look at what changed there.",
        CauseKind.WAIT_GAP: f"Check the host and listen queue of {service}: CPU throttling, pauses, connection limits.",
        CauseKind.NETWORK: f"Check the way between {service}{other}: network, proxies, connection set-up, both hosts.",
        CauseKind.ERROR: f"Open the failing span of {operation} in {service} and its logs at that time"
        + (f"; check {peer}." if peer else "."),
        CauseKind.RETRY: f"Find out why {peer or operation} refuses the first tries of {service}; check retry limits and backoff.",
        CauseKind.VERSION_CHANGE: f"Review the deployment of {service}: it brought the new call {operation}; roll back if urgent.",
        CauseKind.MESSAGING_DELAY: f"Check the backlog and the number of consumers of {operation} in {service}.",
    }[cause.kind]
    links = []
    if cause.suspect_span_ids:
        links.append(LinkTarget(kind="span", side="suspect", service=service, span_id=cause.suspect_span_ids[0]))
    elif cause.baseline_span_ids:
        links.append(LinkTarget(kind="span", side="baseline", service=service, span_id=cause.baseline_span_ids[0]))
    links.append(LinkTarget(kind="logs", side="suspect", service=service))
    return NextStep(text=text, finding=cause.finding, links=tuple(links))
