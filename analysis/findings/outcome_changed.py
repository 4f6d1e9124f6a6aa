"""outcome-changed: an operation says of itself that something else came of it.

    A   GET /stock   response_flags=- |---|        B   GET /stock   response_flags=UO |-|

A hit that became a miss, a response that carries another mark. Nobody has set it so, which is why it is no
`setting-changed`: it is evidence of what happened, told once per service and attribute.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import CauseKind
from analysis.findings.setting_changed import changed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.findings.base import Candidate, Context

CODE = "outcome-changed"
TITLE = "Another outcome"


def find(context: Context) -> Iterable[Candidate]:
    """Yield each changed outcome of each service once."""
    return changed(CODE, TITLE, CauseKind.ERROR, context, outcome=True)
