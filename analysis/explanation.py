"""`Explanation`: a candidate that explains something, with what belongs under it. `causes` makes them."""

from __future__ import annotations

from msgspec import Struct

from analysis.findings.base import Candidate


class Explanation(Struct, kw_only=True):
    """A candidate with what it alone explains (ns), the symptoms it covers, and what else differs where it is.

    `waited_for`: what took longer inside of a failure, before it failed.
    """

    candidate: Candidate
    explained_ns: int
    symptoms: list[Candidate]
    waited_for: list[Candidate] = []
    hints: list[Candidate] = []

    @property
    def weight_ns(self) -> int:
        """What the explanation is worth, in or after the response."""
        return max(self.explained_ns, self.candidate.off_path_ns)
