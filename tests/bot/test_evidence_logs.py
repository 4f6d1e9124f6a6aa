"""Logs as evidence: what is new in them around the suspect completes its answer."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from log_stores import Elastic, Entry, Loki, matches, store
from world import CHANNEL

from bot.evidence.facts import LogLook
from bot.evidence.log_source import LogSource
from bot.evidence.question import Question, Request
from bot.settings import LinkSettings, LogSettings

A_AT, B_AT = 1_795_000_000, 1_795_003_600
A_ID, B_ID = "a" * 32, "b" * 32
QUESTION = Question(
    subjects=(), services=("catalog", 'odd"}.*'),
    baseline=Request(trace_id=A_ID, start_ns=A_AT * 10**9, end_ns=(A_AT + 1) * 10**9),
    suspect=Request(trace_id=B_ID, start_ns=B_AT * 10**9, end_ns=(B_AT + 1) * 10**9),
)  # fmt: skip
USUAL = [
    Entry(at=at + i, service="catalog", text=f"cache miss {i}", known={"detected_level": "warn"})
    for at in (A_AT, B_AT)
    for i in range(5)
]
BOOM = [
    Entry(
        at=B_AT + i, service="catalog", text=f"pool orders exhausted after {i}00 ms", known={"detected_level": "error"}
    )
    for i in range(12)
]


async def facts(its, question: Question = QUESTION, kind: str = "loki", **changes):
    """Ask a log store."""
    async with store(its) as url:
        source = LogSource(LogSettings(name="loki", kind=kind, url=url, **changes), 60)
        try:
            return await source.facts(question, tenant=None, deadline_s=10)
        finally:
            await source.aclose()


async def test_new_errors_around_the_suspect_are_found() -> None:
    """By service and window: what is usual is not told, other services' lines are not even asked for."""
    loki = Loki([*USUAL, *BOOM, Entry(at=B_AT, service="other", text="other boom", known={"detected_level": "error"})])
    (fact,), look, _ = await facts(loki)
    assert (fact.service, fact.level, fact.sample) == ("catalog", "error", "pool orders exhausted after 1100 ms")
    assert fact.words() == "12 in the 121 s around B, none around A"
    assert look == LogLook(source="loki", baseline=5, suspect=17)
    assert all("other" not in asked["query"] for asked in loki.asked)


@pytest.mark.parametrize("where", ["line", "metadata"])
async def test_the_suspects_own_lines_are_found_by_its_id(where) -> None:
    """Whether the id of the trace stands in the line or beside it; one line is enough."""
    known = {"detected_level": "error"} | ({"trace_id": B_ID} if where == "metadata" else {})
    text = "payment refused" if where == "metadata" else f'level=error msg="payment refused" trace_id={B_ID}'
    (fact,), _, _ = await facts(Loki([*USUAL, Entry(at=B_AT + 30, service="catalog", text=text, known=known)]))
    assert fact.sample == "payment refused"
    assert fact.words().startswith("in B's own log, not in A's")


async def test_an_old_loki_that_knows_no_levels_is_asked_for_words() -> None:
    """Before version 3 nothing stands beside a line: then what the line says tells its level."""
    lines = [Entry(at=B_AT + i, service="catalog", text=f'{{"level":"ERROR","msg":"boom {i}"}}') for i in range(12)]
    lines += [Entry(at=B_AT, service="catalog", text='level=info msg="no error"')]
    (fact,), look, _ = await facts(Loki(lines))
    assert (fact.sample, fact.suspect, look.suspect) == ("boom 11", 12, 12)


async def test_names_cannot_change_a_question() -> None:
    """A service whose name holds quotes, braces and wildcards is asked for as it is, and matches itself alone."""
    loki = Loki(
        [Entry(at=B_AT + i, service='odd"}.*', text=f"odd {i}", known={"detected_level": "error"}) for i in range(12)]
    )
    (fact,), _, _ = await facts(loki)
    assert fact.service == 'odd"}.*'
    assert not matches(
        loki.asked[0]["query"], Entry(at=0, service='odd"}xx', text="", known={"detected_level": "error"})
    )


async def test_a_configured_selector_and_pipeline_are_used() -> None:
    """Other labels, more matchers and another way of telling errors are settings."""
    loki = Loki([])
    await facts(
        loki, service_label="app", matchers='cluster="prod"', pipeline='| json | level="error"', trace_label="tid"
    )
    queries = [asked["query"] for asked in loki.asked]
    assert queries[0].startswith('{app=~"catalog|')
    assert all(', cluster="prod"} ' in query for query in queries)
    assert queries[0].endswith('| json | level="error"')
    assert any(query.endswith(f'| tid="{B_ID}"') for query in queries)
    assert len(queries) == 6  # no second look for words


async def test_more_lines_than_are_read_are_said_to_be_more() -> None:
    """Of very many lines the newest are read; the count says that it is not all."""
    (fact,), _, _ = await facts(Loki(BOOM), max_lines=10)
    assert "at least 10 in the" in fact.words()


def ecs(at: int, level: str, text: str, **more) -> dict:
    """Return a document as Filebeat or an ECS logger sends it."""
    return {"@timestamp": stamp(at), "service": {"name": "catalog"}, "log": {"level": level}, "message": text, **more}


def otel(at: int, number: int, text: str, **more) -> dict:
    """Return a document of OpenTelemetry's own data streams."""
    resource = {"attributes": {"service.name": "catalog"}}
    return {"@timestamp": stamp(at), "resource": resource, "severity_number": number, "body": {"text": text}, **more}


def fluent(at: int, level: str, text: str, **more) -> dict:
    """Return a document that Fluent Bit took from a pod."""
    return {"@timestamp": stamp(at), "kubernetes": {"labels": {"app": "catalog"}}, "level": level, "log": text, **more}


def stamp(at: int) -> str:
    """Write a time as documents have it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


@pytest.mark.parametrize("kind", ["loki", "elasticsearch"])
async def test_deployments_in_a_log_are_found(kind) -> None:
    """With a query for them, the last deployments of each service between the two requests are told."""
    said = [
        (A_AT - 60, "before A"),
        (A_AT + 60, "rollout of catalog to 1.5.0 token=hunter2hunter2hunter2"),
        (B_AT + 60, "after B"),
    ]
    if kind == "loki":
        its, query = (
            Loki([Entry(at=at, service="catalog", text=text) for at, text in said]),
            '{service_name="{service}"} |= "o"',
        )
    else:
        its, query = Elastic([ecs(at, "INFO", text) for at, text in said]), 'deployed AND "{service}"'
    *_, (fact,) = await facts(its, kind=kind, deployments=query)
    assert fact.words(B_AT) == "catalog: deployed: rollout of catalog to 1.5.0 token=[redacted] at 11:07 UTC (loki)"


@pytest.mark.parametrize(
    ("shape", "bad", "fine", "trace"),
    [
        (ecs, "ERROR", "INFO", {"trace": {"id": B_ID}}),
        (otel, 17, 9, {"trace_id": B_ID}),
        (fluent, "error", "info", {"traceId": B_ID}),
    ],
)
async def test_elasticsearch_is_asked_in_all_the_shapes_of_logs(shape, bad, fine, trace) -> None:
    """By service, window and level, and by the id of the trace, wherever those stand; others' lines are not found."""
    more = [shape(B_AT + i, bad, f"pool exhausted after {i} ms") for i in range(12)]
    own = shape(B_AT + 40, bad, "payment refused", **trace)
    others = [{**shape(B_AT, bad, "other boom"), "service": {"name": "other"}, "resource": {}, "kubernetes": {}}] * 20
    usual = [shape(at + 2, fine, "no error") for at in (A_AT, B_AT)]
    its = Elastic([*more, own, *others, *usual])
    found, look, _ = await facts(its, kind="elasticsearch", index="logs-*,app-logs")
    assert [(fact.sample, fact.own) for fact in found] == [
        ("payment refused", True),
        ("pool exhausted after 11 ms", False),
    ]
    assert (look.baseline, look.suspect) == (0, 13)
    assert its.paths[0].startswith("/logs-*,app-logs/_search?ignore_unavailable=true")


async def test_elasticsearch_is_pinged() -> None:
    """The check searches for nothing: that works with the rights that the bot needs, and no others."""
    async with store(Elastic([])) as url, store(Loki([])) as loki:
        for settings in (
            LogSettings(name="es", kind="elasticsearch", url=url),
            LogSettings(name="loki", kind="loki", url=loki),
        ):
            source = LogSource(settings, 60)
            assert await source.ping() == "ok"
            await source.aclose()


async def ask(world, samples, options: str = ""):
    """Ask about a slow query of `catalog`, whose two requests ran a quarter of a minute apart; returns the evidence."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    await world.command(f"{pair.baseline} {pair.suspect} {options}")
    await world.settled()
    (root,) = world.slack.roots()
    return root, [m for m in world.slack.replies(root["ts"]) if m["text"].startswith("What logs and metrics say")]


async def test_logs_complete_the_thread_with_a_sample_and_a_link(plain_world, samples) -> None:
    """One message: what is new, a line of it, where to read on; new errors of the cause's service make it surer."""
    start = datetime.fromisoformat("2026-11-24T02:22:55.632+00:00").timestamp()
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    own = {"detected_level": "error", "trace_id": pair.suspect}
    lines = [Entry(at=start + 0.1, service="catalog", text="statement took 74 ms: full table scan", known=own)]
    links = (LinkSettings(title="Logs", url="https://grafana.example/logs?s={service}"),)
    async with store(Loki(lines)) as url:
        logs = (LogSettings(name="loki-prod", kind="loki", url=url),)
        async with plain_world(logs=logs, links=links) as world:
            root, (said,) = await ask(world, samples)
            assert (
                "New error in catalog: statement took 74 ms: full table scan (in B's own log, not in A's"
                in said["text"]
            )
            assert "Confidence stays high: logs: catalog logs errors around B that it does not around A" in said["text"]
            assert "https://grafana.example/logs?s=catalog" in json.dumps(said["blocks"])
            assert "from loki-prod" in json.dumps(said["blocks"])
            assert "Confidence: high." in root["text"]


async def test_quiet_logs_are_said_to_be_quiet(plain_world, samples) -> None:
    """That nothing is new in the logs is an answer too, and no reason to doubt."""
    start = datetime.fromisoformat("2026-11-24T02:22:55.632+00:00").timestamp()
    lines = [Entry(at=start, service="catalog", text="cache miss", known={"detected_level": "warn"})]
    async with store(Loki(lines)) as url, plain_world(logs=(LogSettings(name="loki", kind="loki", url=url),)) as world:
        root, (said,) = await ask(world, samples)
        assert "No new errors or warnings in loki (1 around B, 0 around A)" in said["text"]
        assert "Confidence: high." in root["text"]


async def test_hostile_lines_stay_literal_and_hold_no_secrets(plain_world, samples) -> None:
    """Mentions, links, markup and secrets in a log do nothing in the channel; a line of any size is cut."""
    start = datetime.fromisoformat("2026-11-24T02:22:55.632+00:00").timestamp()
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    own = {"detected_level": "error", "trace_id": pair.suspect}
    texts = (
        "<!channel> <@U1> *bold* <https://evil.example|click> password=hunter2",
        "x" * 200_000 + " token=abcdefghijklmnop1234567890",
        "\u202eevil\x00 of jane.doe@example.com",
        'level=error msg="```rm -rf```"',
    )
    lines = [Entry(at=start + 0.1, service="catalog", text=text, known=own) for text in texts]
    async with store(Loki(lines)) as url, plain_world(logs=(LogSettings(name="loki", kind="loki", url=url),)) as world:
        _, (said,) = await ask(world, samples)
        for part in ("&lt;!channel&gt;", "click", "xxxxxx…", "evil", "```rm -rf```"):
            assert part in said["text"]
        said_in_blocks = [each for each in _texts(said["blocks"]) if each["text"].startswith("<!channel>")]
        assert [each["type"] for each in said_in_blocks] == ["text"]
        everything = json.dumps([said["text"], world.slack.messages[CHANNEL]])
        for part in ("hunter2", "abcdefghijklmnop", "jane.doe", "\\u202e", "x" * 400):
            assert part not in everything
        for part in ("<!channel>", "<@U1>", "<https://evil"):
            assert part not in said["text"]


def _texts(node) -> list[dict]:
    """Return the elements that show text."""
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    shown = [node] if isinstance(node, dict) and isinstance(node.get("text"), str) else []
    return shown + [each for child in inner for each in _texts(child)]
