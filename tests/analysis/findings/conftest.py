"""Asking a comparison for one finding."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from analysis import Comparison
    from analysis.comparison import Finding


@pytest.fixture
def only() -> Callable[[Comparison, str], Finding | None]:
    """Return the one finding of a code, or None when there is none."""

    def of(result: Comparison, code: str) -> Finding | None:
        matching = [finding for finding in result.findings if finding.finding == code]
        assert len(matching) <= 1, [finding.summary for finding in matching]
        return matching[0] if matching else None

    return of
