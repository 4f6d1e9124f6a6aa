"""Alignment: which groups of the two traces are the same operation at the same place.

Both group trees are walked top-down together. Groups with equal keys match. What is left over among the
children of a matched pair is rescued, in this order:

1. *loosely equal*: same service, name and target, another statement or path: merged into one pair; or the same in all
   but the service, where A's is gone from B and B's is new in it; or the one far end of one call;
2. *another layer*: one side has a proxy, middleware or a service that sent no spans in between:

       A   POST /orders                      B   POST /orders
             GET cart  ->  GET /cart                GET /cart          (the caller's span is missing)

   the inner groups match; the layers stay one-sided;
3. *renamed*: same place and the same work below under another name.

The result is a tree of `Pair`s; every group of either side is in exactly one pair, so sums over pairs
are sums over traces. Linear in the number of groups (the bounded search of step 2 aside).
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from analysis import semconv
from analysis.model import SpanKind
from analysis.notes import Note, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analysis.operation_key import OperationKey
    from analysis.options import CompareOptions
    from analysis.profile import CallGroup, Profile

LAYER_SEARCH = 400  # groups looked at below one leftover when searching for a moved layer
RENAME_SEARCH = 40  # leftovers on one side considered for renaming; more are no rename but another program


class Pair:
    """Groups of the baseline and of the suspect that are the same operation; either side may be empty."""

    __slots__ = ("baseline", "children", "how", "key", "parent", "suspect")

    def __init__(
        self, key: OperationKey, parent: Pair | None, how: str, baseline: list[CallGroup], suspect: list[CallGroup]
    ) -> None:
        self.key = key
        self.parent = parent
        self.how = how  # "same", "loose", "moved", "renamed", "only", or "layer": only stands between matched ones
        self.baseline = baseline
        self.suspect = suspect
        self.children: list[Pair] = []

    def upwards(self) -> Iterator[Pair]:
        """Walk from the pair itself to the outermost caller."""
        pair: Pair | None = self
        while pair is not None:
            yield pair
            pair = pair.parent


class Alignment(Struct, frozen=True, kw_only=True):
    """All pairs, parents first; `reason` says why the traces are not comparable (then no pair is two-sided)."""

    pairs: list[Pair]
    reason: str
    notes: tuple[Note, ...]


def align(baseline: Profile, suspect: Profile, options: CompareOptions) -> Alignment:
    """Align two profiles whose keys come from one `OperationKeys`."""
    keys = baseline.keys
    in_a, in_b = ({resource.service for resource in side.resources} for side in (baseline, suspect))
    builder = _Builder(keys, options, in_a ^ in_b)
    tops = _match_roots(baseline, suspect, keys, options)
    if tops is None:
        a, b = (_request(side.root, keys, options) for side in (baseline, suspect))
        builder.start([baseline.root], [], None)
        builder.start([], [suspect.root], None)
        builder.run()
        reason = f"A is {a}, B is {b}: two different operations"
        return Alignment(pairs=builder.pairs, reason=reason, notes=())
    top_a, top_b = tops
    notes: list[Note] = []
    if top_a is not baseline.root or top_b is not suspect.root:
        side = "A" if top_a is not baseline.root else "B"
        notes.append(
            Note(
                code="outer-layer",
                severity=Severity.INFO,
                count=1,
                text=f"{side} was entered through a layer that the other trace does not show",
            )
        )
    parent = None
    layers_a, layers_b = _chain(top_a), _chain(top_b)
    builder.taken.update(map(id, (*layers_a, *layers_b, top_a, top_b)))
    for layer in layers_a:
        parent = builder.start([layer], [], parent)
    for layer in layers_b:
        parent = builder.start([], [layer], parent)
    builder.start([top_a], [top_b], parent)
    builder.run()
    if builder.renamed:
        notes.append(
            Note(
                code="renamed-operations",
                severity=Severity.INFO,
                count=builder.renamed,
                text="operations carry another name on the other side; they were matched by place and work",
            )
        )
        for ours, theirs in sorted(builder.renamed_services):
            text = f"{theirs} in B stands where {ours} does in A; they were taken for one service"
            notes.append(Note(code="renamed-service", severity=Severity.INFO, count=1, text=text))
    return Alignment(pairs=builder.pairs, reason="", notes=tuple(notes))


def _chain(group: CallGroup) -> list[CallGroup]:
    """Return the groups above `group`, outermost first."""
    chain = []
    above = group.parent
    while above is not None:
        chain.append(above)
        above = above.parent
    return chain[::-1]


def _match_roots(
    baseline: Profile, suspect: Profile, keys: list[OperationKey], options: CompareOptions
) -> tuple[CallGroup, CallGroup] | None:
    a, b = baseline.root, suspect.root
    key_a, key_b = keys[a.key], keys[b.key]
    asked_a, asked_b = _asked(a, keys, options), _asked(b, keys, options)
    if asked_a and asked_b and not asked_a & asked_b:
        return None
    if key_a.loose == key_b.loose:
        return None if _enter_elsewhere(a, b, keys, options) else (a, b)
    # A gateway or sidecar around the request on one side; nearest first, the same whichever side it is on.
    in_b, in_a = (
        [
            (depth, inner)
            for depth, inner in _below(outer, options.layer_depth)
            if inner.key == key and _forwards(inner, options)
        ]
        for outer, key in ((b, a.key), (a, b.key))
    )
    found = [(depth, (a, inner)) for depth, inner in in_b] + [(depth, (inner, b)) for depth, inner in in_a]
    if found:
        return min(found, key=lambda match: (match[0], keys[match[1][0].key].words))[1]
    if key_a.method and key_b.method and key_a.method != key_b.method:
        return None
    alike = key_a.name == key_b.name or (key_a.detail and key_a.detail == key_b.detail)
    same_service = key_a.service == key_b.service
    if alike and (same_service or _likeness(a, b, keys) >= options.same_work):
        return a, b
    if same_service and _method(key_a) == _method(key_b) and _likeness(a, b, keys) >= options.same_request:
        return a, b
    return None


def _asked(root: CallGroup, keys: list[OperationKey], options: CompareOptions) -> set[str]:
    """Return what a request asks for by a name in its body, as the process that serves it says before it calls others.

    All of GraphQL, JSON-RPC or SOAP enters at one address: the roots are equal, whatever is asked for.

        POST /graphql  ->  graphql.execute (query ProductPage)      POST /graphql  ->  graphql.execute (query History)
    """
    layer = [root]
    if keys[root.key].kind in semconv.CALLING:
        layer = [end for end in root.children.values() if _answers(end, root, keys)]
    for _ in range(options.layer_depth + 1):
        asked = {keys[group.key].asked for group in layer} - {""}
        if asked:
            return asked
        layer = [child for group in layer for child in group.children.values() if _inside(child, group, keys)]
    return set()


def _inside(child: CallGroup, group: CallGroup, keys: list[OperationKey]) -> bool:
    """Tell whether a group's child is work of the same process, no call."""
    its = keys[child.key]
    return its.service == keys[group.key].service and its.kind not in semconv.CALLING


def _request(root: CallGroup, keys: list[OperationKey], options: CompareOptions) -> str:
    """Name a request: its root, and what it asks for where that says more."""
    its = keys[root.key]
    asked = sorted(name for name in _asked(root, keys, options) if name not in its.name)
    return f"{its.service} {its.name}" + (f" ({', '.join(asked)})" if asked else "")


def _enter_elsewhere(a: CallGroup, b: CallGroup, keys: list[OperationKey], options: CompareOptions) -> bool:
    """Tell whether two callers of one name (a browser, a load generator) call different operations."""
    kinds = {keys[a.key].kind, keys[b.key].kind}
    # Who sends no kinds has servers among callers: then only their addresses, which differ, say that they are callers.
    untold = kinds == {SpanKind.UNSPECIFIED} and a.key != b.key
    if not untold and not kinds.issubset(semconv.CALLING):
        return False
    in_a, in_b = ([end for end in root.children.values() if _answers(end, root, keys)] for root in (a, b))
    return bool(in_a and in_b) and not any(_same_request(one, two, keys, options) for one in in_a for two in in_b)


def _answers(end: CallGroup, caller: CallGroup, keys: list[OperationKey]) -> bool:
    its = keys[end.key]
    other = its.service != keys[caller.key].service
    return its.kind is SpanKind.SERVER or (its.kind is SpanKind.UNSPECIFIED and other)


def _same_request(a: CallGroup, b: CallGroup, keys: list[OperationKey], options: CompareOptions) -> bool:
    return keys[a.key].name == keys[b.key].name or _likeness(a, b, keys) >= options.same_request


def _forwards(inner: CallGroup, options: CompareOptions) -> bool:
    """Tell whether what stands above a request is a way to it, not a larger request of which it is a part."""
    outer = inner
    alone = inner.calls == 1
    while outer.parent is not None:
        outer = outer.parent
        alone = alone and len(outer.children) == 1
    return alone or inner.longest_ns >= options.forwarded_share * outer.total_ns


def _method(key: OperationKey) -> str:
    return key.method or (key.name.partition(" ")[0] if key.category == "http" else "")


def _below(group: CallGroup, depth: int) -> Iterator[tuple[int, CallGroup]]:
    """Yield (depth, group) of the groups below, nearest first, within `depth` layers and a bounded number."""
    return islice(_breadth_first(group, depth), LAYER_SEARCH)


def _breadth_first(group: CallGroup, depth: int) -> Iterator[tuple[int, CallGroup]]:
    queue = deque((child, 1) for child in group.children.values())
    while queue:
        inner, level = queue.popleft()
        yield level, inner
        if level < depth:
            queue.extend((child, level + 1) for child in inner.children.values())


def _likeness(a: CallGroup, b: CallGroup, keys: list[OperationKey]) -> float:
    """Return the share of equal children (Jaccard index), blind to the service, which may be renamed too."""
    one = {(keys[key].name, keys[key].detail) for key in a.children}
    two = {(keys[key].name, keys[key].detail) for key in b.children}
    shared = len(one & two)
    return shared / len(one | two) if shared else 0.0


def _same_detail(its: OperationKey) -> object | None:
    return (its.service, its.category, its.detail, its.method) if its.detail else None


class _Moved(NamedTuple):
    """A group that stands deeper on one side than its equal, a leftover, on the other."""

    depth: int
    key: int  # of the leftover
    below: CallGroup
    top: CallGroup  # the leftover above `below`
    in_baseline: bool  # the side of `below`


class _Builder:
    """Grows the tree of pairs from the top."""

    def __init__(self, keys: list[OperationKey], options: CompareOptions, one_sided: set[str]) -> None:
        self.keys = keys
        self.one_sided = one_sided  # services that one of the traces alone shows: possibly renamed
        self.options = options
        self.pairs: list[Pair] = []
        self.taken: set[int] = set()  # groups matched ahead of their place in the walk
        self.renamed = 0
        self.renamed_services: set[tuple[str, str]] = set()
        self._layers: set[int] = set()  # groups standing above one that was matched ahead
        self._work: deque[Pair] = deque()

    def start(self, a: list[CallGroup], b: list[CallGroup], parent: Pair | None, how: str = "same") -> Pair:
        """Add a pair under `parent` and put it on the work list."""
        group = (b or a)[0]
        pair = Pair(self.keys[group.key], parent, how if a and b else "only", a, b)
        if how == "renamed":
            self.renamed += 1
            services = (self.keys[a[0].key].service, self.keys[b[0].key].service)
            if services[0] != services[1]:
                self.renamed_services.add(services)
        if parent is not None:
            parent.children.append(pair)
        self.pairs.append(pair)
        self._work.append(pair)
        return pair

    def run(self) -> None:
        """Expand pairs until every group has its place."""
        while self._work:
            self._expand(self._work.popleft())
        if self._layers:
            for pair in self.pairs:
                if pair.how == "only" and any(id(group) in self._layers for group in pair.baseline or pair.suspect):
                    pair.how = "layer"

    def _expand(self, pair: Pair) -> None:
        left_a = self._children(pair.baseline)
        left_b = self._children(pair.suspect)
        for key in [key for key in left_a if key in left_b]:
            self.start(left_a.pop(key), left_b.pop(key), pair)
        if left_a and left_b:  # else nothing can match, and looking for it would take long
            self._match_loosely(pair, left_a, left_b)
            self._match_through_layers(pair, left_a, left_b)
            self._match_renamed(pair, left_a, left_b)
        for groups in left_a.values():
            self.start(groups, [], pair)
        for groups in left_b.values():
            self.start([], groups, pair)

    def _children(self, groups: list[CallGroup]) -> dict[int, list[CallGroup]]:
        children: dict[int, list[CallGroup]] = {}
        for group in groups:
            for key, child in group.children.items():
                if id(child) not in self.taken:
                    children.setdefault(key, []).append(child)
        return children

    def _match_loosely(
        self, pair: Pair, left_a: dict[int, list[CallGroup]], left_b: dict[int, list[CallGroup]]
    ) -> None:
        """Merge leftovers that are the same in what matters; each way of being so is tried on what others leave."""
        self._merge(pair, left_a, left_b, "loose", lambda its: its.loose)
        self._merge(pair, left_a, left_b, "renamed", _same_detail)
        if self.one_sided:
            self._merge(pair, left_a, left_b, "renamed", self._same_but_for_service)
        if len(left_a) == len(left_b) == 1 and self._one_far_end(pair, *left_a, *left_b):
            self._merge(pair, left_a, left_b, "renamed", lambda _: ())

    def _same_but_for_service(self, its: OperationKey) -> object | None:
        return (its.name, its.kind, its.category, its.detail) if its.service in self.one_sided else None

    def _one_far_end(self, call: Pair, a: int, b: int) -> bool:
        """Tell whether both keys are of what answers one call, which says by its path what it asks for."""
        one, two = self.keys[a], self.keys[b]
        says = call.key.kind is SpanKind.CLIENT and "/" in call.key.detail
        renamed = one.service in self.one_sided and two.service in self.one_sided
        same_place = one.service == two.service or renamed
        return says and same_place and one.kind is two.kind is SpanKind.SERVER

    def _merge(
        self,
        pair: Pair,
        left_a: dict[int, list[CallGroup]],
        left_b: dict[int, list[CallGroup]],
        how: str,
        same: Callable[[OperationKey], object | None],
    ) -> None:
        """Make one pair of all leftovers of both sides for which `same` says the same, unless it is None."""
        buckets: dict[object, tuple[list[int], list[int]]] = {}
        for side, left in enumerate((left_a, left_b)):
            for key in left:
                what = same(self.keys[key])
                if what is not None:
                    buckets.setdefault(what, ([], []))[side].append(key)
        for ours, theirs in buckets.values():
            if ours and theirs:
                a = [group for key in ours for group in left_a.pop(key)]
                b = [group for key in theirs for group in left_b.pop(key)]
                self.start(a, b, pair, how)

    def _match_through_layers(
        self, pair: Pair, left_a: dict[int, list[CallGroup]], left_b: dict[int, list[CallGroup]]
    ) -> None:
        """Match leftovers of either side with groups deeper below the other side's leftovers, nearest first."""
        found = [
            *self._seen_below(left_a, left_b, in_baseline=True),
            *self._seen_below(left_b, left_a, in_baseline=False),
        ]
        for match in sorted(found, key=self._nearness):
            left, others = (left_b, left_a) if match.in_baseline else (left_a, left_b)
            if match.key not in left or match.top.key not in others:
                continue
            self.taken.add(id(match.below))
            layer = match.below.parent
            while layer is not None and layer is not match.top.parent:
                self._layers.add(id(layer))
                layer = layer.parent
            groups = left.pop(match.key)
            a, b = ([match.below], groups) if match.in_baseline else (groups, [match.below])
            self.start(a, b, pair, "moved")

    def _seen_below(
        self, outer: dict[int, list[CallGroup]], inner: dict[int, list[CallGroup]], *, in_baseline: bool
    ) -> Iterator[_Moved]:
        """Find groups below the leftovers `outer` of one side that equal a leftover `inner` of the other."""
        loose = {self.keys[key].loose: key for key in sorted(inner, key=self._text, reverse=True)}
        for groups in outer.values():
            for top in groups:
                for depth, below in _below(top, self.options.layer_depth):
                    key = below.key if below.key in inner else loose.get(self.keys[below.key].loose)
                    if key is not None and id(below) not in self.taken:
                        yield _Moved(depth, key, below, top, in_baseline)

    def _nearness(self, match: _Moved) -> tuple[int, tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """Order matches nearest first; ties by what they are, never by their side, so that swapping mirrors."""
        return (match.depth, self._text(match.key), self._text(match.below.key), self._text(match.top.key))

    def _text(self, key: int) -> tuple[str, ...]:
        return self.keys[key].words

    def _match_renamed(
        self, pair: Pair, left_a: dict[int, list[CallGroup]], left_b: dict[int, list[CallGroup]]
    ) -> None:
        """Match leftovers doing mostly the same work below, best first."""
        if len(left_a) > RENAME_SEARCH or len(left_b) > RENAME_SEARCH:
            return
        scored: list[tuple[float, tuple[str, ...], tuple[str, ...], int, int]] = []
        for a_key, a_groups in left_a.items():
            for b_key, b_groups in left_b.items():
                if self._kinds_fit(self.keys[a_key].kind, self.keys[b_key].kind):
                    score = _likeness(a_groups[0], b_groups[0], self.keys)
                    if score >= self.options.same_work:
                        one, two = sorted((self._text(a_key), self._text(b_key)))
                        scored.append((-score, one, two, a_key, b_key))
        for _, _, _, a_key, b_key in sorted(scored):
            if a_key in left_a and b_key in left_b:
                self.start(left_a.pop(a_key), left_b.pop(b_key), pair, "renamed")

    @staticmethod
    def _kinds_fit(a: SpanKind, b: SpanKind) -> bool:
        return a is b or SpanKind.UNSPECIFIED in (a, b) or SpanKind.INTERNAL in (a, b)
