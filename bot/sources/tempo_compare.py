"""Tempo's `compare()`: of all spans of a window, how frequent each value is among the picked ones and the others. Pure.

    { ... } | compare({ duration > 512ms }, 10)    -> four kinds of series, told apart by `__meta_type`

    selection        zone = b: 131   zone = a: 5    values among the picked spans, the most frequent of each attribute
    baseline         zone = a: 611   zone = b: 301  the same among the others
    *_total          zone: 136       zone: 912      all of either that have the attribute, or lack it

Some attributes are counted more than once a span (`name`): shares are of the attribute's own totals.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from bot.sources.metrics import Contrast, Contrasts
from bot.sources.tempo_metrics import over_all

if TYPE_CHECKING:
    from bot.sources.base import TraceQuery
    from bot.sources.metrics import Picked

MOST = 10  # values of each attribute in an answer; Tempo's own number
META = "__meta_type"
ABSENT = "nil"
SPAN_SCOPES = ("span.", "resource.")  # of what is said of a span itself, and not by Tempo


class _Label(Struct, gc=False):
    key: str
    value: dict[str, Any] | None = None


class _Series(Struct):
    labels: list[_Label] | None = None
    value: float = 0.0  # not sent when it is 0


class _Answer(Struct):
    series: list[_Series] | None = None


def compare_parameters(query: TraceQuery, picked: Picked) -> dict[str, str]:
    """Return what `/api/metrics/query` is asked; over a range it would send every number for every step."""
    its = "status = error" if picked.slower_than_ns is None else f"duration > {max(1, picked.slower_than_ns // 1000)}us"
    return over_all(query, f"compare({{ {its} }}, {MOST})")


def read_contrasts(body: bytes) -> Contrasts:
    """Read an answer; raises `msgspec.MsgspecError`."""
    counts: dict[str, dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for series in msgspec.json.decode(body, type=_Answer, strict=False).series or ():
        labels = {label.key: _text(label.value) for label in series.labels or ()}
        kind = labels.pop(META, "")
        for attribute, value in labels.items():
            counts[attribute][kind][value] = series.value
    picked = others = 0
    values: list[Contrast] = []
    for attribute, of in counts.items():
        all_picked, all_others = (sum(of[f"{kind}_total"].values()) for kind in ("selection", "baseline"))
        if not attribute.startswith(SPAN_SCOPES) or not all_picked or not all_others:
            continue
        picked, others = max(picked, round(all_picked)), max(others, round(all_others))
        name = attribute.partition(".")[2]
        values += [
            Contrast(name, value, min(1.0, count / all_picked), _share(of["baseline"], value, all_others))
            for value, count in of["selection"].items()
            if value != ABSENT
        ]
    return Contrasts(picked, others, tuple(values))


def _share(counts: dict[str, float], value: str, total: float) -> float:
    """Return which share has a value; one that is not among the most frequent may have as much as the least of them."""
    least = min(counts.values()) if len(counts) >= MOST else 0.0
    return min(1.0, counts.get(value, least) / total)


def _text(value: dict[str, Any] | None) -> str:
    """Write a value as attributes are written: the wire says its type in the name of its only field."""
    its = next(iter(value.values()), "") if value else ""
    return str(its).lower() if isinstance(its, bool) else str(its)
