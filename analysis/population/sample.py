"""One trace in reduced form, and which of many are kept: a first of one total order, so that order plays no part."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated

from msgspec import Meta, Struct

from analysis.model import SpanKind
from analysis.notes import Severity
from analysis.profile import CallGroup, Profile, queue_wait

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.operation_key import OperationKey
    from analysis.options import CompareOptions

Count = Annotated[int, Meta(ge=0)]
Name = Annotated[str, Meta(max_length=64)]


class Sample(Struct, frozen=True, array_like=True):
    """One trace in reduced form; `groups`: call path -> exposed time (ns), calls, errors, queue wait (ns)."""

    trace_id: Name
    started_at_ns: int
    response_ns: Count
    partial: bool  # spans are missing, or do not fit together
    groups: dict[Name, tuple[Count, Count, Count, Count]]


def reduce_profile(reduced: Profile, options: CompareOptions) -> tuple[str, Sample]:
    """Return the root's call path and the sample of one trace."""
    paths = call_paths(reduced)
    root = paths[id(reduced.root)]
    groups = {paths[id(g)]: (g.exposed_ns, g.calls, g.errors, _waited(g, reduced)) for g in reduced.groups}
    if len(groups) > options.population_paths:
        rows = sorted(groups.items(), key=lambda row: (row[0] != root, *(-n for n in row[1]), row[0]))
        groups = dict(rows[: options.population_paths])
    return root, Sample(
        trace_id=reduced.tree.trace_id,
        started_at_ns=reduced.tree.origin_ns,
        response_ns=reduced.tree.response_ns,
        partial=any(note.severity is not Severity.INFO for note in reduced.tree.notes),
        groups=dict(sorted(groups.items())),
    )


def _waited(group: CallGroup, reduced: Profile) -> int:
    return queue_wait([group], reduced) if reduced.keys[group.key].kind is SpanKind.CONSUMER else 0


def newest_samples(samples: Iterable[Sample], options: CompareOptions) -> tuple[Sample, ...]:
    """Keep the newest samples, one per trace: of several readings of a trace the newest, then the fullest."""
    newest: dict[str, Sample] = {}
    for sample in sorted(samples, key=_precedence):
        if newest.setdefault(sample.trace_id, sample) is sample and len(newest) == options.population_samples:
            break
    return tuple(reversed(newest.values()))


def _precedence(sample: Sample) -> tuple[object, ...]:
    return (-sample.started_at_ns, sample.trace_id, -len(sample.groups), sample.partial, -sample.response_ns,
            sorted(sample.groups.items()))  # fmt: skip


def call_paths(reduced: Profile) -> dict[int, str]:
    """Return a short stable name of every group's call path, by id(group)."""
    names: dict[int, str] = {}
    for group in reduced.groups:
        above = names[id(group.parent)] if group.parent is not None else ""
        names[id(group)] = blake2b(
            f"{above}>{_text(reduced.keys[group.key])}".encode(errors="surrogatepass"), digest_size=8
        ).hexdigest()
    return names


def _text(key: OperationKey) -> str:
    return f"{key.service}|{key.name}|{key.kind.value}|{key.detail}"
