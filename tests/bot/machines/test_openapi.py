"""The OpenAPI document says what the HTTP API does: tried by schemathesis against the real bot on loopback."""

from __future__ import annotations

import asyncio
import sys

import aiohttp
from jsonschema import Draft202012Validator
from program import TOKEN

from bot.finding import sampling
from bot.settings import Limits

PROVEN = """
[generation]
max-examples = 3
deterministic = true
no-shrink = true

[phases.coverage]
unexpected-methods = ["GET", "PATCH"]  # one that reads, one that writes: all others take the same way

[phases.stateful]
enabled = false  # no call leaves anything behind that another could use

[checks.positive_data_acceptance]
# Whether a well-formed reference names anything is not a matter of form: 404, 422.
expected-statuses = ["2xx", 401, 403, 404, 422]
"""


async def test_the_api_is_what_its_document_says(make_api, tmp_path, monkeypatch) -> None:
    """All checks: statuses, headers, types and shapes of answers, bad data refused, methods, tokens not ignored."""
    (tmp_path / "schemathesis.toml").write_text(PROVEN)
    monkeypatch.setattr(sampling, "SLICES", 1)  # of each window: nothing is found in them here
    async with make_api(limits=Limits(missing_retry_s=0)) as (world, program):
        del world.bot.sources._sources["tempo"]  # one source to ask is enough, and takes half the time
        tried = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(tmp_path / "schemathesis.toml"), "run",
            f"{program.url}/v1/openapi.json", "--checks", "all", "--seed", "1",
            "--header", f"Authorization: Bearer {TOKEN}",
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await tried.communicate()
        async with aiohttp.ClientSession() as session, session.get(f"{program.url}/v1/openapi.json") as response:
            document = await response.json()
    assert tried.returncode == 0, said.decode()
    assert b"Examples" in said and b"Fuzzing" in said  # noqa: PT018 - one thing: both were tried
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    assert document["openapi"] == "3.1.0"
