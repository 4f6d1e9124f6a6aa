"""Evidence beside the traces: never in the way of an answer, said once, honest about who kept silent."""

from __future__ import annotations

import asyncio
import json

import answers
import pytest
from log_stores import Loki, store
from metric_source import metric_source
from pydantic import SecretStr
from redis.asyncio import Redis
from world import CHANNEL, FaultySlack

from bot.evidence.facts import Evidence, Silence
from bot.evidence.question import question_of
from bot.evidence.sources import EvidenceSources
from bot.settings import EvidenceSettings, LogSettings, MetricSettings, Settings
from bot.settings.reach import ChannelSettings

TITLE = "What logs and metrics say"


@pytest.fixture
def metrics_at():
    """Return a maker of settings for a source of metrics, and the source."""
    return metric_source


async def ask(world, samples, options: str = "", name: str = "slow-query"):
    """Ask about a sample and wait until all is said; returns the root."""
    pair = next(s for s in samples.pairs if s.name == name)
    assert (await world.command(f"{pair.baseline} {pair.suspect} {options}"))[0] == 200
    await world.settled()
    return world.slack.roots()[0] if world.slack.roots() else None


def evidence_in(world, root) -> list[dict]:
    """Return the messages about evidence in a thread."""
    return [m for m in world.slack.replies(root["ts"]) if m["text"].startswith(TITLE)]


async def test_a_slow_source_does_not_hold_up_the_answer(plain_world, samples, metrics_at) -> None:
    """The whole answer is there while the source still thinks; when it has answered, the thread is completed."""
    async with metrics_at("slow") as at, plain_world(metrics=(at.settings(),)) as world:
        pair = next(s for s in samples.pairs if s.name == "slow-query")
        await world.command(f"{pair.baseline} {pair.suspect}")
        while not (
            world.slack.roots()
            and any("next steps" in m["text"] for m in world.slack.thread(world.slack.roots()[0]["ts"]))
        ):
            await asyncio.sleep(0.01)
        (root,) = world.slack.roots()
        assert root["text"].startswith("Slower")
        assert evidence_in(world, root) == []
        at.source.kind = "rise"
        at.source.held.set()
        await world.settled()
        (said,) = evidence_in(world, root)
        assert "SELECT in catalog: Consistent since" in said["text"]


class Patient(FaultySlack):
    """A workspace that takes its time to show the verdict: as long as there is evidence on its way."""

    def __init__(self) -> None:
        super().__init__()
        self.asking: list[asyncio.Task] = []

    def watch(self, completing) -> None:
        """See what is asked for."""
        begin = completing.begin

        def watched(result):
            self.asking.append(begin(result))
            return self.asking[-1]

        completing.begin = watched

    async def answer(self, method, arguments):
        """Answer when all evidence has arrived."""
        if method == "chat.update":
            await asyncio.wait(self.asking)
        return await super().answer(method, arguments)


@pytest.mark.parametrize("kind", ["rise", "slow"])
async def test_the_picture_shows_what_has_arrived_in_time(make_world, samples, metrics_at, kind) -> None:
    """A course that is there is drawn, and said in the words for those who do not see it; nothing waits for one."""
    async with metrics_at(kind) as at:
        settings = EvidenceSettings(deadline_s=0.2 if kind == "slow" else 30)
        async with make_world(metrics=(at.settings(),), evidence=settings, slack=Patient()) as world:
            world.slack.watch(world.bot.jobs._completing)
            root = await ask(world, samples)
            (file,) = [m["files"][0] for m in world.slack.thread(root["ts"]) if m.get("files")]
            assert ("prom: p95 of SELECT in catalog from" in file["alt_txt"]) == (kind == "rise")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("401", "unauthorised"), ("404", "wrong-path"), ("400", "rejected"), ("500", "broken"), ("429", "rate-limited"),
        ("login page", "unreadable-search"), ("huge", "too-large"), ("wrong type", "unreadable-search"),
        ("nonsense", "unreadable-search"), ("slow", "timeout"),
    ],
)  # fmt: skip
async def test_whatever_a_source_answers_ends_in_a_code(metrics_at, samples, kind, code) -> None:
    """Refusals, garbage, too much and too late: a source that says nothing of use is silent, for a reason."""
    async with metrics_at(kind) as at:
        deadline_s = 0.3 if kind == "slow" else 10
        settings = Settings.model_construct(
            logs=(), metrics=(at.settings(),), channels={}, evidence=EvidenceSettings(deadline_s=deadline_s)
        )
        sources = EvidenceSources(settings)
        found = await sources.evidence(question_of(answers.answer()), CHANNEL, None)
        await sources.aclose()
        assert found == Evidence(silent=(Silence("prom", code),))


async def test_a_source_that_fails_is_said_in_a_few_words_of_our_own(plain_world, samples, metrics_at) -> None:
    """Where it is wanted; nothing of what the source said gets into the channel, and the answer stands as it is."""
    told = EvidenceSettings(tell_failures=True)
    async with metrics_at("400") as at, plain_world(metrics=(at.settings(),), evidence=told) as world:
        root = await ask(world, samples)
        (message,) = evidence_in(world, root)
        assert "prom gave no answer that I can use" in message["text"]
        everything = json.dumps(world.slack.messages[CHANNEL])
        assert "hunter2" not in everything
        assert "<!channel>" not in everything
        assert "Confidence: high." in root["text"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", None])
async def test_where_all_sources_fail_nothing_is_said(plain_world, samples, metrics_at, url) -> None:
    """A source that is down, or too slow, costs the answer nothing, not even a line."""
    async with metrics_at("slow") as at:
        settings = at.settings() if url is None else MetricSettings(name="prom", url=url)
        async with plain_world(metrics=(settings,), evidence=EvidenceSettings(deadline_s=0.2)) as world:
            root = await ask(world, samples)
            assert root["text"].startswith("Slower")
            assert evidence_in(world, root) == []
            assert world.slack.whispers() == []


@pytest.mark.parametrize("name", ["healthy", "different-operations", "same-trace-twice"])
async def test_nothing_is_asked_where_there_is_nothing_to_ask_about(plain_world, samples, metrics_at, name) -> None:
    """Two requests that do not differ, or cannot be compared, are no matter for logs and metrics."""
    async with metrics_at() as at, plain_world(metrics=(at.settings(),)) as world:
        root = await ask(world, samples, name=name)
        assert at.source.asked == []
        assert evidence_in(world, root) == []


async def test_only_the_named_causes_are_asked_about(plain_world, samples, metrics_at) -> None:
    """No service that the verdict does not name appears in a query; the tenant of the request is sent along."""
    async with metrics_at() as at, plain_world(metrics=(at.settings(),)) as world:
        await ask(world, samples, "tenant=team-a")
        queries = " ".join(asked["query"] for asked in at.source.asked)
        assert 'service="catalog"' in queries
        assert "gateway" not in queries
        assert {headers["X-Scope-OrgID"] for headers in at.source.headers} == {"team-a"}


async def test_a_channel_has_its_own_sources_of_evidence(plain_world, samples, metrics_at) -> None:
    """What a channel may not draw on, logs or metrics, is not asked for it, and not listed there."""
    loki, other_loki = Loki([]), Loki([])
    async with metrics_at() as at, metrics_at() as other, store(loki) as logs_at, store(other_loki) as other_logs:
        channels = {CHANNEL: ChannelSettings(metrics=("mine",), logs=("my-logs",))}
        metrics = (at.settings(), MetricSettings(name="mine", url=other.url))
        logs = tuple(
            LogSettings(name=name, kind="loki", url=url) for name, url in (("loki", logs_at), ("my-logs", other_logs))
        )
        async with plain_world(metrics=metrics, logs=logs, channels=channels) as world:
            await ask(world, samples)
            assert (at.source.asked, loki.asked) == ([], [])
            assert other.source.asked != []
            assert other_loki.asked != []
            await world.command("sources")
            await world.settled()
            for listed in ("mine: ok", "my-logs: ok"):
                assert listed in world.slack.whispers()[-1]
            for hidden in ("prom", "loki"):
                assert hidden not in world.slack.whispers()[-1]


async def test_a_private_answer_keeps_its_evidence_private(plain_world, samples, metrics_at) -> None:
    """What logs and metrics say about it is told to the person who asked, and to nobody else."""
    async with metrics_at() as at, plain_world(metrics=(at.settings(),)) as world:
        await ask(world, samples, "private")
        assert world.slack.roots() == []
        assert [text.startswith(TITLE) for text in world.slack.whispers()] == [False, True]


@pytest.mark.parametrize("fault", ["cut after", "cut before", "500", "429"])
async def test_evidence_is_posted_once_in_effect(plain_world, samples, metrics_at, fault) -> None:
    """An answer of Slack's that was lost does not double the message, a call that never arrived does not lose it."""

    class Losing(FaultySlack):
        async def answer(self, method, arguments):
            """Fail once when the message about evidence comes."""
            if str(arguments.get("text", "")).startswith(TITLE) and not self.failed:
                self.failed = True
                self.faults.insert(0, (method, fault))
            return await super().answer(method, arguments)

        failed = False

    async with metrics_at() as at, plain_world(metrics=(at.settings(),), slack=Losing()) as world:
        root = await ask(world, samples)
        assert world.slack.failed
        assert len(evidence_in(world, root)) == 1


async def test_a_restart_neither_doubles_nor_loses_evidence(plain_world, samples, metrics_at) -> None:
    """A process that ends while sources are asked leaves the rest to the next one; one after that says nothing again."""
    slack = FaultySlack()
    async with metrics_at("slow") as at:
        async with plain_world(metrics=(at.settings(),), slack=slack) as world:
            pair = next(s for s in samples.pairs if s.name == "slow-query")
            await world.command(f"{pair.baseline} {pair.suspect}")
            while not (slack.roots() and any("next steps" in m["text"] for m in slack.thread(slack.roots()[0]["ts"]))):
                await asyncio.sleep(0.01)
            await world.bot.jobs.drain(timeout_s=0)
        at.source.kind = "rise"
        at.source.held.set()
        async with plain_world(metrics=(at.settings(),), slack=slack) as world:
            await world.settled()
            (root,) = slack.roots()
            assert len(evidence_in(world, root)) == 1
            assert len([m for m in slack.thread(root["ts"]) if "next steps" in m["text"]]) == 1
            (entry,) = await world.bot.ledger.recent(CHANNEL, 10)
            await world.bot.jobs.work(entry.key)  # as if the note that it was done had been lost
            assert len(evidence_in(world, root)) == 1


async def test_the_check_asks_sources_of_evidence_too(metrics_at, tmp_path, monkeypatch, capsys) -> None:
    """`compare-traces-bot check` says of each whether it answers, without its credentials."""
    from bot.cli.check import check_sources

    monkeypatch.setenv("PROM_TOKEN", "t0psecret")
    async with metrics_at() as at, metrics_at("401") as refusing:
        settings = Settings.model_construct(
            sources=(), jaeger_url=None, tempo_url="http://127.0.0.1:9", channels={}, logs=(), evidence=EvidenceSettings(),
            metrics=(
                at.settings(bearer_env="PROM_TOKEN"), MetricSettings(name="other", url=refusing.url),
            ),
        )  # fmt: skip
        assert await check_sources(settings) == [True, False, True]
        said = capsys.readouterr().out
        assert "source prom: ok" in said
        assert "source other: other refused my credentials" in said
        assert "t0psecret" not in said
        assert at.source.headers[0]["Authorization"] == "Bearer t0psecret"


async def test_a_worker_completes_what_another_process_received(plain_world, samples, metrics_at, redis_url) -> None:
    """With shared state it is the worker that asks for evidence, and says it under the same answer."""
    async with Redis.from_url(redis_url) as client:
        await client.flushdb()
    async with metrics_at() as at, plain_world(metrics=(at.settings(),), redis_url=SecretStr(redis_url)) as world:
        pair = next(s for s in samples.pairs if s.name == "slow-query")
        await world.command(f"{pair.baseline} {pair.suspect}")
        await world.settled()
        worker = world.beside()
        worker.files._refused_until["T1"] = float("inf")
        await worker.start_worker()
        async with asyncio.timeout(60):
            while not world.slack.roots() or (await world.bot.ledger.pending()).count:
                await asyncio.sleep(0.02)
        (root,) = world.slack.roots()
        assert len(evidence_in(world, root)) == 1
        await worker.stop()
