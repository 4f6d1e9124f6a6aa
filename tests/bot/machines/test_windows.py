"""Programs compare two windows of requests: the same sample and the same verdict as in Slack."""

from __future__ import annotations

import time

import pytest
from backends import Town

MINUTE = 60


@pytest.fixture
def samples() -> Town:
    """Return a town whose checkout took 100 ms, and for half an hour takes 300 ms; the bot's worlds search it."""
    now = int(time.time())
    town = Town()
    town.traffic(now - 70 * MINUTE, now - 32 * MINUTE, 40, 100)
    town.traffic(now - 28 * MINUTE, now - 3 * MINUTE, 40, 300)
    return town


async def test_programs_compare_windows(make_api, samples) -> None:
    """Verdict, causes with their chance, sample sizes, requests to open; sections on demand; errors as in Slack."""
    now = int(time.time())

    def window(since: int, until: int) -> dict[str, str]:
        return {"since": str(now - since * MINUTE), "until": str(now - until * MINUTE)}

    question = {
        "service": "checkout", "operation": "POST /orders", "source": "jaeger", "baseline": window(70, 30),
        "suspect": window(30, 0),
    }  # fmt: skip
    async with make_api() as (_, program):
        status, answer, _ = await program.post("/v1/windows", question)
        assert status == 200
        assert answer["verdict"]["kind"] == "slower"
        assert answer["causes"][0]["operation"] == "SELECT orders"
        assert answer["causes"][0]["time"]["p"] < 0.001
        assert answer["suspect"]["sample"] == "all 40 requests"
        assert answer["suspect"]["overview"]["worst"]["trace_id"] in samples.bodies
        assert answer["summary"].startswith("checkout POST /orders")
        assert (answer["contributions"], answer["report"]) == (None, None)
        _, more, _ = await program.post("/v1/windows", question | {"detail": ["contributions", "report"], "limit": 1})
        assert len(more["contributions"]) == 1
        assert more["left_out"]["contributions"] >= 1
        assert more["report"].startswith("#")
        refused = program.refused
        assert await refused("/v1/windows", question | {"suspect": window(50, 0)}) == (422, "windows-overlap")
        assert await refused("/v1/windows", question | {"suspect": window(3, 29)}) == (422, "window-backwards")
        assert await refused("/v1/windows", question | {"suspect": {"since": "1"}}) == (400, "bad-question")
        assert await refused("/v1/windows", question | {"service": "chekout"}) == (404, "unknown-service")
