"""The job: from an accepted request to its one answer.

    accept in the ledger -> root message -> fetch both at once -> compare in a child -> update root -> thread
                                            or one, and others of its operation

Whatever happens on the way, the request ends in an answer or in a sentence that says why there is none.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec
import structlog
from redis.exceptions import RedisError

from bot.ending import ended
from bot.errors import MY_FAULT, BotError, DeliveryError, UserError
from bot.finding.exemplar import LAG_S
from bot.inquiry import audit
from bot.inquiry.result import Result
from bot.job.admission import asker, watcher
from bot.requests.request import CompareRequest, Origin, Payload
from bot.requests.windows import same_question
from bot.slack import messages, notices
from bot.slack.workspaces import acting_in
from bot.state.ledger import AlertName, FullError
from bot.telemetry import metrics
from bot.telemetry.arrival import request_key
from bot.telemetry.steps import step

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from bot.evidence.facts import Evidence
    from bot.inquiry.inquiry import Inquiry
    from bot.inquiry.result import Kept
    from bot.job.admission import Admission
    from bot.job.answering import Answering
    from bot.job.completing import Completing
    from bot.requests.request import TraceRef
    from bot.settings import Settings
    from bot.slack.aside import Aside
    from bot.slack.elements import Message
    from bot.slack.permissions import Permissions
    from bot.slack.post import Delivery
    from bot.state.ledger import Entry, Ledger
    from bot.state.work_queue import WorkQueue

ATTEMPTS = 3  # of one request over restarts, before the person is told
DRAIN_S = 20.0
ACCEPT_S = 60.0  # a shared ledger that is away for longer is said to be
ACCEPT_AGAIN_S = 0.25
TOO_EARLY = ("search-lags", "nothing-found")  # errors that a search may end in while traces are still on their way

log = structlog.get_logger()


class Jobs:
    """Accepts requests and works on them, a bounded number at once."""

    def __init__(
        self, settings: Settings, inquiry: Inquiry, admission: Admission, ledger: Ledger, delivery: Delivery,
        aside: Aside, answering: Answering, completing: Completing, permissions: Permissions,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep, queue: WorkQueue | None = None,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._inquiry = inquiry
        self._admission = admission
        self._ledger = ledger
        self._delivery = delivery
        self._aside = aside
        self._answering = answering
        self._completing = completing
        self._permissions = permissions
        self._sleep = sleep
        self._queue = queue  # None: what is accepted here is worked on here
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, request: CompareRequest, origin: Origin) -> None:
        """Take a request and return at once; raises `UserError` when too many are waiting."""
        self._admission.check()
        self.start(self._accept(Payload(request=request, origin=origin)))

    async def resume(self) -> None:
        """Take up what an earlier process left unfinished."""
        for entry in await self._ledger.unfinished():
            self.start(self._work_on(entry))

    async def work(self, key: str) -> None:
        """Work on a request that another process accepted; raises as `_work`."""
        entry = await self._ledger.entry(key)
        if entry is not None:
            await self._work_on(entry)

    async def _work_on(self, entry: Entry) -> None:
        try:
            payload = msgspec.json.decode(entry.payload, type=Payload)
        except msgspec.DecodeError:
            await self._give_up(entry)
        else:
            await self._work(entry.key, payload, entry.root_ts, entry.accepted_at)

    async def _give_up(self, entry: Entry) -> None:
        """End a request that this version cannot read: at least its announcement says so."""
        log.warning("unreadable request in the ledger", key=entry.key)
        if entry.root_ts:
            sentence = str(DeliveryError("interrupted"))
            try:
                await self._delivery.update(entry.channel, entry.root_ts, notices.failure(sentence))
            except BotError as error:
                log.warning("cannot tell", error=str(error), sentence=sentence)
        await self._book(self._ledger.ended(entry.key, "failed"))

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that must be finished before the process ends; `work` deals with its own errors."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        self._admission.enter()
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._admission.leave()

    async def drain(self, timeout_s: float = DRAIN_S) -> None:
        """Let running jobs finish; what does not finish in time stays in the ledger for the next start."""
        clock = asyncio.get_running_loop().time
        ending = clock() + timeout_s
        while self._tasks and (left_s := ending - clock()) > 0:  # one that runs may have another one started
            await asyncio.wait(set(self._tasks), timeout=left_s)
        await ended(self._tasks)

    async def idle(self) -> None:
        """Wait until every accepted request has ended."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def _accept(self, payload: Payload) -> None:
        """Write a request down and work on it, or point to the answer that is already there."""
        origin = payload.origin
        acting_in(origin.team)
        key = request_key()
        try:
            await self._permissions.check(origin)
            earlier = await self._write_down(key, payload)
            if earlier is not None:
                audit.ended(origin, "repeated", request=payload.request)
                await self._point_to(earlier, origin)
                return
        except BotError as error:
            audit.ended(origin, "refused", error.code, payload.request)
            await self._fail(key, origin, "", str(error))
            return
        except Exception:
            log.exception("cannot accept", key=key)
            audit.ended(origin, "failed", audit.INTERNAL, payload.request)
            await self._fail(key, origin, "", MY_FAULT)
            return
        if self._queue is None:
            await self._work(key, payload, "")
        else:
            await self._hand_over(self._queue, key)

    async def _write_down(self, key: str, payload: Payload) -> Entry | None:
        """Accept a request in the ledger; returns the earlier one that it repeats.

        A shared ledger may be away for a moment. The same acceptance may be sent again; giving up at once could tell
        somebody of a failure and answer them all the same, because the first try had been applied.
        """
        ending = time.monotonic() + ACCEPT_S
        while True:
            try:
                return await self._ledger.accept(
                    key, _question(payload, key), payload.origin.channel, msgspec.json.encode(payload),
                    self._settings.limits.repeat_window_s, self._alert(payload), asker=asker(payload.origin),
                    room=self._admission.room, watcher=watcher(payload.origin),
                )  # fmt: skip
            except FullError as error:
                pending = await self._ledger.pending()
                raise self._admission.busy(pending.oldest_s, error) from None
            except RedisError as error:
                if time.monotonic() > ending:
                    raise
                log.warning("cannot accept yet", key=key, error=str(error)[:200])
                await asyncio.sleep(ACCEPT_AGAIN_S)

    @staticmethod
    async def _hand_over(queue: WorkQueue, key: str) -> None:
        """Put a request into the queue. If that fails it is not lost: workers look for what is in the ledger alone."""
        try:
            await queue.put(key)
        except (RedisError, OSError) as error:
            log.warning("cannot put into the queue", key=key, error=str(error)[:200])

    def _alert(self, payload: Payload) -> AlertName | None:
        """Name the alert that a request is about. One that fires again is news to who asks, but not to a watcher."""
        request, origin, limits = payload.request, payload.origin, self._settings.limits
        if not request.alert or request.private:
            return None
        name = msgspec.json.encode((origin.team, origin.channel, request.alert)).decode()
        return AlertName(name, limits.alert_window_s if origin.watched else limits.repeat_window_s)

    async def _point_to(self, earlier: Entry, origin: Origin) -> None:
        if origin.again:
            return
        permalink = await self._delivery.permalink(earlier.channel, earlier.root_ts) if earlier.root_ts else None
        await self._aside.tell(origin, notices.repeated(permalink))

    async def _work(self, key: str, payload: Payload, root_ts: str, accepted_at: float | None = None) -> None:
        """Answer one request; raises only `RedisError`, when a shared ledger is away, and cancellation."""
        acting_in(payload.origin.team)
        with audit.recorded(key, payload.origin, payload.request, accepted_at) as record:
            await self._answered(key, payload, root_ts, record, accepted_at or time.time())

    async def _answered(
        self, key: str, payload: Payload, root_ts: str, record: audit.Record, accepted_at: float
    ) -> None:
        origin = payload.origin
        state = "failed"
        evidence = None
        try:
            attempt = await self._ledger.started(key)
            if attempt > ATTEMPTS:
                raise DeliveryError("interrupted")  # noqa: TRY301 - it is told like every other failure
            if self._left_s(accepted_at) <= 0:
                raise self._overdue()  # noqa: TRY301 - see above
            if not (payload.request.private or origin.watched or root_ts):
                with step("announce", metrics.POST_SECONDS.labels("announce")):
                    root_ts = await self._post_root(key, payload, first=attempt == 1)
            result = await self._in_time(payload, accepted_at)
            if origin.watched and not await self._may_answer(key, payload):
                record.outcome = "repeated"
                await self._book(self._ledger.ended(key, state))
                return
            evidence = self._completing.begin(result) if isinstance(result, Result) else None
            with step("post", metrics.POST_SECONDS.labels("answer")):
                await self._answer(key, root_ts, result, evidence, first=attempt == 1)
            state = "answered"
            record.answered(result)
            if evidence is not None and isinstance(result, Result):
                await self._completing.complete(key, result, evidence, first=attempt == 1)
        except BotError as error:
            log.info("no answer", code=error.code, error=str(error), key=key)
            record.failed(error.code)
            await self._fail(key, origin, root_ts, str(error))
        except RedisError:
            raise  # nobody knows how far it came: whoever takes it up again finds out, and says one thing only
        except Exception:
            log.exception("failed", key=key)
            record.failed(audit.INTERNAL)
            await self._fail(key, origin, root_ts, MY_FAULT)
        finally:
            if evidence is not None:
                evidence.cancel()
        await self._book(self._ledger.ended(key, state))

    async def _may_answer(self, key: str, payload: Payload) -> bool:
        """Have people who ask pointed to what a watcher is about to say, unless one of them is being answered."""
        window_s = self._settings.limits.repeat_window_s
        return await self._ledger.answering(key, _question(payload, key), window_s, self._alert(payload))

    @staticmethod
    async def _book(entry: Awaitable[None]) -> None:
        """Write how far a request came. If that fails the answer still counts; the next start looks at it again."""
        try:
            await entry
        except Exception:
            log.exception("cannot write the ledger")

    async def _post_root(self, key: str, payload: Payload, *, first: bool) -> str:
        """Announce the comparison; a later attempt looks first for what an earlier one may have posted."""
        origin = payload.origin
        found = None if first else await self._delivery.find(origin.channel, key, origin.thread_ts)
        windows, asked = payload.request.windows, _asked(payload)
        message = messages.windows.comparing(windows, asked) if windows else messages.comparing(asked)
        root_ts = found or await self._delivery.post(
            origin.channel, message, message_id=key, thread_ts=origin.thread_ts
        )
        await self._book(self._ledger.posted(key, root_ts))
        return root_ts

    def _left_s(self, accepted_at: float) -> float:
        """Return for how long (s) an answer still makes sense to who asked."""
        return accepted_at + self._settings.limits.oldest_s - time.time()

    def _overdue(self) -> UserError:
        return UserError("overdue", seconds=round(self._settings.limits.oldest_s))

    async def _in_time(self, payload: Payload, accepted_at: float) -> Kept:
        """Compare, unless that takes too long."""
        deadline = asyncio.timeout(self._left_s(accepted_at))
        try:
            async with deadline:
                return await self._compare_patiently(payload)
        except TimeoutError:
            if deadline.expired():
                raise self._overdue() from None
            raise

    async def _compare_patiently(self, payload: Payload) -> Kept:
        """Compare; where nobody waits for the answer, a search that came too early is made once more later."""
        try:
            async with self._admission.place(payload.origin):
                return await self._inquiry.result(payload.request, payload.origin)
        except UserError as error:
            if not payload.origin.watched or error.code not in TOO_EARLY:
                raise
        await self._sleep(LAG_S)
        async with self._admission.place(payload.origin):
            return await self._inquiry.result(payload.request, payload.origin)

    async def _answer(
        self, key: str, root_ts: str, result: Kept, evidence: asyncio.Task[Evidence] | None, *, first: bool
    ) -> None:
        """Give the answer: to everybody in the channel, or to the person who asked alone."""
        asked = await self._answering.keep(key, result)
        if result.request.private:
            await self._aside.tell(result.origin, self._answering.in_one_message(result, asked))
            return
        try:
            await self._answering.publish(key, root_ts, result, asked, first=first, evidence=evidence)
        except DeliveryError as error:
            if error.code != "incomplete":
                raise
            try:
                await self._aside.tell(result.origin, notices.failure(str(error)))
            except DeliveryError as worse:
                log.warning("cannot tell", error=str(worse), sentence=str(error))

    async def _fail(self, key: str, origin: Origin, root_ts: str, sentence: str) -> None:
        """Tell the person who asked; the announcement is taken back, or says itself what happened.

        Where the person cannot be reached alone, the channel is told: silence is the one wrong answer.
        """
        message = notices.failure(sentence)
        try:
            taken_back = not root_ts or await self._delivery.remove(origin.channel, root_ts)
            if not taken_back and await self._delivery.update(origin.channel, root_ts, message):
                return
        except BotError as error:
            log.warning("cannot take back", error=str(error))
        try:
            await self._aside.tell(origin, message)
        except BotError as error:
            log.warning("cannot tell", error=str(error), sentence=sentence)
            if error.code != "not-in-channel":
                await self._say_aloud(key, origin, message)

    async def _say_aloud(self, key: str, origin: Origin, message: Message) -> None:
        try:
            await self._delivery.post(origin.channel, message, message_id=f"{key}-failed", thread_ts=origin.thread_ts)
        except BotError as error:
            log.warning("cannot say", error=str(error))


def _question(payload: Payload, key: str) -> str:
    """Say what makes two requests the same one; a private answer helps nobody else, so it is always its own."""
    request, origin = payload.request, payload.origin
    if request.private:
        return key
    where = (origin.team, origin.channel)
    what = (_id(request.baseline), _id(request.suspect), request.source, request.tenant, request.clue)
    windows = (same_question(request.windows),) if request.windows else ()
    return msgspec.json.encode((where, (*what, *windows))).decode()


def _asked(payload: Payload) -> messages.Asked:
    request, origin = payload.request, payload.origin
    return messages.Asked(
        baseline_id=_id(request.baseline), suspect_id=_id(request.suspect), user_name=origin.user_name,
        note=request.note,
    )  # fmt: skip


def _id(reference: TraceRef | None) -> str:
    """Return the id of a trace; "" where it is still to be found."""
    return reference.trace_id if reference else ""
