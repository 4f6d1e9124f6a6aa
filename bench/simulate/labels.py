"""What an expert would say about a pair, worked out from what really happened.

The schema is that of a recorded pair's `label.json`, with additions: `effect_ms` (what the fault alone added to
the root, known because the same request was also run without it), `strength` and `knowable`.

An expert sees spans, not faults. So a service whose spans are missing may be named by the call that shows it, a
slow connection by either of its ends where no other connection tells which, and a fault that chance hides
entirely need not be found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.model import Span, Trace
    from bench.simulate.execution import Activity
    from bench.simulate.faults.base import Plan
    from bench.simulate.instrumentation import Recorded


class Facts(TypedDict):
    """One trace at a glance."""

    trace_id: str
    root_ms: float
    spans: int
    orphans: int
    services: list[str]
    error_spans: int


class Label(TypedDict):
    """What is true about a pair."""

    fault: str
    operation: str
    comparable: bool
    regression: bool
    mode: str  # as of the plan, or "improvement"
    strength: str  # "clear" | "modest" | "hidden"
    noisy: bool  # two healthy requests that differ by chance as faults do
    incomplete: bool  # spans did not arrive
    verdicts_also_right: list[str]
    knowable: bool
    latency_regression: bool
    error_regression: bool
    error_spans: bool
    services_changed: bool
    effect_ms: float
    kind: str
    kinds_accepted: list[str]
    root_cause_service: list[str]
    root_cause_operation: list[str]
    root_cause_spans_b: list[str]
    notes: str
    healthy: Facts
    faulty: Facts
    delta_root_ms: float
    ratio_root: float


CLEAR_RATIO, CLEAR_MS = 1.5, 20.0  # beyond this any two healthy requests of a system differ rarely
VISIBLE_RATIO, VISIBLE_MS = 1.15, 1.0  # below this nobody can tell from two traces
MAIN_PART = 0.6  # of the difference that the fault must explain to be "the" cause
NEW = ("new_calls", "more_calls")  # what a slow call looks like that A did not make
UNSEEN = ("self_time_increase", "wait_gap")  # what a fault looks like whose own spans are missing
DOMINANT = 0.75  # of all that the fault added: one connection with so much of it could be slow by itself


class Run:
    """One executed and recorded request."""

    def __init__(self, root: Activity, recorded: Recorded) -> None:
        self.root = root
        self.trace = recorded.trace
        self._spans_of = recorded.spans_of

    def spans(self, activity: Activity | None) -> list[Span]:
        """Return the spans that show an activity."""
        return self._spans_of.get(id(activity), []) if activity is not None else []

    def shown(self, activity: Activity | None) -> list[Span]:
        """Return the spans of an activity, or of the nearest one above that has any."""
        while activity is not None:
            spans = self.spans(activity)
            if spans or activity.asynchronous:  # who does not wait does not show it
                return spans
            activity = activity.parent
        return []

    @property
    def response_ms(self) -> float:
        """Duration of the trace's root span."""
        root = _root(self.trace)
        return (root.end_ns - root.start_ns) / 1e6


def make_label(fault: str, plan: Plan, baseline: Run, suspect: Run, undisturbed_ms: float) -> Label:
    """Label a pair; `undisturbed_ms` is how long the suspect's request takes without the fault."""
    faulty = baseline if plan.swapped else suspect
    other = suspect if plan.swapped else baseline
    services, spans, unseen = _blamed(plan, faulty)
    more = UNSEEN * unseen + NEW * _new_by_chance(faulty, other)
    kinds = plan.kinds + tuple(k for k in more if k not in plan.kinds)
    strength = _strength(plan, other, faulty, undisturbed_ms)
    new_errors = any(s.error for s in faulty.trace.spans) and not any(s.error for s in other.trace.spans)
    error = plan.mode == "error" and new_errors and not plan.swapped
    causeless = plan.mode in ("none", "identical", "different")
    anywhere = "*" in plan.operations and plan.mode == "latency"
    knowable = plan.knowable and (causeless or anywhere or bool(spans) or _gone(plan, baseline))
    knowable = knowable and (plan.mode != "error" or new_errors)
    return {
        "fault": fault,
        "operation": _root(baseline.trace).name,
        "comparable": plan.mode != "different",
        "regression": not causeless and not plan.swapped,
        "mode": "improvement" if plan.swapped else plan.mode,
        "strength": strength,
        "noisy": plan.mode == "none" and _noisy(baseline.response_ms, suspect.response_ms),
        "incomplete": bool(plan.recording.hidden or plan.recording.lost or plan.recording.lost_tail),
        "verdicts_also_right": list(plan.also_right),
        "knowable": knowable,
        "latency_regression": strength == "clear" and not plan.swapped and plan.mode in ("latency", "error"),
        "error_regression": error,
        "error_spans": new_errors,
        "services_changed": _services(baseline) != _services(suspect),
        "effect_ms": round(faulty.root.ms - undisturbed_ms, 3),
        "kind": plan.kinds[0],
        "kinds_accepted": list(kinds),
        "root_cause_service": sorted(services),
        "root_cause_operation": _patterns(plan, spans),
        "root_cause_spans_b": [] if plan.swapped else sorted({s.span_id for s in spans}),
        "notes": plan.notes,
        "healthy": _facts(baseline),
        "faulty": _facts(suspect),
        "delta_root_ms": round(suspect.response_ms - baseline.response_ms, 3),
        "ratio_root": round(suspect.response_ms / max(1e-6, baseline.response_ms), 3),
    }


def _strength(plan: Plan, other: Run, faulty: Run, undisturbed_ms: float) -> str:
    """Say how well the response time shows the fault: "clear", "modest" or "hidden"."""
    if plan.mode in ("none", "identical", "different"):
        return "hidden"
    low, high = other.response_ms, faulty.response_ms
    effect, delta = faulty.root.ms - undisturbed_ms, high - low
    if plan.mode == "path" and delta < 0:  # something fell away: the same scale, downwards
        low, high, effect, delta = high, low, -effect, -delta
    if delta <= 0 or effect < MAIN_PART * delta:
        return "hidden"
    if high >= CLEAR_RATIO * low and delta >= CLEAR_MS:
        return "clear"
    return "modest" if high >= VISIBLE_RATIO * low and delta >= VISIBLE_MS else "hidden"


def _noisy(a_ms: float, b_ms: float) -> bool:
    """Tell whether two healthy requests differ so much by chance that anybody would call one slow."""
    low, high = sorted((a_ms, b_ms))
    return high >= CLEAR_RATIO * low and high - low >= CLEAR_MS


def _new_by_chance(faulty: Run, other: Run) -> bool:
    """Tell whether the fault sits in calls that the other request did not make."""
    known = {a.subject.id for a in other.root.walk()}
    return any(a.blame and a.subject.id not in known for a in faulty.root.walk())


def _gone(plan: Plan, baseline: Run) -> bool:
    """Tell whether A shows anything of the steps that B does not run."""
    gone = {step for step, others in plan.conditions.replace.items() if not others}
    return any(baseline.spans(inner) for a in baseline.root.walk() if a.subject.id in gone for inner in a.walk())


def _blamed(plan: Plan, run: Run) -> tuple[set[str], list[Span], bool]:
    """Return the services to accept, the spans that show the fault, and whether its own spans are missing."""
    services, unseen = set(plan.services), False
    if not services:
        return services, [], unseen
    blames = [(a, where, ms) for a in run.root.walk() for where, ms in a.blame.items()]
    total = sum(ms for _, _, ms in blames)
    places: dict[tuple[str, str], float] = {}
    for activity, where, ms in blames:
        place = _edge(activity) if where == "edge" else (activity.instance.service.name, "")
        places[place] = places.get(place, 0.0) + ms
    main = max(places, key=lambda place: places[place], default=("", ""))
    one_edge = plan.either_end or (main[1] != "" and places[main] >= DOMINANT * total)
    spans: list[Span] = []
    for activity, where, _ in blames:
        shown = _shown_at(activity, where, run)
        if where == "edge" and (one_edge or _half_seen(activity, run)):
            unseen = unseen or _half_seen(activity, run)
            services |= {s.service for s in shown}
        if where == "own" and not run.spans(activity):
            unseen = True
            services |= {s.service for s in shown}
        spans.extend(shown)
    if not services & {s.service for s in run.trace.spans}:
        services |= {s.service for s in spans}
    if plan.mode == "error":  # whoever passes the failure on within the service shows it as well
        spans.extend(s for s in run.trace.spans if s.error and s.service in services)
    spans.extend(_named(plan, run, {id(a) for a, _, _ in blames}))
    return services, spans, unseen


def _edge(activity: Activity) -> tuple[str, str]:
    """Return both ends of the connection on which an activity lost time."""
    if activity.role == "server" and activity.parent is not None:
        return activity.parent.instance.service.name, activity.instance.service.name
    callee = activity.children[0].instance.service.name if activity.children else "store"
    return activity.instance.service.name, callee


def _ends(activity: Activity) -> tuple[Activity | None, Activity | None]:
    """Return the client and the server activity of the connection."""
    if activity.role == "server":
        return activity.parent, activity
    return activity, activity.children[0] if activity.children else None


def _half_seen(activity: Activity, run: Run) -> bool:
    """Tell whether one end of a connection has no spans, so that the other must stand for both."""
    client, server = _ends(activity)
    return not run.spans(client) or not run.spans(server)


def _shown_at(activity: Activity, where: str, run: Run) -> list[Span]:
    if where == "own":
        return run.shown(activity)
    client, server = _ends(activity)
    if server is not None and server.asynchronous and client is not None and client.role == "producer":
        return run.spans(client) + run.spans(server) if run.spans(server) else []
    return run.shown(client) + run.spans(server)


def _named(plan: Plan, run: Run, blamed: set[int]) -> list[Span]:
    """Return the spans that the plan's `@` references mean."""
    found: list[Span] = []
    wanted = {o[1:] for o in plan.operations if o.startswith("@")}
    for activity in run.root.walk():
        if str(activity.subject.id) in wanted:
            found += run.shown(activity)
            found += [s for child in activity.children for s in run.spans(child)]
        if "parent" in wanted and id(activity) in blamed and activity.parent is not None:
            found += run.shown(activity.parent)
        if "service" in wanted and activity.instance.service.name in plan.services:
            found += run.shown(activity)
            found += run.spans(activity.parent) if activity.role == "server" else []
    return found


def _patterns(plan: Plan, spans: Iterable[Span]) -> list[str]:
    if "*" in plan.operations:
        return ["*"]
    return sorted({s.name for s in spans} | {o for o in plan.operations if not o.startswith("@")})


def _root(trace: Trace) -> Span:
    return next(s for s in trace.spans if not s.parent_id)


def _services(run: Run) -> list[str]:
    return sorted({s.service for s in run.trace.spans})


def _facts(run: Run) -> Facts:
    trace = run.trace
    ids = {s.span_id for s in trace.spans}
    return {
        "trace_id": trace.trace_id,
        "root_ms": round(run.response_ms, 3),
        "spans": len(trace.spans),
        "orphans": sum(1 for s in trace.spans if s.parent_id and s.parent_id not in ids),
        "services": _services(run),
        "error_spans": sum(1 for s in trace.spans if s.error),
    }
