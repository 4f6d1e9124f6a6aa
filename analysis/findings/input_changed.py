"""input-changed: the request itself asks for more: a larger body, a longer batch, more arguments.

    A   POST /import |----|  12 items       B   POST /import |-----------------|  4,000 items

Then nothing is broken where the time goes; B is another question than A. Told of the operation whose own time grew
with its input, and among what else changed where the time did not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.findings.payload_growth import grown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analysis.findings.base import Candidate, Context

CODE = "input-changed"
TITLE = "Larger request"


def find(context: Context) -> Iterable[Candidate]:
    """Yield operations whose requests grew."""
    return grown(context, CODE, TITLE, of_request=True)
