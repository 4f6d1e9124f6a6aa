"""The job: from an accepted request to its one answer.

    accept in the ledger -> root message -> fetch both at once -> compare in a child -> update root -> thread

Whatever happens on the way, the request ends in an answer or in a sentence that says why there is none.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from msgspec import Struct

from bot.errors import BotError, DeliveryError, SourceError, UserError
from bot.request import CompareRequest, Origin
from bot.slack import blocks

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from analysis import Comparison
    from bot.ledger import Entry, Ledger
    from bot.runner import AnalysisRunner
    from bot.settings import Settings
    from bot.slack.elements import Message
    from bot.slack.post import Delivery
    from bot.slack.respond import Responder
    from bot.sources import FetchedTrace, Sources

ATTEMPTS = 3  # of one request over restarts, before the person is told
DRAIN_S = 20.0

log = structlog.get_logger()


class Payload(Struct, frozen=True, kw_only=True):
    """A request as the ledger keeps it."""

    request: CompareRequest
    origin: Origin


class Jobs:
    """Accepts requests and works on them, a bounded number at once."""

    def __init__(
        self, settings: Settings, sources: Sources, runner: AnalysisRunner, ledger: Ledger, delivery: Delivery,
        responder: Responder,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._sources = sources
        self._runner = runner
        self._ledger = ledger
        self._delivery = delivery
        self._responder = responder
        self._slots = asyncio.Semaphore(settings.limits.concurrent)
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, request: CompareRequest, origin: Origin) -> None:
        """Take a request and return at once; raises `UserError` when too many are waiting."""
        limits = self._settings.limits
        if len(self._tasks) >= limits.concurrent + limits.waiting:
            raise UserError("busy", seconds=round(limits.deadline_s / 2))
        self._start(self._accept(Payload(request=request, origin=origin)))

    async def resume(self) -> None:
        """Take up what an earlier process left unfinished."""
        for entry in await self._ledger.unfinished():
            payload = msgspec.json.decode(entry.payload, type=Payload)
            self._start(self._work(entry.key, payload, entry.root_ts))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, timeout_s: float = DRAIN_S) -> None:
        """Let running jobs finish; what does not finish in time stays in the ledger for the next start."""
        if self._tasks:
            _, pending = await asyncio.wait(set(self._tasks), timeout=timeout_s)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def idle(self) -> None:
        """Wait until every accepted request has ended."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def _accept(self, payload: Payload) -> None:
        request, origin = payload.request, payload.origin
        key = uuid.uuid4().hex
        question = ":".join(
            (origin.team, origin.channel, origin.thread_ts or "", request.baseline.trace_id, request.suspect.trace_id)
        )
        window_s = 0.0 if request.private else self._settings.limits.repeat_window_s
        earlier = await self._ledger.accept(key, question, origin.channel, msgspec.json.encode(payload), window_s)
        if earlier is not None:
            await self._point_to(earlier, origin)
            return
        await self._work(key, payload, "")

    async def _point_to(self, earlier: Entry, origin: Origin) -> None:
        permalink = await self._delivery.permalink(earlier.channel, earlier.root_ts) if earlier.root_ts else None
        await self._tell(origin, blocks.repeated(permalink))

    async def _work(self, key: str, payload: Payload, root_ts: str) -> None:
        """Answer one request; never raises but for cancellation."""
        origin = payload.origin
        started = time.monotonic()
        state = "failed"
        try:
            attempt = await self._ledger.started(key)
            if attempt > ATTEMPTS:
                raise DeliveryError("interrupted")  # noqa: TRY301 - it is told like every other failure
            if not payload.request.private and not root_ts:
                root_ts = await self._post_root(key, payload)
            async with self._slots:
                comparison, asked = await self._compare(payload)
            await self._answer(key, payload, root_ts, comparison, asked)
            state = "answered"
        except BotError as error:
            log.info("no answer", code=error.code, error=str(error), key=key)
            await self._fail(origin, root_ts, str(error))
        except Exception:
            log.exception("failed", key=key)
            await self._fail(origin, root_ts, "Something went wrong on my side; it is in my log. Please ask again.")
        await self._ledger.ended(key, state)
        log.info(
            "request", key=key, state=state, channel=origin.channel, user=origin.user,
            baseline=payload.request.baseline.trace_id, suspect=payload.request.suspect.trace_id,
            seconds=round(time.monotonic() - started, 3),
        )  # fmt: skip

    async def _post_root(self, key: str, payload: Payload) -> str:
        origin = payload.origin
        message = blocks.comparing(_asked(payload))
        found = None
        if (await self._ledger.attempts(key)) > 1:
            found = await self._delivery.find(origin.channel, key, origin.thread_ts)
        root_ts = found or await self._delivery.post(
            origin.channel, message, message_id=key, thread_ts=origin.thread_ts
        )
        await self._ledger.posted(key, root_ts)
        return root_ts

    async def _compare(self, payload: Payload) -> tuple[Comparison, blocks.Asked]:
        request, origin = payload.request, payload.origin
        limits = self._settings.limits
        deadline_s = limits.deadline_s
        try:
            async with asyncio.timeout(deadline_s), asyncio.TaskGroup() as both:
                fetches = [
                    both.create_task(
                        self._sources.fetch(
                            reference, channel=origin.channel, source=request.source, tenant=request.tenant,
                            deadline_s=deadline_s,
                        )
                    )
                    for reference in (request.baseline, request.suspect)
                ]  # fmt: skip
        except TimeoutError:
            raise SourceError("timeout", source="the trace source", seconds=round(deadline_s)) from None
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        baseline, suspect = (fetch.result() for fetch in fetches)
        comparison = await self._runner.compare(baseline, suspect, deadline_s=limits.analysis_s)
        return comparison, self._asked(payload, baseline, suspect)

    def _asked(self, payload: Payload, baseline: FetchedTrace, suspect: FetchedTrace) -> blocks.Asked:
        asked = _asked(payload)
        return msgspec.structs.replace(
            asked,
            baseline_source=self._sources.settings_of(baseline.source),
            suspect_source=self._sources.settings_of(suspect.source),
            payload=msgspec.json.encode(payload.request.swapped()).decode(),
        )

    async def _answer(
        self, key: str, payload: Payload, root_ts: str, comparison: Comparison, asked: blocks.Asked
    ) -> None:
        origin = payload.origin
        root, replies = blocks.verdict(comparison, asked), blocks.thread(comparison, asked)
        if payload.request.private:
            for message in (root, *replies):
                await self._tell(origin, message)
            return
        await self._delivery.update(origin.channel, root_ts, root)
        thread_ts = origin.thread_ts or root_ts
        posted_before = (await self._ledger.attempts(key)) > 1
        for number, reply in enumerate(replies, 1):
            reply_id = f"{key}-{number}"
            if posted_before and await self._delivery.find(origin.channel, reply_id, thread_ts):
                continue
            await self._delivery.post(origin.channel, reply, message_id=reply_id, thread_ts=thread_ts)

    async def _fail(self, origin: Origin, root_ts: str, sentence: str) -> None:
        """Tell the person who asked; the announcement is taken back, or says itself what happened."""
        message = blocks.failure(sentence)
        try:
            if root_ts and not await self._delivery.remove(origin.channel, root_ts):
                await self._delivery.update(origin.channel, root_ts, message)
                return
            await self._tell(origin, message)
        except BotError as error:
            log.warning("cannot tell", error=str(error), sentence=sentence)

    async def _tell(self, origin: Origin, message: Message) -> None:
        """Say something to the person who asked alone, by whatever way works."""
        if origin.response_url and await self._responder.respond(origin.response_url, message):
            return
        await self._delivery.whisper(origin.channel, origin.user, message, origin.thread_ts)


def _asked(payload: Payload) -> blocks.Asked:
    request, origin = payload.request, payload.origin
    return blocks.Asked(
        baseline_id=request.baseline.trace_id, suspect_id=request.suspect.trace_id, user_name=origin.user_name
    )
