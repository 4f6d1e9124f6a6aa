"""What of two windows of requests could not be seen, and what that may hide. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.format import count
from bot.requests.wording import named

if TYPE_CHECKING:
    from bot.inquiry.comparing_windows import ComparedWindows

FRESH_S = 90  # what began less long ago is not searched everywhere yet


def not_seen(compared: ComparedWindows) -> list[str]:
    """Say what of the windows could not be seen, and what that may hide."""
    windows, said = compared.windows, []
    if not compared.root:
        said.append(
            f"no request begins with {named(windows.service, windows.operation)}: these are requests that pass "
            "through it, and times are of the whole request"
        )
    if windows.suspect[1] > windows.asked_at - FRESH_S:
        said.append("the last minute or so: what is new is not searched everywhere yet")
    for letter, its in zip("AB", compared.sampled, strict=True):
        if its.unsearched:
            said.append(f"{count(its.unsearched, 'part')} of window {letter} could not be searched in time")
        if its.at_least:
            said.append(
                f"{letter} has more requests in a moment than a search returns: of those, {compared.source} chose"
            )
        elif its.about:
            said.append(f"{letter} has more requests than searches return: short pieces, spread over it, stand for it")
        if missing := its.wanted - its.fetched:
            said.append(f"{count(missing, 'trace')} of {letter} could not be fetched in time, or at all")
        if its.unreadable:
            said.append(f"{count(its.unreadable, 'trace')} of {letter} could not be read")
    if all(its.totals is None for its in compared.sampled):
        said.append(f"{compared.source} does not count all requests, or not in time: shares are those of the sample")
    return said + [note.text for note in compared.answer.comparison.notes]
