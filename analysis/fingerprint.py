"""Fingerprints: what makes a cause the same one when it comes back.

    today      SELECT * FROM orders WHERE id = 4711   on pod-a   +1.14 s   ->  1-52c1...
    tomorrow   SELECT * FROM orders WHERE id = 9000   on pod-x   +0.30 s   ->  1-52c1...
    tomorrow   SELECT * FROM prices WHERE id = 4711   on pod-a   +1.14 s   ->  1-8fd3...

It is made of what happened (the sort of trouble, and whether things got worse), where it did (what the service does,
ids levelled; of a slow process the service alone, of a slow line its two ends), and of what was said of it (type,
status and message of an error, levelled; the version that came). It is not made of ids, hosts, times, amounts, or of
how a trace was written down. Only fingerprints of one version can be compared.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import TYPE_CHECKING

from analysis.comparison import CauseKind
from analysis.findings import common_factor, process_pause, slow_edge, slow_process, version_changed
from analysis.findings.errors import reason
from analysis.findings.version_changed import versions
from analysis.operation_key import template

if TYPE_CHECKING:
    from analysis.findings.base import Candidate, Context
    from analysis.model import Span
    from analysis.operation_key import OperationKey

VERSION = 1  # raised when the same cause would get another fingerprint than before

_OF_PROCESS = (slow_process.CODE, process_pause.CODE)
_FAILED = (CauseKind.ERROR, CauseKind.RETRY)

_POD = re.compile(r"-[a-z0-9]*\d[a-z0-9]*-[a-z0-9]{5}$")  # what Kubernetes adds to the names of processes


def fingerprint(candidate: Candidate, context: Context) -> str:
    """Return the name under which a cause is known again."""
    return known_as(*_trouble(candidate), *_told(candidate, context), better=context.mirrored)


def known_as(*said: str, better: bool) -> str:
    """Return the fingerprint of what is said of a cause; `better`: things did not get worse by it."""
    direction = "better" if better else "worse"
    digest = blake2b("\n".join((direction, *said)).encode("utf-8", "replace"), digest_size=8)
    return f"{VERSION}-{digest.hexdigest()}"


def place(key: OperationKey) -> tuple[str, str, str]:
    """Say what a service does there, by what stays when it does it again."""
    return (key.service, key.name, _place(key.detail) if key.category == "http" else key.detail)


def _trouble(candidate: Candidate) -> tuple[str, ...]:
    """Say what happened and where."""
    if candidate.finding in _OF_PROCESS:
        return ("process", candidate.service)
    if candidate.finding == version_changed.CODE:
        return ("version", candidate.service)
    if candidate.finding == slow_edge.CODE:  # its two ends, whichever of them is blamed
        return ("line", *sorted((candidate.service, _place(candidate.peer_service or ""))))
    if candidate.finding == common_factor.CODE and candidate.peer_service:
        return ("shared", _place(candidate.peer_service))
    return (candidate.finding, *place(candidate.pair.key))


def _told(candidate: Candidate, context: Context) -> tuple[str, ...]:
    """Say what was said of it: how it failed, or which version came."""
    if candidate.finding == version_changed.CODE:
        return (versions(candidate.pair.suspect, context.suspect),)
    if candidate.kind not in _FAILED:
        return ()
    span = _named(candidate, context)
    return () if span is None else reason(span, context.clean)


def _named(candidate: Candidate, context: Context) -> Span | None:
    """Return the first span that a cause names: of the suspect, or where that has none of the baseline."""
    pair = candidate.pair
    sides = (
        (candidate.suspect_spans[:1], pair.suspect, context.suspect),
        (candidate.baseline_spans[:1], pair.baseline, context.baseline),
    )
    named = (
        span for ids, groups, side in sides for group in groups for span in side.spans_of(group) if span.span_id in ids
    )
    return next(named, None)


def _place(name: str) -> str:
    """Return what was called without what tells one of its processes from the next."""
    host, slash, path = name.partition("/")
    return template(_POD.sub("", host)) + slash + path
