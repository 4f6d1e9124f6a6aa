"""error-appeared: an operation fails that did not fail before, told where the failure began.

    A   gateway  |--------------|            B   gateway  |-------|          still ok: swallowed
          recommend |--------|                     recommend |X|             KeyError, 500
            catalog   |-----|

Failures travel upwards, so the deepest failing span is where it began; middleware spans that merely
repeat the status of their caller (`http send`) are not deeper, they are echoes. A call that ran out of time
and one that was refused by a rate limit are told as such (`timed-out`, `rate-limited`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from analysis import semconv
from analysis.align import Pair
from analysis.comparison import CauseKind
from analysis.findings.base import Candidate, Context, Tier, longest_spans, name_of, once
from analysis.model import SpanKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analysis.model import Event, Span

CODE = "error-appeared"
TITLE = "New error"

MESSAGE = 300  # characters of an error's message that can tell it from others
_GIVEN_UP = re.compile(r"cancel|\b499\b", re.IGNORECASE)
_VARYING = re.compile(r"[\w.:@%+-]*\d[\w.:@%+-]*")  # a word with a number in it: an id, a host, an amount


class Failures(Struct, frozen=True):
    """The pairs that fail on one side only (or more often there), and those of them where failures began."""

    failing: dict[int, Pair]
    started: list[Pair]


def find(context: Context) -> Iterable[Candidate]:
    """Yield one candidate per place where new failures begin."""
    failures = beginnings(context)
    for pair in failures.started:
        worst = worst_of(pair, context)
        if not semconv.throttled(worst) and not out_of_time(worst, context):
            yield failure(pair, failures, context)


@once
def beginnings(context: Context) -> Failures:
    """Return what fails anew in the suspect and where it began."""
    return _failures(context, gone=False)


def endings(context: Context) -> Failures:
    """Return what failed in the baseline only and where it began."""
    return _failures(context, gone=True)


def _failures(context: Context, *, gone: bool) -> Failures:
    failing = {}
    for pair in context.alignment.pairs:
        share = context.share_of[id(pair)]
        old, new = share.baseline.errors, share.suspect.errors
        if old > new if gone else new > old:
            failing[id(pair)] = pair
    if not failing:
        return Failures({}, [])
    sources = [pair for pair in failing.values() if not _is_echo(pair, failing, context)]
    above: set[int] = set()  # pairs with a source somewhere below them
    for pair in sources:
        outer = pair.parent
        while outer is not None and id(outer) not in above:
            above.add(id(outer))
            outer = outer.parent
    return Failures(failing, [pair for pair in sources if id(pair) not in above])


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
    spans, starts = context.suspect.tree.spans, context.suspect.tree.starts
    return [
        spans[i]
        for group in pair.suspect
        if group.errors
        for i in sorted((i for i in group.spans if spans[i].error), key=starts.__getitem__)
    ]


def worst_of(pair: Pair, context: Context) -> Span:
    """Return the suspect's longest failing span of a pair."""
    return max(failed_spans(pair, context), key=lambda span: span.end_ns - span.start_ns)


def is_exception(event: Event) -> bool:
    """Tell whether an event records an exception."""
    return event.name == "exception" or "exception.type" in event.attributes


def exception(span: Span) -> Event | None:
    """Return the span's last exception event."""
    return next((event for event in reversed(span.events) if is_exception(event)), None)


def describe(span: Span) -> str:
    """Say in a few words how a span failed: exception, status code and message."""
    return stated(span) or "error"


def stated(span: Span) -> str:
    """Return what a span says of how it failed, or ""."""
    event = exception(span)
    if event is not None:
        kind = semconv.first(event.attributes, ("exception.type",))
        message = _line(semconv.first(event.attributes, ("exception.message",)))
        if kind or message:
            return f"{kind}: {message}" if kind and message else kind or message
    code, message = semconv.status_code(span), _line(span.status_message)
    if code and code not in {"OK", "200"}:
        return f"status {code}: {message}" if message and code not in message else message or f"status {code}"
    return message or semconv.first(span.attributes, ("error.type",))


def reason(span: Span, clean: Callable[[str], str]) -> tuple[str, str, str]:
    """Say why a span failed, without what is another thing each time; `clean` takes out what is secret."""
    event = exception(span)
    kind = message = ""
    if event is not None:
        kind = semconv.first(event.attributes, ("exception.type",))
        message = semconv.first(event.attributes, ("exception.message",))
    kind = kind or semconv.first(span.attributes, ("error.type",))
    line = clean(_line(message or span.status_message))
    return (semconv.status_code(span), kind, _VARYING.sub("{}", line[:MESSAGE]))


def _line(text: str) -> str:
    """Return the first line of a text."""
    return text.strip().split("\n", 1)[0]


def out_of_time(span: Span, context: Context) -> bool:
    """Tell whether a failed span ran out of time: it says so, or its end just after a round duration does.

    A duration is a guess: it counts where the span gives no reason, or only that somebody gave up.
    """
    if semconv.timed_out(span):
        return True
    said = stated(span)
    return timeout_of(span.end_ns - span.start_ns, context) > 0 and (not said or _GIVEN_UP.search(said) is not None)


def timeout_of(took_ns: int, context: Context) -> int:
    """Return the round duration that `took_ns` sits on, or 0."""
    for limit in context.options.timeout_round_ns:
        if limit <= took_ns <= limit * (1 + context.options.timeout_slack):
            return limit
    return 0


def failure(pair: Pair, failures: Failures, context: Context) -> Candidate:
    """Return the candidate of one place where failures began."""
    spans = failed_spans(pair, context)
    service, operation = name_of(pair, context)
    worst = worst_of(pair, context)
    what = describe(worst)
    share = context.share_of[id(pair)]
    a, b = share.baseline, share.suspect
    claims = {key: max(0, ns) for key, ns in context.claims_below(pair).items()} if not context.mirrored else {}
    return Candidate(
        finding=CODE,
        title=TITLE,
        kind=CauseKind.ERROR,
        tier=Tier.FAILURE,
        service=service,
        operation=operation,
        peer_service=peer_of(pair, context, worst),
        pair=pair,
        claims=claims,
        certain=True,
        summary=f"{operation} in {service} fails: {what}",
        evidence=[
            f"{b.errors} of {b.calls} calls fail in B, {a.errors} of {a.calls} in A: {what}",
            _reach(pair, failures.failing, context),
        ],
        affects="response",
        baseline_spans=longest_spans(pair.baseline, context.baseline, context.options.max_span_ids),
        suspect_spans=[span.span_id for span in spans[: context.options.max_span_ids]],
    )


def _reach(pair: Pair, failing: dict[int, Pair], context: Context) -> str:
    """Say how far the failure travelled: as an error, or as an answer that refuses where it did not before."""
    last = pair
    above = pair.parent
    while above is not None and (id(above) in failing or _refusals(above, context)):
        last = above
        above = above.parent
    if above is None:
        how = (
            "the request failed" if id(last) in failing else f"it answers {', '.join(sorted(_refusals(last, context)))}"
        )
        return f"the error reached the root: {how}"
    return f"the error stops at {last.key.service}: {above.key.name} in {above.key.service} does not report it"


def _refusals(pair: Pair, context: Context) -> set[str]:
    """Return the failing codes that only the suspect's spans of a pair answer with."""
    a, b = (
        {semconv.status_code(side.tree.spans[i]) for group in groups for i in group.spans}
        for groups, side in ((pair.baseline, context.baseline), (pair.suspect, context.suspect))
    )
    return set(filter(semconv.failing, b - a))


def peer_of(pair: Pair, context: Context, call: Span | None = None) -> str | None:
    """Name the other end of a call: the service that answered, else the address that was called (by `call`, if given).

    A message is answered by nobody: its sender waits for the broker, not for who reads it later.
    """
    sends = pair.key.kind is SpanKind.PRODUCER
    for child in pair.children if not sends else ():
        if child.key.service != pair.key.service:
            return child.key.service
    if pair.key.kind not in semconv.CALLING:
        return None
    if call is None:
        groups, side = (pair.suspect, context.suspect) if pair.suspect else (pair.baseline, context.baseline)
        call = side.tree.spans[groups[0].spans[0]]
    name = semconv.peer(call) or (semconv.first(call.attributes, semconv.MESSAGING_SYSTEM) if sends else "")
    return name if name and name != call.service else None  # a span of what is called has no other end
