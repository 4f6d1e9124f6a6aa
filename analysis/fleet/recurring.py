"""The fingerprint of a cause of two windows: the same as of two traces, where both say the same.

    two traces    SELECT ... FROM orders   +1.14 s               operation-slower at this statement
    two windows   SELECT ... FROM orders   +1.14 s for 10 %      operation-slower at this statement: the same cause

What only the spans of a single request tell (a pause of the process, a full pool, a slow line) windows do not know:
there they say what they saw, a slower operation, and are known again by other windows alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.comparison import VerdictKind
from analysis.findings import errors, new_calls, removed_calls, repeated_calls, slow_operation
from analysis.fingerprint import known_as, place

if TYPE_CHECKING:
    from analysis.fleet.causes import Group
    from analysis.fleet.result import Change
    from analysis.fleet.window import PathName, Window

ERRORS_GONE = "fewer-errors"
QUICKER = "operation-quicker"


def fingerprint(group: Group, kind: VerdictKind, windows: tuple[Window, Window], names: dict[str, PathName]) -> str:
    """Return the name under which a changed group is known again; "" where no trace of it was seen."""
    name = names.get(group.path)
    if name is None or name.key is None:
        return ""
    better = kind is VerdictKind.FASTER  # then it is told from the other side, as of two traces
    if group.errors is not None:
        grew = _grew(group.errors)
        said = (errors.CODE, *place(name.key)) if grew else (ERRORS_GONE, *place(name.key))
        return known_as(*said, *_how(group.path, windows[1 if grew else 0]), better=better)
    if group.calls is not None:
        grew = _grew(group.calls)
        if group.calls.limit:
            code = repeated_calls.CODE if grew is not better else removed_calls.CODE
        else:
            code = new_calls.CODE if grew else removed_calls.CODE
        return known_as(code, *place(name.key), better=better)
    slower = group.time_delta > 0
    code = slow_operation.CODE if slower is not better else QUICKER
    return known_as(code, *place(name.key), better=better)


def _grew(change: Change) -> bool:
    return change.suspect_above > change.baseline_above


def _how(path: str, window: Window) -> tuple[str, ...]:
    """Say how most requests failed there."""
    counted = window.failures.get(path)
    return min(counted.items(), key=lambda one: (-one[1], one[0]))[0] if counted else ()
