"""What a finding sees and what it returns.

A finding is a function `find(context) -> Iterable[Candidate]`. It is silent without a change between the
two traces. A candidate claims nanoseconds of pairs; when several claim the same ones, `causes.py` keeps
the more fundamental explanation and lists the other as its symptom.

For a comparison whose suspect is *faster*, the same findings run with the sides exchanged: `before` is
then the suspect, `after` the baseline, and texts still say what A and B did.
"""

from __future__ import annotations

from enum import IntEnum
from functools import cached_property, wraps
from heapq import nsmallest
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct, structs

from analysis.align import Alignment, Pair
from analysis.attribute import Attribution
from analysis.comparison import CauseKind
from analysis.edges import Edge
from analysis.format import shorten
from analysis.options import CompareOptions
from analysis.population import Norms, Recent
from analysis.profile import Profile
from analysis.sensitive import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analysis.attribute import Share, Sums
    from analysis.model import Span
    from analysis.profile import CallGroup


Result = TypeVar("Result")


class Tier(IntEnum):
    """How fundamental an explanation is: a lower tier takes nanoseconds before a higher one."""

    FAILURE = 0  # errors, retries, timeouts: what goes wrong explains what takes long
    STRUCTURE = 1  # calls that are new, gone, repeated, serialised, queued
    SHARED = 2  # one process, instance or edge behind several slow spans
    REASON = 3  # one operation that takes longer, and its spans say why
    TIME = 4  # one operation or edge that takes longer
    CONTEXT = 5  # what differs around the request without taking time


class Candidate(Struct, kw_only=True):
    """A possible cause: what it claims (pair -> ns, in the direction of the change) and how to say it."""

    finding: str
    title: str
    kind: CauseKind
    tier: Tier
    service: str
    operation: str
    summary: str
    pair: Pair
    claims: dict[int, int]
    peer_service: str | None = None
    evidence: list[str] = []
    affects: str = "response"
    off_path_ns: int = 0  # change that lies outside the response time (completion)
    certain: bool = False  # a change of structure or outcome, which no noise produces
    baseline_spans: list[str] = []
    suspect_spans: list[str] = []

    @property
    def claimed_ns(self) -> int:
        """Sum of all claims."""
        return sum(self.claims.values())

    @property
    def aside(self) -> bool:
        """Tell whether it only differs: worth a line among what else changed, never a cause by itself."""
        return self.tier is Tier.CONTEXT and not self.certain


class Context(Struct, frozen=True, kw_only=True, dict=True):
    """Everything the stages before know, read only; what several findings work out of it is kept (`dict=True`)."""

    baseline: Profile
    suspect: Profile
    alignment: Alignment
    attribution: Attribution
    edges: list[Edge]
    norms: Norms | None  # what is usual; None without a population that says it
    options: CompareOptions
    mirrored: bool  # the suspect is faster: `before` and `after` are exchanged
    recent: Recent | None = None  # the population itself
    redactor: Redactor | None = None  # for what is cut or put together; everything else is redacted at the end

    def clean(self, text: str) -> str:
        """Remove what is secret from a text of which a template is made: what is left of a secret says nothing."""
        return text if self.redactor is None else self.redactor.text(text)

    def brief(self, text: str, width: int, name: str = "") -> str:
        """Shorten a text, the value of an attribute when it has a `name`; what is secret in it goes first.

        Half a secret would not be recognised any more.
        """
        return shorten(text if self.redactor is None else self.redactor.value(name, text), width)

    def growth(self, share: Share) -> int:
        """Return the pair's delta in the direction of the overall change (ns, positive = explains it)."""
        return -share.delta_ns if self.mirrored else share.delta_ns

    def before(self, share: Share) -> Sums:
        """Return the sums of the quicker trace."""
        return share.suspect if self.mirrored else share.baseline

    def after(self, share: Share) -> Sums:
        """Return the sums of the slower trace."""
        return share.baseline if self.mirrored else share.suspect

    @property
    def answers(self) -> bool:
        """Tell whether the slower request as a whole succeeds, whatever fails inside it."""
        return not (self.baseline if self.mirrored else self.suspect).failed

    def noise(self, share: Share) -> int:
        """Return how much a pair's exposed time (ns) may grow without meaning anything."""
        before = self.before(share).exposed_ns
        usual = int(self.options.group_noise_ns + self.options.group_noise_ratio * before)
        if self.norms is not None:
            return max(self.norms.limit([share.pair]) - before, self.options.group_noise_ns)
        return usual

    def claims_below(self, pair: Pair) -> dict[int, int]:
        """Return the growth of every pair in a subtree."""
        share_of = self.share_of
        claims = {}
        stack = [pair]
        while stack:
            inner = stack.pop()
            claims[id(inner)] = self.growth(share_of[id(inner)])
            stack.extend(inner.children)
        return claims

    @cached_property
    def share_of(self) -> dict[int, Share]:
        """Index shares by pair."""
        return self.attribution.by_pair

    @cached_property
    def known(self) -> dict[object, Any]:
        """What was worked out once for all findings, by function (see `once`)."""
        return {}

    def span_ids(self, pair: Pair) -> tuple[list[str], list[str]]:
        """Return ids of the pair's spans on both sides, longest first, bounded."""
        limit = self.options.max_span_ids
        return (
            longest_spans(pair.baseline, self.baseline, limit),
            longest_spans(pair.suspect, self.suspect, limit),
        )


def once(work: Callable[[Context], Result]) -> Callable[[Context], Result]:
    """Decorate what several findings ask of a context: it is worked out for the first, and all get the same object."""

    @wraps(work)
    def of(context: Context) -> Result:
        known: dict[object, Result] = context.known
        if work not in known:
            known[work] = work(context)
        return known[work]

    return of


def differs(
    code: str,
    title: str,
    kind: CauseKind,
    pair: Pair,
    context: Context,
    *,
    summary: str,
    evidence: list[str],
    peer_service: str | None = None,
    certain: bool = False,
    baseline_spans: list[str] | None = None,
    suspect_spans: list[str] | None = None,
) -> Candidate:
    """Return a candidate for what differs around a pair without taking time; by default it names all its spans."""
    service, operation = name_of(pair, context)
    baseline_ids, suspect_ids = context.span_ids(pair)
    return Candidate(
        finding=code,
        title=title,
        kind=kind,
        tier=Tier.CONTEXT,
        service=service,
        operation=operation,
        peer_service=peer_service,
        pair=pair,
        claims={},
        affects="nothing",
        certain=certain,
        summary=summary,
        evidence=evidence,
        baseline_spans=baseline_ids if baseline_spans is None else baseline_spans,
        suspect_spans=suspect_ids if suspect_spans is None else suspect_spans,
    )


def because(made: Candidate, code: str, title: str, reason: str, evidence: list[str]) -> Candidate:
    """Return a candidate of what takes longer with the reason for it: it follows the times in one sentence."""
    return structs.replace(
        made,
        finding=code,
        title=title,
        tier=Tier.REASON,
        summary=f"{made.summary}: {reason}",
        evidence=[*evidence, *(text for text in made.evidence if text not in evidence)],
    )


def longest_spans(groups: Iterable[CallGroup], side: Profile, limit: int) -> list[str]:
    """Return the ids of the longest spans of some groups."""
    starts, ends, spans = side.tree.starts, side.tree.ends, side.tree.spans
    of_groups = [i for group in groups for i in group.spans]
    if len(of_groups) == 1:
        return [spans[of_groups[0]].span_id]
    longest = nsmallest(limit, of_groups, key=lambda i: (starts[i] - ends[i], starts[i], spans[i].span_id))
    return [spans[i].span_id for i in longest]


def longest_span(groups: list[CallGroup], side: Profile) -> Span:
    """Return the longest span of some groups (at least one); among equals the earliest, then by id."""
    tree = side.tree
    if len(groups) == 1:
        return tree.spans[groups[0].longest]
    longest = (group.longest for group in groups)
    return tree.spans[
        min(longest, key=lambda i: (tree.starts[i] - tree.ends[i], tree.starts[i], tree.spans[i].span_id))
    ]


def label(pair: Pair) -> str:
    """Say what a pair does: its detail where that says more than its name (the statement of a `SELECT`)."""
    name, detail = pair.key.name, pair.key.further
    if not detail:
        return name
    return detail if detail.startswith(name) else f"{name} {detail}"


def name_of(pair: Pair, context: Context) -> tuple[str, str]:
    """Return the real service and span name of a pair, as the suspect (else the baseline) sent them."""
    span = example(pair, context)
    return span.service, span.name


def example(pair: Pair, context: Context) -> Span:
    """Return the longest span of the pair, from the suspect where it has one."""
    if pair.suspect:
        return longest_span(pair.suspect, context.suspect)
    return longest_span(pair.baseline, context.baseline)
