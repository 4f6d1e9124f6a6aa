"""What was compared before, as people look it up: a channel's answers, found by their words, and what one asked for.

Remembered answers are searched; those about windows of time, and those from before answers were remembered, are known
by the ledger alone.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from bot.inquiry.result import Result
from bot.requests.request import Payload
from bot.requests.windows import words
from bot.slack.messages.root import MARKS
from bot.slack.notices import Past
from bot.state.ledger import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from bot.requests.request import History
    from bot.slack.post import Delivery
    from bot.state.ledger import Ledger
    from bot.state.memory import Answered, Memory
    from bot.state.results import Results

PAGE = 10  # comparisons listed at once
SEARCHED = 2_000  # answers of a channel, newest first
WORDS_OF = {kind.value: word for kind, (_, word) in MARKS.items()}


class Page(Struct, frozen=True, kw_only=True):
    """Some comparisons, newest first, and whether there are older ones."""

    past: list[Past]
    more: bool


class PastAnswers:
    """Looks up what was compared."""

    def __init__(
        self, ledger: Ledger, memory: Memory, results: Results, delivery: Delivery,
        clock: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._ledger = ledger
        self._memory = memory
        self._results = results
        self._delivery = delivery
        self._clock = clock

    async def search(self, team: str, channel: str, wanted: History) -> Page:
        """Return a page of what was answered in a channel and says every wanted word."""
        remembered = await self._memory.given(team, channel, SEARCHED)
        known = {answered.key for answered in remembered}
        recent = [entry for entry in await self._ledger.recent(channel, SEARCHED) if entry.key not in known]
        earliest = self._earliest(wanted)
        found: list[tuple[float, Answered | Entry]] = [
            *((its.at, its) for its in remembered if its.at >= earliest and _says(_words(its), wanted.words)),
            *(
                (entry.accepted_at, entry)
                for entry in recent
                if entry.accepted_at >= earliest and _says(_text(entry), wanted.words)
            ),
        ]
        found.sort(key=lambda item: -item[0])
        start = wanted.page * PAGE
        shown = [await self._past(its) for _, its in found[start : start + PAGE]]
        return Page(past=[past for past in shown if past is not None], more=len(found) > start + PAGE)

    async def of(self, user: str) -> list[Past]:
        """Return what somebody asked for of late and everybody in its channel can see."""
        entries = [await self._ledger.entry(key) for key in await self._results.of(user, PAGE)]
        shown = [await self._past(entry) for entry in entries if entry is not None and entry.root_ts]
        return [msgspec.structs.replace(past, user_name="") for past in shown if past is not None]

    def _earliest(self, wanted: History) -> float:
        if wanted.ago_s is not None:
            return self._clock() - wanted.ago_s
        return float(wanted.since or 0)

    async def _past(self, its: Answered | Entry) -> Past | None:
        """Return what there is to say of one; None for what another version wrote."""
        past = await self._of_entry(its) if isinstance(its, Entry) else await self._of_answer(its)
        if past is None:
            return None
        said = await self._results.feedback(its.key)
        return msgspec.structs.replace(past, useful=said.useful, not_useful=said.not_useful)

    async def _of_answer(self, answered: Answered) -> Past:
        return Past(
            baseline_id=answered.baseline_id, suspect_id=answered.suspect_id, at=answered.at,
            user_name=answered.user_name, permalink=await self._delivery.permalink(answered.channel, answered.ts),
            windows=answered.windows,
            verdict=WORDS_OF.get(answered.verdict, ""), about=answered.about[0] if answered.about else "",
        )  # fmt: skip

    async def _of_entry(self, entry: Entry) -> Past | None:
        payload = _payload(entry)
        if payload is None:
            return None
        request = payload.request
        result = await self._results.load(entry.key)
        suspect = result.suspect if isinstance(result, Result) else request.suspect  # also where it was found
        return Past(
            baseline_id=request.baseline.trace_id if request.baseline else "",
            suspect_id=suspect.trace_id if suspect else "", service=request.clue.service if request.clue else "",
            windows=words(request.windows) if request.windows else "", at=entry.accepted_at,
            user_name=payload.origin.user_name, permalink=await self._delivery.permalink(entry.channel, entry.root_ts),
            verdict=MARKS[result.verdict.kind][1] if result else "",
        )  # fmt: skip


def _payload(entry: Entry) -> Payload | None:
    try:
        return msgspec.json.decode(entry.payload, type=Payload)
    except msgspec.DecodeError:
        return None


def _words(its: Answered) -> str:
    """Return everything of an answer that can be searched for."""
    verdict = (its.verdict, WORDS_OF.get(its.verdict, ""))
    return " ".join((
        its.request, its.headline, *its.about, *verdict, its.user_name, its.user, its.baseline_id, its.suspect_id,
        its.windows, *its.sources,
    )).casefold()  # fmt: skip


def _text(entry: Entry) -> str:
    """Return what the ledger alone knows of an answer: who asked, and about which traces or windows."""
    payload = _payload(entry)
    if payload is None:
        return ""
    traces = (payload.request.baseline, payload.request.suspect)
    ids = (trace.trace_id for trace in traces if trace is not None)
    windows = words(payload.request.windows) if payload.request.windows else ""
    return " ".join((payload.origin.user_name, payload.origin.user, windows, *ids)).casefold()


def _says(text: str, words: Iterable[str]) -> bool:
    return all(word.casefold() in text for word in words)
