"""`Profile`: one trace summed up by call path, the form in which two traces are compared.

Spans with the same call path (the chain of operation keys from the root) form a `CallGroup`:

    GET /cart                          group 1
      GET catalog/products             group 2   one call
        SELECT ... FROM stock          group 3   47 calls, summed
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from analysis import semconv
from analysis.critical_path import CriticalPath, critical_path
from analysis.model import Resource
from analysis.operation_key import OperationKey
from analysis.repair import repair
from analysis.tree import DETACHED, SpanTree, self_times

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.model import Span, Trace
    from analysis.operation_key import OperationKeys
    from analysis.options import CompareOptions


class CallGroup:
    """All spans of one call path in one trace, and their sums (ns)."""

    __slots__ = (
        "after_ns",
        "before_ns",
        "calls",
        "children",
        "detached",
        "errors",
        "eventful",
        "exposed_ns",
        "held_ns",
        "key",
        "longest",
        "longest_ns",
        "parent",
        "self_ns",
        "spans",
        "total_ns",
    )

    def __init__(self, key: int, parent: CallGroup | None) -> None:
        self.key = key
        self.parent = parent
        self.children: dict[int, CallGroup] = {}
        self.spans: list[int] = []
        self.eventful: list[int] = []  # those of `spans` that recorded events
        self.longest = -1  # of `spans`; among equals the earliest, then by id
        self.longest_ns = -1
        self.detached = False  # runs after or beside the response, which did not wait for it
        self.calls = 0
        self.errors = 0
        self.total_ns = 0  # whole durations
        self.self_ns = 0  # own work: not covered by held spans, on the critical path or not
        self.held_ns = 0  # added up durations of held spans, as far as they lie in their holder's
        self.exposed_ns = 0  # own time on the critical path
        self.before_ns = 0  # part of exposed_ns before the first child
        self.after_ns = 0  # part of exposed_ns after the last child


class Profile(Struct, frozen=True, kw_only=True):
    """A repaired trace with its critical path, grouped by call path."""

    tree: SpanTree
    path: CriticalPath
    own_ns: list[int]  # self time per span
    groups: list[CallGroup]  # parents before children
    names: frozenset[str]  # of all attributes of its spans and events
    resources: list[Resource]  # the distinct processes, by their earliest spans
    keys: list[OperationKey]  # shared by both sides of a comparison

    @property
    def root(self) -> CallGroup:
        """The root span's group."""
        return self.groups[0]

    @property
    def failed(self) -> bool:
        """Tell whether the request itself failed, not only something inside it."""
        return semconv.failed(self.tree.spans[self.tree.root])

    def spans_of(self, group: CallGroup) -> list[Span]:
        """Return the group's spans, in time order."""
        spans = self.tree.spans
        return [spans[i] for i in sorted(group.spans, key=self.tree.starts.__getitem__)]


def profile(trace: Trace, keys: OperationKeys, options: CompareOptions) -> Profile:
    """Repair a trace, find its critical path and sum it up by call path."""
    tree = repair(trace, options)
    path = critical_path(tree, options.rounding_ns)
    own_ns, held_ns = self_times(tree)
    spans, parents, starts, ends = tree.spans, tree.parents, tree.starts, tree.ends
    holders = tree.holders
    exposed, before, after = path.exposed, path.before, path.after
    number = keys.number
    top = CallGroup(number(spans[tree.root]), None)
    groups = [top]
    group_of: list[CallGroup] = [top] * len(spans)
    for i in tree.order:
        span = spans[i]
        parent = parents[i]
        if parent >= 0:
            caller = group_of[parent]
            key = number(span)
            group = caller.children.get(key)
            if group is None:
                group = CallGroup(key, caller)
                caller.children[key] = group
                groups.append(group)
            group_of[i] = group
            if caller.detached or holders[i] == DETACHED:
                group.detached = True
        else:
            group = top
        group.spans.append(i)
        group.calls += 1
        if span.error:
            group.errors += 1
        if span.events:
            group.eventful.append(i)
        took = ends[i] - starts[i]
        group.total_ns += took
        if took > group.longest_ns:
            group.longest, group.longest_ns = i, took
        elif took == group.longest_ns:
            rival = group.longest
            if (starts[i], span.span_id) < (starts[rival], spans[rival].span_id):
                group.longest = i
        group.self_ns += own_ns[i]
        group.held_ns += held_ns[i]
        on_path = exposed[i]
        if on_path:
            group.exposed_ns += on_path
            group.before_ns += before[i]
            group.after_ns += after[i]
    return Profile(
        tree=tree,
        path=path,
        own_ns=own_ns,
        groups=groups,
        names=trace.attribute_names(),
        resources=list({id(span.resource): span.resource for span in spans}.values()),
        keys=keys.keys,
    )


def queue_wait(groups: Iterable[CallGroup], side: Profile) -> int:
    """Return the longest time (ns) from the end of sending to the start of processing, for groups of consumers."""
    tree = side.tree
    longest = 0
    for group in groups:
        for i in group.spans:
            sender = tree.parents[i]
            if sender >= 0:
                sent = tree.ends[sender] if tree.spans[sender].kind in semconv.CALLING else tree.starts[sender]
                longest = max(longest, tree.starts[i] - sent)
    return longest
