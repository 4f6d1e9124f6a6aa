"""cache-missed: the cache is asked as before, but now what stands behind it is called as well.

    A   load |----|                         B   load |---------------------|
          GET  |-|    hit                         GET  |-|                      miss
                                                  SELECT   |-------------|      new
                                                  SET                     |-|   new: filled again

Known by the refill (the cache is written where it was only read), or by the lookup's own attribute. An empty, full
or unreachable cache, a changed key or a shorter lifetime look like this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from analysis import semconv
from analysis.findings.base import Candidate, Context, example, label
from analysis.findings.dependencies import changed, changed_calls
from analysis.findings.differences import settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.align import Pair

CODE = "cache-missed"
TITLE = "Cache no longer hits"


def find(context: Context) -> Iterable[Candidate]:
    """Yield callers that go past their cache."""
    for caller, came, went in changed_calls(context):
        evidence = missed(caller, came, context)
        if not evidence:
            continue
        stores = [pair for pair in came if not _is_cache(pair, context)]
        made = changed(caller, stores, went, context, came=True)
        claims = dict(made.claims)
        for refill in came:
            claims.update(context.claims_below(refill))
        yield replace(
            made,
            finding=CODE,
            title=TITLE,
            claims=claims,
            summary=f"{made.summary}: its cache no longer has the answer",
            evidence=[*evidence, *made.evidence],
        )


def missed(caller: Pair, came: list[Pair], context: Context) -> list[str]:
    """Say what shows that calls are new because a lookup misses; empty when nothing does."""
    if context.mirrored or all(_is_cache(pair, context) for pair in came):
        return []
    lookups = [pair for pair in caller.children if pair.baseline and pair.suspect and _is_cache(pair, context)]
    said = [
        f"{label(pair)}: {difference.text}"
        for pair in (*lookups, caller)
        for difference in settings(pair, context)
        if "hit" in difference.name.lower() or "cache" in difference.name.lower()
    ]
    if not lookups:
        return said
    written = [pair for pair in caller.children if _is_cache(pair, context) and _more(pair, context)]
    said += [f"{label(pair)}: the cache is written in B, not in A" for pair in written]
    return [f"{label(lookups[0])}: asked on both sides", *said] if said else []


def _more(pair: Pair, context: Context) -> bool:
    share = context.share_of[id(pair)]
    return share.suspect.calls > share.baseline.calls


def _is_cache(pair: Pair, context: Context) -> bool:
    system = semconv.first(example(pair, context).attributes, semconv.DB_SYSTEM).lower()
    return any(name in system for name in semconv.CACHES)
