"""The answer in Slack: the announcement becomes the verdict, the rest goes into the thread.

    verdict (in place of the announcement) -> table -> picture -> what else changed -> next steps

The verdict is the answer. When Slack takes it and refuses something under it, the answer stands, and the person who
asked is told what is missing.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

import msgspec
import structlog

from bot.errors import BotError, DeliveryError, UserError
from bot.evidence.course import course_of
from bot.inquiry.result import Result
from bot.requests.request import CompareRequest, TraceRef
from bot.slack import messages, notices
from bot.slack.limits import BUTTON_VALUE
from bot.slack.messages import report

if TYPE_CHECKING:
    from analysis import Comparison
    from analysis.picture import Course
    from bot.analysing.runner import AnalysisRunner
    from bot.evidence.facts import Evidence
    from bot.inquiry.result import Kept, WindowsResult
    from bot.job.recollecting import Recollecting
    from bot.requests.request import Origin
    from bot.settings import Settings, SourceSettings
    from bot.slack.elements import Message
    from bot.slack.files import Files
    from bot.slack.post import Delivery
    from bot.sources import Sources
    from bot.state.ledger import Ledger
    from bot.state.results import Results

DRAWING_S = 10.0  # a picture that takes longer is not worth the wait

log = structlog.get_logger()


class Answering:
    """Puts answers into channels."""

    def __init__(
        self, settings: Settings, sources: Sources, runner: AnalysisRunner, ledger: Ledger, results: Results,
        delivery: Delivery, files: Files, recollecting: Recollecting,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._sources = sources
        self._runner = runner
        self._ledger = ledger
        self.results = results
        self._delivery = delivery
        self._files = files
        self._recollecting = recollecting
        self._handing_out: set[str] = set()

    async def keep(self, key: str, result: Kept) -> messages.Asked:
        """Keep a result for the buttons under its answer; returns what its messages need.

        What may be said of earlier answers is found out now, and said the same wherever this one is shown again.
        """
        result = msgspec.structs.replace(result, before=await self._recollecting.recollect(key, result))
        try:
            await self.results.keep(key, result)
        except Exception:
            log.exception("cannot keep a result", key=key)  # then the buttons say that it is not there
        return self.asked(key, result)

    async def recall(self, key: str, channel: str) -> tuple[Kept, messages.Asked]:
        """Return an earlier answer given in a channel; raises `UserError` when it is not kept any more."""
        result = await self.results.load(key)
        if result is None or result.origin.channel != channel:
            raise UserError("expired", days=self._settings.retention.results_days)
        return result, self.asked(key, result)

    def asked(self, key: str, result: Kept) -> messages.Asked:
        """Return what the messages about a result need; sources that are configured no more have no links."""
        if not isinstance(result, Result):
            return self._asked_about_windows(key, result)
        request = result.request
        typical = CompareRequest(
            baseline=None, suspect=result.suspect, source=request.source, tenant=request.tenant, private=request.private
        )
        return messages.Asked(
            baseline_id=result.baseline.trace_id, suspect_id=result.suspect.trace_id,
            user_name=result.origin.user_name, baseline_source=self._source(result.baseline_source),
            suspect_source=self._source(result.suspect_source), compared_with=result.compared_with, trend=result.trend,
            stands_for=result.stands_for, note=request.note, before=result.before, links=self._settings.links,
            payload=_encoded(request.swapped(result.baseline, result.suspect)),
            typical="" if result.compared_with else _encoded(typical), key=key,
        )  # fmt: skip

    def _asked_about_windows(self, key: str, result: WindowsResult) -> messages.Asked:
        request, compared = result.request, result.compared
        source = self._source(compared.source)
        two = [
            TraceRef(trace_id=its.trace_id, source=compared.source)
            for its in messages.windows.chosen(compared.answer.comparison)
            if its is not None
        ]
        pair = CompareRequest(baseline=two[0], suspect=two[-1], tenant=request.tenant, private=request.private)
        return messages.Asked(
            baseline_id="", suspect_id="", user_name=result.origin.user_name, baseline_source=source,
            suspect_source=source, note=request.note, before=result.before, links=self._settings.links, key=key,
            pair=_encoded(pair) if len(two) == 2 else "",
        )  # fmt: skip

    def in_one_message(self, result: Kept, asked: messages.Asked) -> Message:
        """Return the answer as one person alone sees it."""
        if isinstance(result, Result):
            return messages.private(result.answer, asked)
        return messages.windows.private(result.compared, asked)

    def _source(self, name: str) -> SourceSettings | None:
        try:
            return self._sources.settings_of(name)
        except KeyError:
            return None

    async def publish(
        self, key: str, root_ts: str, result: Kept, asked: messages.Asked, *, first: bool,
        evidence: asyncio.Task[Evidence] | None = None,
    ) -> None:  # fmt: skip
        """Answer request `key`; `first` is False where an earlier attempt may have posted some of it.

        What of the `evidence` is there by then, the picture shows.

        Raises `DeliveryError`: "incomplete" when the verdict stands and something under it is missing.
        """
        origin = result.origin
        if isinstance(result, Result):
            comparison = result.answer.comparison
            root, replies = messages.verdict(comparison, asked), messages.thread(comparison, result.answer.table, asked)
        else:
            root, replies = (
                messages.windows.verdict(result.compared, asked),
                messages.windows.thread(result.compared, asked),
            )
        root_ts = await self._verdict(key, origin, root_ts, root, first=first)
        await self._recollecting.remember(key, result, root_ts)
        thread_ts = origin.thread_ts or root_ts
        refused: BotError | None = None
        for number, reply in enumerate(replies, 1):
            try:
                await self._reply(f"{key}-{number}", origin.channel, thread_ts, reply, first=first)
            except BotError as error:
                log.warning("reply refused", key=key, number=number, error=str(error))
                refused = error
            if number == 1 and isinstance(result, Result):  # the picture belongs to the table
                course = _arrived(evidence)
                await self._picture(key, origin.channel, thread_ts, result.answer.comparison, course, first=first)
        if refused is not None:
            raise DeliveryError("incomplete", detail=refused.fields.get("detail", refused.code))

    async def _verdict(self, key: str, origin: Origin, root_ts: str, root: Message, *, first: bool) -> str:
        """Turn the announcement into the verdict, or post it where there is none; returns the ts of its message."""
        if root_ts and await self._edited(origin.channel, root_ts, root):
            return root_ts
        message_id = f"{key}-again" if root_ts else key
        found = None if first else await self._delivery.find(origin.channel, message_id, origin.thread_ts)
        ts = found or await self._delivery.post(origin.channel, root, message_id=message_id, thread_ts=origin.thread_ts)
        try:
            await self._ledger.posted(key, ts)
        except Exception:
            log.exception("cannot write the ledger")
        return ts

    async def _edited(self, channel: str, root_ts: str, root: Message) -> bool:
        """Turn the announcement into the verdict; False when it is out of the way instead.

        Somebody deleted it, or Slack takes the verdict as a new message only: it was asked for all the same. An edit
        of which nobody knows whether it was applied must not stand beside a second one.
        """
        try:
            if await self._delivery.update(channel, root_ts, root):
                return True
        except DeliveryError as error:
            log.warning("announcement not edited", channel=channel, error=str(error))
            if not await self._delivery.remove(channel, root_ts):
                raise
        else:
            await self._delivery.remove(channel, root_ts)
        return False

    async def _reply(self, reply_id: str, channel: str, thread_ts: str, reply: Message, *, first: bool) -> None:
        if first or not await self._delivery.find(channel, reply_id, thread_ts):
            await self._delivery.post(channel, reply, message_id=reply_id, thread_ts=thread_ts)

    async def _picture(
        self, key: str, channel: str, thread_ts: str, comparison: Comparison, course: Course | None, *, first: bool
    ) -> None:
        """Draw both requests and share the picture, where that is worth it and allowed."""
        if not messages.has_picture(comparison) or not self._files.may_share():
            return
        try:
            body = await self._runner.draw(comparison, course, deadline_s=DRAWING_S)
        except BotError as error:
            log.warning("no picture", key=key, error=str(error))
            return
        file = messages.picture(comparison, key, body, course)
        await self._files.share(channel, thread_ts, [file], messages.caption(comparison), first=first)

    async def open_up(self, key: str, channel: str) -> None:
        """Give a private answer to the whole channel; raises `UserError`, `DeliveryError`. Twice is once."""
        if key in self._handing_out:
            return
        self._handing_out.add(key)
        try:
            result, _ = await self.recall(key, channel)
            public = msgspec.structs.replace(result, request=msgspec.structs.replace(result.request, private=False))
            asked = await self.keep(key, public)  # swapping and the like are public from now on
            try:
                await self.publish(key, "", public, asked, first=False)
            finally:
                await self._end(key)
        finally:
            self._handing_out.discard(key)

    async def _end(self, key: str) -> None:
        """Have a restart leave the request alone, whatever became of it: it was answered long ago."""
        try:
            await self._ledger.ended(key, "answered")
        except Exception:
            log.exception("cannot write the ledger")

    async def hand_out(self, key: str, origin: Origin) -> Message | None:
        """Put the full report into the thread where it was asked for; returns what to tell the person who asked.

        Raises `UserError` when the answer is not kept any more. Two people who ask get one report.
        """
        if key in self._handing_out:
            return None
        self._handing_out.add(key)
        try:
            result, _ = await self.recall(key, origin.channel)
            return await self._hand_out(key, origin, result)
        finally:
            self._handing_out.discard(key)

    async def _hand_out(self, key: str, origin: Origin, result: Kept) -> Message | None:
        its = result.answer.report if isinstance(result, Result) else result.compared.answer.report
        thread_ts = origin.thread_ts or ""
        markdown, json = await asyncio.to_thread(lambda: (zlib.decompress(its.markdown), zlib.decompress(its.json)))
        if isinstance(result, Result):
            files = report.files(result.answer.comparison, key, markdown, json, result.before)
        else:
            files = report.files_of_windows(result.compared, key, markdown, json, result.before)
        there = await self._shared(origin.channel, thread_ts, files[0].name)
        if there is None and await self._files.share(
            origin.channel, thread_ts, files, report.caption(whole=its.whole), first=True
        ):
            return None
        message_id = f"{key}-report"
        there = there or await self._delivery.find(origin.channel, message_id, thread_ts)
        if there is not None:
            return notices.report_is_there(await self._delivery.permalink(origin.channel, there))
        forbidden = not self._files.may_share()
        if isinstance(result, Result):
            excerpt = report.excerpt(result.answer.comparison, result.before, forbidden=forbidden)
        else:
            excerpt = report.excerpt_of_windows(result.compared, result.before, forbidden=forbidden)
        await self._delivery.post(origin.channel, excerpt, message_id=message_id, thread_ts=thread_ts)
        return None

    async def _shared(self, channel: str, thread_ts: str, name: str) -> str | None:
        """Look for the message that shares a file; None where it cannot be looked for."""
        try:
            return await self._delivery.find_file(channel, name, thread_ts)
        except DeliveryError:
            return None


def _arrived(evidence: asyncio.Task[Evidence] | None) -> Course | None:
    """Return what there is to draw of evidence that has arrived; nothing waits for it."""
    if evidence is None or not evidence.done() or evidence.cancelled() or evidence.exception() is not None:
        return None
    return course_of(evidence.result())


def _encoded(request: CompareRequest) -> str:
    """Return a request as a button carries it; "" when it is too long for one."""
    text = msgspec.json.encode(request).decode()
    return text if len(text) <= BUTTON_VALUE else ""
