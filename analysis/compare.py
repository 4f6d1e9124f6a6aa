"""The pipeline, in one screen.

decode -> repair -> critical path -> profile --+
                                               +-> align -> attribute -> findings -> causes -> verdict
decode -> repair -> critical path -> profile --+
"""

from __future__ import annotations

from heapq import nsmallest
from typing import TYPE_CHECKING

from msgspec import structs

from analysis import semconv
from analysis.align import Alignment, align
from analysis.attribute import attribute
from analysis.causes import explain
from analysis.collector import collector_paused
from analysis.comparison import (
    SCHEMA_VERSION,
    Cause,
    Comparison,
    Confidence,
    Contribution,
    Durations,
    Finding,
    PopulationView,
    Side,
    Verdict,
    VerdictKind,
)
from analysis.edges import edges
from analysis.findings.base import Candidate, Context, longest_span
from analysis.findings.registry import find_all
from analysis.fingerprint import fingerprint
from analysis.format import duration, timestamp
from analysis.notes import Note, Severity
from analysis.operation_key import OperationKeys
from analysis.options import DEFAULTS, CompareOptions
from analysis.population import Population, recent
from analysis.profile import Profile, profile
from analysis.redact import redact
from analysis.sensitive import Redactor
from analysis.standing import group_usual, standing, unusual, view
from analysis.steps import next_steps
from analysis.timeline import timeline
from analysis.verdict import judge, measure, worsens

if TYPE_CHECKING:
    from analysis.align import Pair
    from analysis.attribute import Attribution, Share
    from analysis.explanation import Explanation
    from analysis.model import Trace
    from analysis.tree import SpanTree
    from analysis.verdict import Change

WAITED_FOR = 2  # of what a failed call waited for: the innermost comes first, the rest are its callers
PATH_LENGTH = 32  # callers listed for one contribution: a chain of 100,000 spans must not cost its square


@collector_paused()
def compare(
    baseline: Trace, suspect: Trace, population: Population | None = None, options: CompareOptions = DEFAULTS
) -> Comparison:
    """Compare two traces of one operation and explain the difference.

    `population`: recent traces of the same operation, which tell a real change from normal variation.
    Never raises for decoded traces; what cannot be judged becomes a verdict or a note.
    """
    context, notes = _lay_out(baseline, suspect, population, options)
    comparison = _answer(context, notes)
    _take_apart(context)
    return redact(comparison, context.redactor) if context.redactor is not None else comparison


def _lay_out(
    baseline: Trace, suspect: Trace, population: Population | None, options: CompareOptions
) -> tuple[Context, list[Note]]:
    """Run all stages before the findings."""
    redactor = Redactor.of(options)
    keys = OperationKeys(redactor)
    a, b = profile(baseline, keys, options), profile(suspect, keys, options)
    alignment = align(a, b, options)
    attribution = attribute(alignment, options)
    others, unused = recent(population, a, b, options)
    context = Context(
        baseline=a,
        suspect=b,
        alignment=alignment,
        attribution=attribution,
        edges=edges(alignment, a, b),
        norms=others.norms if others is not None else None,
        recent=others,
        options=options,
        mirrored=False,
        redactor=redactor,
    )
    return context, [*_notes(context), *unused]


def _answer(context: Context, notes: list[Note]) -> Comparison:
    a, b, reason = context.baseline, context.suspect, context.alignment.reason
    if same_content(a, b):
        return _assemble(context, _identical(context), [], [], notes)
    if reason:
        verdict = Verdict(
            kind=VerdictKind.NOT_COMPARABLE,
            confidence=Confidence.HIGH,
            headline=f"not comparable: {reason}",
            reasons=(reason,),
        )
        return _assemble(context, verdict, [], [], notes)
    change = measure(a.tree.response_ns, b.tree.response_ns, context)
    candidates, explanations = _explained(change, context)
    faster = change.direction < 0 and (change.significant or change.modest)
    if faster and not any(worsens(e.candidate, context) for e in explanations):
        context = structs.replace(context, mirrored=True)
        candidates, explanations = _explained(change, context)
    verdict = judge(change, explanations, context, notes)
    return _assemble(context, verdict, explanations, candidates, notes)


def _take_apart(context: Context) -> None:
    """Part callers from callees, which name each other: else it took the collector to find out that they are garbage.

    Its look at all of them costs 0.3 us per span of traces of 10,000 spans; this costs a tenth of that.
    """
    for groups in (context.baseline.groups, context.suspect.groups):
        for group in groups:
            group.children.clear()
    for pair in context.alignment.pairs:
        pair.children.clear()


def _explained(change: Change, context: Context) -> tuple[list[Candidate], list[Explanation]]:
    """Find what differs, and what of it explains the difference."""
    candidates = unusual(find_all(context), context)
    return candidates, explain(candidates, context, significant=change.apart)


def same_content(a: Profile, b: Profile) -> bool:
    """Tell whether both sides are the same trace, or at least the same spans in everything but ids."""
    one, two = a.tree, b.tree
    if len(one.spans) != len(two.spans) or one.response_ns != two.response_ns:
        return False
    if sorted(one.starts) != sorted(two.starts) or sorted(one.ends) != sorted(two.ends):
        return False
    return one.spans == two.spans or _contents(one) == _contents(two)


def _contents(tree: SpanTree) -> list[str]:
    """Write out what every span says, but for ids; as text, because a number that is none equals nothing."""
    starts, ends, spans, parents = tree.starts, tree.ends, tree.spans, tree.parents
    return sorted(
        repr((
            *(starts[i], ends[i], s.name, s.kind, s.error, s.status_message, s.follows_from, s.resource, s.attributes),
            [(event.name, event.time_ns - tree.origin_ns, event.attributes) for event in s.events],
            (starts[parent], spans[parent].name) if (parent := parents[i]) >= 0 else None,
        ))
        for i, s in enumerate(spans)
    )  # fmt: skip


def _identical(context: Context) -> Verdict:
    tree = context.suspect.tree
    groups = sorted(context.suspect.groups, key=lambda g: (-g.exposed_ns, context.suspect.keys[g.key].name))
    most = groups[0]
    span = tree.spans[most.spans[0]]
    return Verdict(
        kind=VerdictKind.IDENTICAL,
        confidence=Confidence.HIGH,
        headline=f"these two traces do not differ: nothing here explains a spike; in both, {duration(most.exposed_ns)} "
        f"of {duration(tree.response_ns)} is spent in {span.name}" + (f" ({span.service})" if span.service else ""),
        reasons=(
            "both are the same trace"
            if context.baseline.tree.trace_id == tree.trace_id
            else "both traces have the same spans with the same times",
        ),
    )


def _notes(context: Context) -> list[Note]:
    a, b = context.baseline, context.suspect
    notes = [_on_side(note, side) for side, p in (("A", a), ("B", b)) for note in p.tree.notes]
    notes.extend(context.alignment.notes)
    seen_a, seen_b = ({resource.service for resource in side.resources} for side in (a, b))
    for service, side in [(s, "B") for s in sorted(seen_a - seen_b)] + [(s, "A") for s in sorted(seen_b - seen_a)]:
        tree = (b if side == "B" else a).tree
        if any(note.code == "missing-parents" for note in tree.notes) and service:
            notes.append(
                Note(
                    code="missing-service",
                    severity=Severity.SERIOUS,
                    count=1,
                    text=f"{service} sent no spans in {side}: what it did is missing there",
                )
            )
    return notes


def _on_side(note: Note, side: str) -> Note:
    return Note(code=note.code, severity=note.severity, count=note.count, text=f"{side}: {note.text}")


def _assemble(
    context: Context,
    verdict: Verdict,
    explanations: list[Explanation],
    candidates: list[Candidate],
    notes: list[Note],
) -> Comparison:
    a, b = context.baseline.tree, context.suspect.tree
    comparable = verdict.kind not in (VerdictKind.IDENTICAL, VerdictKind.NOT_COMPARABLE)
    kept = _kept(explanations, context) if comparable else []
    causes = tuple(_cause(rank, e, context, verdict.kind) for rank, e in enumerate(kept, 1))
    population = _population(verdict, causes, context)
    return Comparison(
        schema_version=SCHEMA_VERSION,
        verdict=verdict,
        baseline=_side(context.baseline),
        suspect=_side(context.suspect),
        response_time=_durations(a.response_ns, b.response_ns),
        completion_time=_durations(a.completion_ns, b.completion_ns),
        causes=causes,
        contributions=_contributions(context.attribution, context),
        findings=tuple(
            _finding(candidate, context) for candidate in _largest(candidates, context.options.max_findings)
        ),
        next_steps=next_steps(
            verdict, causes, tuple(e.candidate.pair.key for e in kept), kept[0].hints if kept else [], population
        ),
        notes=tuple(notes),
        timeline=timeline(
            context.attribution, context.baseline, context.suspect, [e.candidate.pair for e in explanations[:2]]
        ),
        population=population,
    )


def _population(verdict: Verdict, causes: tuple[Cause, ...], context: Context) -> PopulationView | None:
    if context.recent is None or verdict.kind is VerdictKind.NOT_COMPARABLE:
        return None
    return view(context.recent, causes[0].population if causes else None, context)


def _durations(baseline_ns: int, suspect_ns: int) -> Durations:
    return Durations(baseline_ns=baseline_ns, suspect_ns=suspect_ns, delta_ns=suspect_ns - baseline_ns)


def _kept(explanations: list[Explanation], context: Context) -> list[Explanation]:
    """Keep the first cause and every further one that explains enough of the difference or is certain."""
    options = context.options
    delta = context.attribution.delta_ns
    kept = [
        e
        for rank, e in enumerate(explanations)
        if rank == 0 or e.candidate.certain or e.weight_ns >= options.cause_share * max(1, abs(delta))
    ]
    return kept[: options.max_causes]


def _cause(rank: int, e: Explanation, context: Context, verdict: VerdictKind) -> Cause:
    c, options = e.candidate, context.options
    sign = -1 if context.mirrored else 1
    completion = context.suspect.tree.completion_ns - context.baseline.tree.completion_ns
    whole = completion if c.affects == "completion" else context.attribution.delta_ns
    explained = sign * (e.explained_ns if c.affects == "response" and not c.off_path_ns else c.off_path_ns)
    return Cause(
        rank=rank,
        finding=c.finding,
        kind=c.kind,
        service=c.service,
        operation=c.operation,
        peer_service=c.peer_service,
        delta_ns=explained,
        share=_part(explained, whole, options),
        baseline_span_ids=tuple(c.baseline_spans),
        suspect_span_ids=tuple(c.suspect_spans),
        evidence=_evidence(e, options),
        summary=c.summary,
        symptoms=tuple(dict.fromkeys(symptom.summary for symptom in e.symptoms))[: options.max_symptoms],
        population=standing(c, context.recent, context, verdict) if context.recent is not None else None,
        fingerprint=fingerprint(c, context),
    )


def _part(explained: int, whole: int, options: CompareOptions) -> float:
    """Return which part of a difference is explained, at most all of it; 0.0 for what is no part of it."""
    part = explained / whole if whole else 0.0
    return round(min(1.0, part), 4) if 0 < part < options.made_up_for else 0.0


def _evidence(e: Explanation, options: CompareOptions) -> tuple[str, ...]:
    """List what a cause is known by, then what else differs there, unless that has been said."""
    inside = [f"it waited for this: {candidate.summary}" for candidate in e.waited_for[:WAITED_FOR]]
    own = [*e.candidate.evidence[:1], *inside, *e.candidate.evidence[1:]]
    hints = [hint.summary for hint in e.hints if not any(text in own for text in hint.evidence)]
    return tuple([*own, *hints][: options.max_evidence])


def _largest(candidates: list[Candidate], most: int) -> list[Candidate]:
    """Return at most so many candidates, those that claim most, in their own order."""
    if len(candidates) <= most:
        return candidates
    weights = [(-max(c.claimed_ns, c.off_path_ns), not c.certain, i) for i, c in enumerate(candidates)]
    return [candidates[i] for i in sorted(i for *_, i in nsmallest(most, weights))]


def _finding(c: Candidate, context: Context) -> Finding:
    sign = -1 if context.mirrored else 1
    return Finding(
        finding=c.finding,
        title=c.title,
        service=c.service,
        operation=c.operation,
        peer_service=c.peer_service,
        delta_ns=sign * (c.claimed_ns or c.off_path_ns),
        affects=c.affects,
        baseline_span_ids=tuple(c.baseline_spans),
        suspect_span_ids=tuple(c.suspect_spans),
        evidence=tuple(c.evidence[: context.options.max_evidence]),
        summary=c.summary,
    )


def _contributions(attribution: Attribution, context: Context) -> tuple[Contribution, ...]:
    paths: dict[int, tuple[tuple[str, str, str], ...]] = {}
    made = []
    for share in attribution.shares:
        pair = share.pair
        above = paths.get(id(pair.parent), ()) if pair.parent is not None else ()
        path = (*above, (pair.key.service, pair.key.name, pair.key.kind.value))[-PATH_LENGTH:]
        paths[id(pair)] = path
        made.append(_contribution(share, path, context))
    made.sort(key=lambda c: (-abs(c.delta_ns), -max(c.baseline_exposed_ns, c.suspect_exposed_ns), c.path, c.detail))
    return tuple(made)


def _contribution(share: Share, path: tuple[tuple[str, str, str], ...], context: Context) -> Contribution:
    pair, a, b = share.pair, share.baseline, share.suspect
    return Contribution(
        path=path,
        service=pair.key.service,
        operation=_name(pair, context),
        kind=pair.key.kind.value,
        detail=pair.key.further,
        baseline_exposed_ns=a.exposed_ns,
        suspect_exposed_ns=b.exposed_ns,
        delta_ns=share.delta_ns,
        baseline_calls=a.calls,
        suspect_calls=b.calls,
        baseline_errors=a.errors,
        suspect_errors=b.errors,
        baseline_ns=a.total_ns,
        suspect_ns=b.total_ns,
        baseline_span_id=longest_span(pair.baseline, context.baseline).span_id if pair.baseline else "",
        suspect_span_id=longest_span(pair.suspect, context.suspect).span_id if pair.suspect else "",
        parts=share.parts,
        usual=group_usual(pair, context.norms) if context.norms is not None else None,
    )


def _name(pair: Pair, context: Context) -> str:
    groups, side = (pair.suspect, context.suspect) if pair.suspect else (pair.baseline, context.baseline)
    spans = side.tree.spans
    return min({spans[i].name for i in groups[0].spans})


def _side(p: Profile) -> Side:
    tree = p.tree
    root = tree.spans[tree.root]
    versions: dict[str, str] = {}
    for resource in p.resources:
        version = semconv.version(resource)
        if version:
            versions[resource.service] = version
    return Side(
        trace_id=tree.trace_id,
        root=f"{root.service} {root.name}".strip(),
        root_service=root.service,
        root_operation=root.name,
        root_span_id=root.span_id,
        started_at=timestamp(tree.origin_ns),
        started_at_ns=tree.origin_ns,
        response_time_ns=tree.response_ns,
        completion_time_ns=tree.completion_ns,
        spans=len(tree.spans),
        services=tuple(sorted({resource.service for resource in p.resources})),
        errors=sum(group.errors for group in p.groups),
        versions=dict(sorted(versions.items())),
    )


__all__ = ["Alignment", "compare"]
