"""error-appeared: an operation fails that did not fail before, told where the failure began.

    A   gateway  |--------------|            B   gateway  |-------|          still ok: swallowed
          recommend |--------|                     recommend |X|             KeyError, 500
            catalog   |-----|

Failures travel upwards, so the deepest failing span is where it began; middleware spans that merely
repeat the status of their caller (`http send`) are not deeper, they are echoes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis import semconv
from analysis.comparison import CauseKind
from analysis.findings.base import Candidate, Context, Tier, longest_spans, name_of
from analysis.format import duration
from analysis.model import SpanKind
from analysis.operation_key import template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from analysis.align import Pair
    from analysis.model import Event, Span

CODE = "error-appeared"
TITLE = "New error"


def find(context: Context) -> Iterable[Candidate]:
    """Yield one candidate per place where new failures begin."""
    failing = {id(pair): pair for pair in context.alignment.pairs if fails_anew(pair, context)}
    for pair in failing.values():
        if _is_echo(pair, failing, context):
            continue
        if any(id(inner) in failing and not _is_echo(inner, failing, context) for inner in _inner(pair)):
            continue
        yield _candidate(pair, failing, context)


def fails_anew(pair: Pair, context: Context) -> bool:
    """Tell whether more of the pair's calls fail in the suspect than in the baseline."""
    share = context.share_of[id(pair)]
    return share.suspect.errors > share.baseline.errors


def _inner(pair: Pair) -> Iterator[Pair]:
    stack = list(pair.children)
    while stack:
        inner = stack.pop()
        yield inner
        stack.extend(inner.children)


def _is_echo(pair: Pair, failing: dict[int, Pair], context: Context) -> bool:
    above = pair.parent
    return (
        above is not None
        and id(above) in failing
        and pair.key.kind is SpanKind.INTERNAL
        and pair.key.service == above.key.service
        and not any(exception(span) for span in failed_spans(pair, context))
    )


def failed_spans(pair: Pair, context: Context) -> list[Span]:
    """Return the suspect's failing spans of a pair, in time order."""
    return [span for group in pair.suspect for span in context.suspect.spans_of(group) if span.error]


def exception(span: Span) -> Event | None:
    """Return the span's last exception event."""
    for event in reversed(span.events):
        if event.name == "exception" or "exception.type" in event.attributes:
            return event
    return None


def describe(span: Span) -> str:
    """Say in a few words how a span failed: exception, status code or message."""
    event = exception(span)
    if event is not None:
        kind = semconv.first(event.attributes, ("exception.type",))
        message = semconv.first(event.attributes, ("exception.message",)).strip().split("\n", 1)[0]
        if kind or message:
            return f"{kind}: {message}" if kind and message else kind or message
    code = semconv.status_code(span)
    if code and code not in {"OK", "200"}:
        return f"status {code}"
    return span.status_message.strip().split("\n", 1)[0] or semconv.first(span.attributes, ("error.type",)) or "error"


def _candidate(pair: Pair, failing: dict[int, Pair], context: Context) -> Candidate:
    spans = failed_spans(pair, context)
    service, operation = name_of(pair, context)
    worst = max(spans, key=lambda span: span.end_ns - span.start_ns)
    what = describe(worst)
    took = worst.end_ns - worst.start_ns
    share = context.share_of[id(pair)]
    a, b = share.baseline, share.suspect
    evidence = [f"{b.errors} of {b.calls} calls fail in B, {a.errors} of {a.calls} in A: {what}"]
    limit = timeout_of(took, context)
    if limit:
        evidence.append(f"it ends after {duration(took)}, which looks like a timeout of {duration(limit)}")
    evidence.append(_reach(pair, failing))
    claims = {key: max(0, ns) for key, ns in context.claims_below(pair).items()} if not context.mirrored else {}
    return Candidate(
        finding=CODE,
        title=TITLE,
        kind=CauseKind.ERROR,
        tier=Tier.FAILURE,
        service=service,
        operation=operation,
        peer_service=peer_of(pair, context),
        pair=pair,
        claims=claims,
        certain=True,
        summary=f"{operation} in {service} fails: {what}" + (f" after {duration(took)}" if limit else ""),
        evidence=evidence,
        affects="response",
        baseline_spans=longest_spans(pair.baseline, context.baseline, context.options.max_span_ids),
        suspect_spans=[span.span_id for span in spans[: context.options.max_span_ids]],
    )


def _reach(pair: Pair, failing: dict[int, Pair]) -> str:
    """Say how far the failure travelled."""
    last = pair
    above = pair.parent
    while above is not None and id(above) in failing:
        last = above
        above = above.parent
    if above is None:
        return "the error reached the root: the request failed"
    return f"the error stops at {last.key.service}: {above.key.name} in {above.key.service} does not report it"


def timeout_of(took_ns: int, context: Context) -> int:
    """Return the round duration that `took_ns` sits on, or 0."""
    for limit in context.options.timeout_round_ns:
        if limit <= took_ns <= limit * (1 + context.options.timeout_slack):
            return limit
    return 0


def peer_of(pair: Pair, context: Context) -> str | None:
    """Name the other end of a call: the service that answered, else the address that was called."""
    for child in pair.children:
        if child.key.service != pair.key.service:
            return child.key.service
    if pair.key.kind in semconv.CALLING:
        groups, side = (pair.suspect, context.suspect) if pair.suspect else (pair.baseline, context.baseline)
        return template(semconv.peer(side.tree.spans[groups[0].spans[0]])) or None
    return None
