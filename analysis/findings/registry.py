"""The registry: every finding, in the order in which equally good explanations are preferred.

A finding is a module with a code, a title, a function `find`, and a docstring that draws what it sees;
`docs/FINDINGS.md` is made of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from analysis.findings import (
    cache_missed,
    cold_start,
    common_factor,
    error_changed,
    error_gone,
    errors,
    exception_recorded,
    input_changed,
    log_events,
    lost_parallelism,
    messaging,
    missing_spans,
    new_calls,
    outcome_changed,
    payload_growth,
    place_changed,
    process_pause,
    rate_limited,
    removed_calls,
    repeated_calls,
    retries,
    setting_changed,
    slow_edge,
    slow_instance,
    slow_operation,
    slow_process,
    status_changed,
    timed_out,
    version_changed,
    waiting_for_connection,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.findings.base import Candidate, Context


class FindingModule(Protocol):
    """What every finding offers."""

    CODE: str
    TITLE: str
    __doc__: str | None

    def find(self, context: Context) -> Iterable[Candidate]:
        """Yield the finding's candidates; none without a change."""


FINDINGS: tuple[FindingModule, ...] = (
    rate_limited,
    retries,
    timed_out,
    errors,
    repeated_calls,
    cache_missed,
    new_calls,
    removed_calls,
    lost_parallelism,
    messaging,
    process_pause,
    common_factor,
    slow_process,
    waiting_for_connection,
    slow_instance,
    cold_start,
    input_changed,
    payload_growth,
    slow_edge,
    slow_operation,
    version_changed,
    exception_recorded,
    error_gone,
    error_changed,
    status_changed,
    setting_changed,
    outcome_changed,
    place_changed,
    log_events,
    missing_spans,
)


def find_all(context: Context) -> list[Candidate]:
    """Run every finding."""
    return [candidate for finding in FINDINGS for candidate in finding.find(context)]
