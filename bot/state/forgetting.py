"""Forgetting on request: whose traces are dropped from the state, wherever they are kept.

Each store lists what it holds of whom (`Held`); what a `Selection` takes goes, and with an answer all that hangs on
it. What is still to be answered is not held: it ends first. Pure.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence

REQUEST, RESULT, VOTE, REMEMBERED = "request", "result", "vote", "remembered answer"  # what is kept


class Held(Struct, frozen=True, kw_only=True):
    """One thing that is kept: what it is, the answer that it belongs to, whose it is, and since when (unix seconds).

    `team` and `channel` are "" where the store does not know them: of a vote.
    """

    what: str
    key: str
    team: str
    channel: str
    user: str
    at: float


class Selection(Struct, frozen=True, kw_only=True):
    """What is to be forgotten: all that fits everything that is said."""

    team: str = ""
    channel: str = ""
    user: str = ""
    before: float | None = None  # unix seconds
    everything: bool = False

    def takes(self, held: Held) -> bool:
        """Tell whether something is meant."""
        if self.everything:
            return True
        said = (self.team, self.channel, self.user)
        if not any(said) and self.before is None:
            return False
        fits = all(
            wanted in ("", known) for wanted, known in zip(said, (held.team, held.channel, held.user), strict=True)
        )
        return fits and (self.before is None or held.at < self.before)


def selected(held: Sequence[Held], selection: Selection) -> list[Held]:
    """Return what a selection takes, and every vote on an answer that goes."""
    gone = [its for its in held if selection.takes(its)]
    answers = {its.key for its in gone if its.what != VOTE}
    return [its for its in held if selection.takes(its) or (its.what == VOTE and its.key in answers)]


def counted(gone: Sequence[Held]) -> str:
    """Say how much goes: "3 requests, 2 results"."""
    counts = Counter(its.what for its in gone)
    return (
        ", ".join(f"{number} {what}{'s' if number != 1 else ''}" for what, number in sorted(counts.items()))
        or "nothing"
    )
