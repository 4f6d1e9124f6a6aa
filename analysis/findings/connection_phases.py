"""Connection phases: how long a call resolved names, connected and shook hands, where its client says so.

    client   |--dns--|-----connect-----|--tls--|.......|  request and response
                    events or attributes of the client's span

HTTP clients report these as pairs of events (`http.connect.start`, `http.connect.done`) or as attributes with a unit
(`connect_time_ms`); those that report them as spans need nothing here: such spans stand for themselves.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from analysis.format import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from analysis.align import Pair
    from analysis.findings.base import Context
    from analysis.model import Span
    from analysis.profile import CallGroup, Profile

PHASES = ("dns", "connect", "tls", "acquire")
_WORD = re.compile(
    r"(?P<dns>dns|lookup)|(?P<tls>tls|ssl|handshake)|(?P<acquire>get[ _.-]?conn|acquire(?!r))|(?P<connect>connect)",
    re.IGNORECASE,
)
_END = re.compile(r"(?:done|end|ended|complete|completed|finish|finished|success|gotconn)$", re.IGNORECASE)
_TIME = re.compile(r"(?:time|duration|latency)?[._]?(?P<unit>ns|us|ms|s)$", re.IGNORECASE)
_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
SPANS = 50  # calls of one side looked at


def phases(pair: Pair, context: Context) -> Iterator[str]:
    """Say which phase of setting up its connections takes longer than before."""
    after = _measured(pair.suspect, context.suspect)
    before = _measured(pair.baseline, context.baseline) if after else {}
    for phase in PHASES:
        old, new = before.get(phase, 0), after.get(phase, 0)
        if abs(new - old) > context.options.group_noise_ns:
            yield f"{phase}: {duration(old)} in A, {duration(new)} in B"


def _measured(groups: list[CallGroup], side: Profile) -> dict[str, int]:
    """Sum up the phases (ns) over the calls of one side."""
    timed = _timed(side.names)
    total: dict[str, int] = {}
    for i in [i for group in groups for i in group.spans[:SPANS]][:SPANS]:
        for phase, ns in _of_span(side.tree.spans[i], timed).items():
            total[phase] = total.get(phase, 0) + ns
    return total


@lru_cache(maxsize=4)  # both traces of a comparison; asked for every slower call of it
def _timed(names: frozenset[str]) -> dict[str, tuple[str, int]]:
    """Return phase and unit (ns) of each attribute of a trace that states how long a phase took."""
    found = ((name, phase_of(name), _TIME.search(name)) for name in names)
    return {name: (phase, _NS[time["unit"].lower()]) for name, phase, time in found if phase and time}


def _of_span(span: Span, timed: dict[str, tuple[str, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    attributes = span.attributes if timed else {}
    for key in timed.keys() & attributes.keys():
        value, (phase, unit_ns) = attributes[key], timed[key]
        if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e15:
            found[phase] = max(found.get(phase, 0), int(value * unit_ns))
    began: dict[str, int] = {}
    for event in span.events:
        phase = phase_of(event.name)
        if not phase:
            continue
        if _END.search(event.name):
            if phase in began:
                found[phase] = found.get(phase, 0) + max(0, event.time_ns - began.pop(phase))
        else:
            began.setdefault(phase, event.time_ns)
    return found


def phase_of(name: str) -> str:
    """Return the phase that a name speaks of, one of `PHASES`; "" for none."""
    match = _WORD.search(name)
    return match.lastgroup or "" if match else ""
