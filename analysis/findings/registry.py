"""The registry: every finding, in the order in which equally good explanations are preferred."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.findings import (
    dependencies,
    environment,
    errors,
    lost_parallelism,
    messaging,
    repeated_calls,
    retries,
    slow_edge,
    slow_operation,
    slow_process,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analysis.findings.base import Candidate, Context

FINDINGS: tuple[Callable[[Context], Iterable[Candidate]], ...] = (
    retries.find,
    errors.find,
    repeated_calls.find,
    dependencies.find,
    lost_parallelism.find,
    messaging.find,
    slow_process.find,
    slow_edge.find,
    slow_operation.find,
    environment.find,
)


def find_all(context: Context) -> list[Candidate]:
    """Run every finding."""
    return [candidate for find in FINDINGS for candidate in find(context)]
