"""The HTTP API: programs ask what people ask in Slack, with a token, and every error has one shape."""

from __future__ import annotations

import asyncio
import json
import os

import pytest
from backends import Town
from documented import blocks
from metric_source import metric_source
from program import TOKEN
from pydantic import SecretStr

from bot.errors import FAMILIES, SourceError
from bot.machines import failures
from bot.settings import EvidenceSettings, Limits, Settings, SettingsError, SourceSettings, load_settings
from bot.settings.reach import TokenSettings


async def test_a_program_gets_the_answer_that_people_get(make_api, samples, lines) -> None:
    """Verdict, causes and next steps come as data and in words; the audit names the program; nothing goes to Slack."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    async with make_api() as (world, program):
        lines()
        link = f"{world.url}/jaeger/trace/{pair.baseline}"  # on a host that two sources share
        status, answer, _ = await program.post(
            "/v1/compare", {"baseline": link, "suspect": f"jaeger:0x{pair.suspect.upper()}"}
        )  # fmt: skip
        assert status == 200
        assert answer["verdict"]["kind"] == "slower"
        assert answer["causes"][0]["service"] == "catalog"
        assert answer["next_steps"]
        assert answer["suspect"]["url"] == f"{world.url}/jaeger/trace/{pair.suspect}"
        assert "SELECT in catalog" in answer["summary"]
        assert (answer["contributions"], answer["evidence"], answer["report"]) == (None, None, None)
        (line,) = (each for each in lines() if each["event"] == "request")
        assert (line["user"], line["channel"], line["outcome"]) == ("api", "program:api", "answered")
        assert line["request"] == answer["request_id"]
        assert (line["baseline"], line["suspect"]) == (pair.baseline, pair.suspect)
        assert world.slack.called("chat.postMessage") == []


async def test_logs_and_metrics_are_asked_where_that_is_wanted(make_api, samples) -> None:
    """They say what they say in Slack, and weigh the confidence; otherwise nobody asks them, and null says so."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    question = {"baseline": pair.baseline, "suspect": pair.suspect}
    async with metric_source() as at, make_api(metrics=(at.settings(),)) as (_, program):
        _, plain, _ = await program.post("/v1/compare", question)
        assert plain["logs_and_metrics"] is None
        assert at.source.asked == []
        status, answer, _ = await program.post("/v1/compare", question | {"logs_and_metrics": True})
        assert status == 200
        assert any("SELECT in catalog: Consistent since" in line for line in answer["logs_and_metrics"])
        assert "What logs and metrics say" in answer["summary"]


async def test_a_program_hears_only_the_logs_and_metrics_that_it_may(make_api, samples, monkeypatch) -> None:
    """A token names them as a channel does; those of others are not asked."""
    monkeypatch.setenv("BATCH_TOKEN", TOKEN)
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    question = {"baseline": pair.baseline, "suspect": pair.suspect, "logs_and_metrics": True}
    async with metric_source() as theirs, metric_source() as ours:
        tokens = (TokenSettings(name="batch", token_env="BATCH_TOKEN", metrics=("ours",)),)
        metrics = (theirs.settings(), ours.settings().model_copy(update={"name": "ours"}))
        async with make_api(metrics=metrics, tokens=tokens, api_token=SecretStr("")) as (_, program):
            status, answer, _ = await program.post("/v1/compare", question)
        assert (status, bool(answer["logs_and_metrics"])) == (200, True)
        assert theirs.source.asked == []
        assert ours.source.asked


async def test_metrics_that_do_not_answer_leave_the_answer_as_it_is(make_api, samples) -> None:
    """A source that is too slow is named, and the verdict stands."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    question = {"baseline": pair.baseline, "suspect": pair.suspect, "logs_and_metrics": True}
    evidence = EvidenceSettings(deadline_s=0.3)
    async with metric_source("slow") as at, make_api(metrics=(at.settings(),), evidence=evidence) as (_, program):
        status, answer, _ = await program.post("/v1/compare", question)
    assert (status, answer["verdict"]["kind"]) == (200, "slower")
    assert answer["logs_and_metrics"] == ["nothing about the named causes", "prom did not answer in time"]


async def test_the_call_in_the_readme_is_answered(make_api) -> None:
    """As it stands there, in a shell, with the token in the environment."""
    (call,) = (block for page, block in blocks("sh") if page == "README.md" and "/v1/compare" in block)
    async with make_api() as (_, program):
        shell = await asyncio.create_subprocess_shell(
            call.replace("localhost:3001", program.url.removeprefix("http://")), stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "API_TOKEN": TOKEN, "no_proxy": "*"},
        )  # fmt: skip
        out, _ = await shell.communicate()
    assert json.loads(out)["baseline"]["stands_for"].startswith("typical of 2 traces")


async def test_sections_come_when_asked_for_and_within_bounds(make_api, samples) -> None:
    """What was not asked for is null; lists have as many items as wanted, and what is missing is counted."""
    pair = next(s for s in samples.pairs if s.name == "n-plus-one")
    asked = {"baseline": pair.baseline, "suspect": pair.suspect, "limit": 2}
    async with make_api() as (_, program):
        _, answer, _ = await program.post(
            "/v1/compare", asked | {"detail": ["contributions", "findings", "evidence", "report"]}
        )
        _, again, _ = await program.post("/v1/compare", asked | {"detail": ["contributions"], "limit": 100})
    assert len(answer["contributions"]) == 2
    assert answer["left_out"]["contributions"] == len(again["contributions"]) - 2
    assert sum(each["delta_ns"] for each in again["contributions"]) == again["response_time"]["delta_ns"]
    assert answer["evidence"][0]["attributes"]
    assert answer["report"].startswith("#")
    assert (again["findings"], again["evidence"]) == (None, None)


async def test_the_typical_trace_is_found_for_a_trace_and_for_a_service(make_api, samples) -> None:
    """One trace, or a service and a window: the answer names the typical trace and says of how many."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    async with make_api() as (_, program):
        status, found, _ = await program.post("/v1/typical", {"trace": pair.suspect, "source": "jaeger"})
        assert (status, found["compared"]["trace_id"]) == (200, pair.suspect)
        assert found["typical"]["trace_id"] != pair.suspect
        assert found["typical"]["stands_for"].startswith("typical of 2 traces of gateway POST /api/checkout")
        seconds = found["compared"]["overview"]["started_at_ns"] // 10**9
        window = {"since": str(seconds - 600), "until": str(seconds + 600), "source": "jaeger"}
        status, found, _ = await program.post("/v1/typical", {"service": "gateway", **window})
        assert status == 200
        assert found["compared"]["stands_for"].startswith("slowest of")
        assert found["compared"]["trace_id"] in found["summary"]
        assert await program.refused("/v1/typical", {"service": "gatway", **window}) == (404, "unknown-service")
        assert await program.refused("/v1/typical", {}) == (422, "trace-or-service")
        assert await program.refused("/v1/typical", {"service": "a", "since": "soon"}) == (422, "not-a-time")
        backwards = {"service": "a", "since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}
        assert await program.refused("/v1/typical", backwards) == (422, "no-window")


async def test_a_missing_or_wrong_token_is_refused(make_api, lines) -> None:
    """Without a token, with another one, with a part of one, in another scheme: 401, and nothing is asked."""
    async with make_api() as (world, program):
        for token in ("", "x" * 28, "t0ken", "é" * 2000):
            assert await program.refused("/v1/compare", {"suspect": "1"}, token=token) == (401, "unauthorised")
        basic = {"Authorization": "Basic t0ken-of-a-program-that-asks"}
        status, _, headers = await program.post("/v1/compare", {"suspect": "1"}, token="", headers=basic)
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
        assert "t0ken" not in json.dumps(lines())
        assert world.bot.api is not None


async def test_a_token_reaches_only_its_sources_and_tenants(make_api, samples, monkeypatch) -> None:
    """Other sources do not exist for it, neither by name nor by link nor by search; other tenants are refused."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    monkeypatch.setenv("TEAM_TOKEN", "a-token-of-team-a-alone")
    team = TokenSettings(name="team-a", token_env="TEAM_TOKEN", sources=("tempo",), tenants=("a", "b"))
    async with make_api(tokens=(team,)) as (world, program):
        jaeger = world.bot.sources.named("jaeger")
        jaeger.settings = jaeger.settings.model_copy(update={"link_hosts": ("traces.example",)})
        both = {"baseline": pair.baseline, "suspect": pair.suspect}
        mine = {"token": "a-token-of-team-a-alone"}
        status, answer, _ = await program.post("/v1/compare", both, **mine)
        assert (status, answer["suspect"]["source"]) == (200, "tempo")
        for question in (both | {"source": "jaeger"}, {"suspect": f"jaeger:{pair.suspect}"}):
            assert await program.refused("/v1/compare", question, **mine) == (404, "unknown-source")
        link = {"suspect": f"https://traces.example/trace/{pair.suspect}"}
        assert await program.refused("/v1/compare", link, **mine) == (422, "unknown-host")
        assert (
            "traces.example"
            not in (await program.post("/v1/compare", {"suspect": "http://a/trace/1"}, **mine))[1]["error"]["message"]
        )
        search = {"service": "gateway", "source": "jaeger"}
        assert await program.refused("/v1/typical", search, **mine) == (404, "unknown-source")
        times = [f"2026-11-24T02:{minute}:00Z" for minute in (10, 20, 30)]
        windows = {
            name: {"since": since, "until": until}
            for name, since, until in (("baseline", *times[:2]), ("suspect", *times[1:]))
        }
        for path, question in (("/v1/compare", both), ("/v1/typical", search), ("/v1/windows", search | windows)):
            for more, refusal in (
                ({"source": "tempo", "tenant": "c"}, (403, "unknown-tenant")),
                ({"source": "jaeger", "tenant": "a"}, (404, "unknown-source")),
            ):
                assert await program.refused(path, question | more, **mine) == refusal
        assert (await program.post("/v1/compare", both | {"source": "jaeger"}))[0] == 200


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"data": "{"}, (400, "bad-question")),
        ({"data": b"\xff\xfe"}, (400, "bad-question")),
        ({"data": '{"suspect": 1}'}, (400, "bad-question")),
        ({"data": '{"suspect": "1", "colour": "red"}'}, (400, "bad-question")),
        ({"data": "[" * 60_000}, (400, "bad-question")),
        ({"data": '{"suspect": "' + "a" * 70_000 + '"}'}, (413, "request-entity-too-large")),
        ({"data": "suspect=1", "headers": {"Content-Type": "text/plain"}}, (415, "not-json")),
        ({"data": '{"suspect": "1", "limit": 0}'}, (400, "bad-question")),
        ({"data": '{"suspect": "not a trace"}'}, (422, "not-a-reference")),
        ({"data": '{"suspect": "1 2"}'}, (422, "one-per-field")),
        ({"data": '{"suspect": "https://elsewhere.example/trace/1"}'}, (422, "unknown-host")),
        ({"data": '{"suspect": "%s"}' % ("ab" * 16)}, (404, "trace-not-found")),
    ],
)  # fmt: skip
async def test_bad_questions_have_one_shape_of_error(make_api, more, expected) -> None:
    """Whatever is sent ends in a status, a code and a sentence."""
    more = {"headers": {"Content-Type": "application/json"}} | more
    async with make_api(limits=Limits(missing_retry_s=0)) as (_, program):
        assert await program.refused("/v1/compare", **more) == expected
        assert await program.refused("/v1/nothing", {}) == (404, "not-found")


async def test_more_than_may_wait_are_told_when_to_come_back(make_api, samples) -> None:
    """People and programs share the places to work in: beyond them it is 503 with Retry-After."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    question = {"baseline": pair.baseline, "suspect": pair.suspect}
    async with make_api(limits=Limits(concurrent=1, waiting=0, deadline_s=20)) as (world, program):
        with world.bot.admission.admitted():  # somebody in Slack
            status, body, headers = await program.post("/v1/compare", question)
            assert (status, body["error"]["code"], headers["Retry-After"]) == (503, "busy", "10")
        assert (await program.post("/v1/compare", question))[0] == 200


async def test_who_hangs_up_frees_the_place(make_api, samples, lines) -> None:
    """A program that goes away in the middle does not keep others waiting."""
    pair = next(s for s in samples.pairs if s.name == "slow-query")
    async with make_api(limits=Limits(concurrent=1, waiting=0)) as (world, program):
        begun, never = asyncio.Event(), asyncio.Event()

        async def slow(*_args, **_more):
            begun.set()
            await never.wait()

        world.bot.inquiry.result, quick = slow, world.bot.inquiry.result
        asked = asyncio.create_task(program.post("/v1/compare", {"suspect": pair.suspect}))
        await begun.wait()
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        async with asyncio.timeout(10):
            while not any(each.get("outcome") == "interrupted" for each in lines()):
                await asyncio.sleep(0.01)
        world.bot.inquiry.result = quick
        status, _, _ = await program.post("/v1/compare", {"baseline": pair.baseline, "suspect": pair.suspect})
        assert status == 200


async def test_what_nobody_foresaw_is_told_without_its_text(make_api, lines) -> None:
    """An error of ours is 500 in the same shape; its text stays in the log."""
    async with make_api() as (world, program):

        async def broken(*_args, **_more):
            raise RuntimeError("inside")

        world.bot.inquiry.result = broken
        status, body, _ = await program.post("/v1/compare", {"suspect": "1"})
        assert (status, body["error"]["code"]) == (500, "internal")
        assert "inside" not in json.dumps(body)
        assert "inside" in json.dumps(lines())


def test_every_error_has_a_status() -> None:
    """Each sentence that people can read has a status that is described in the OpenAPI document."""
    from bot.machines.openapi import FAILURES

    for family in FAMILIES:
        for code in family.sentences:
            error = family(code, source="x") if family is SourceError else family(code)
            assert failures.status_of(error) in FAILURES
            assert failures.of(error).error.message == error.sentence


async def test_hostile_traces_do_not_flood_an_answer(make_api, tmp_path) -> None:
    """Names of 100,000 characters in thousands of groups: the answer stays within its bounds, shaped as promised."""
    town = Town()
    name = "SET " * 25_000
    slow = town.request(1_795_000_000, 900, operation="POST /orders")
    body = json.loads(town.bodies[slow])
    spans, call = body["data"][0]["spans"], body["data"][0]["spans"][1]
    for n in range(2_000):
        spans.append(call | {"spanID": f"{n + 16:016x}", "operationName": f"{name[: 50_000 if n < 40 else 40]}{n}"})
    town.bodies[slow] = json.dumps(body).encode()
    fast = town.request(1_794_999_000, 90)
    async with town.open() as source:
        sources = (SourceSettings(name="town", kind="jaeger", url=source.settings.url),)
        async with make_api(sources=sources) as (_, program):
            question = {
                "baseline": fast,
                "suspect": slow,
                "detail": ["contributions", "findings", "evidence", "report"],
            }
            status, answer, _ = await program.post("/v1/compare", question | {"limit": 100})
    assert status == 200
    assert len(json.dumps(answer)) < 1_200_000
    assert all(len(each["operation"]) <= 300 for each in answer["contributions"])


def test_tokens_that_protect_nothing_are_refused(monkeypatch) -> None:
    """A token that is short, missing or used twice stops the start, by the name of its variable."""
    monkeypatch.setenv("LONG_TOKEN", "x" * 30)
    monkeypatch.setenv("SHORT_TOKEN", "secret")
    for variables, said in (
        (("SHORT_TOKEN",), "SHORT_TOKEN: the token is shorter"),
        (("ABSENT_TOKEN",), "ABSENT_TOKEN: the token is not set"),
        (("LONG_TOKEN", "LONG_TOKEN"), "two programs have the same token"),
    ):
        tokens = tuple(TokenSettings(name=f"p{n}", token_env=variable) for n, variable in enumerate(variables))
        with pytest.raises(SettingsError, match=said):
            Settings(tokens=tokens).program_tokens()


def test_a_token_can_come_from_a_file(monkeypatch, tmp_path) -> None:
    """As every other secret: `<variable>_FILE` names it, and no log shows it."""
    file = tmp_path / "token"
    file.write_text("x" * 30 + "\n")
    monkeypatch.setenv("TEAM_TOKEN_FILE", str(file))
    monkeypatch.setenv("API_TOKEN_FILE", str(file))
    monkeypatch.delenv("COMPARE_TRACES_CONFIG", raising=False)
    settings = Settings(tokens=(TokenSettings(name="team", token_env="TEAM_TOKEN"),))
    assert settings.program_tokens() == {"team": "x" * 30}
    assert "x" * 30 in settings.secrets()
    assert load_settings().api_token.get_secret_value() == "x" * 30
