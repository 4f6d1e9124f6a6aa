"""Who asked what: what an answer says beside the comparison itself. Pure."""

from __future__ import annotations

from msgspec import Struct

from bot.inquiry.result import Recollection
from bot.settings import LinkSettings, SourceSettings


class Asked(Struct, frozen=True, kw_only=True):
    """Who asked what, and where the two traces live (None until they were fetched)."""

    baseline_id: str  # "" until the typical one is found
    suspect_id: str  # "" until one that shows what an alert is about is found
    user_name: str
    baseline_source: SourceSettings | None = None
    suspect_source: SourceSettings | None = None
    compared_with: str = ""  # what A stands for, where it was found and not named
    trend: str = ""  # consistent or intermittent, and since when
    stands_for: str = ""  # what B stands for, where it was found and not named
    note: str = ""  # what to know of how the message was read in which the traces were named
    before: Recollection | None = None  # when the first cause was seen before
    links: tuple[LinkSettings, ...] = ()  # configured pages about services
    payload: str = ""  # the request with the sides exchanged, for the swap button
    pair: str = ""  # of two windows: the request to compare an exemplar of each
    typical: str = ""  # the request to compare B with the typical trace, where that was not what was done
    key: str = ""  # names the answer, for the buttons that come back to it
