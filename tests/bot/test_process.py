"""The bot as a process: started, stopped, killed in the middle of its work, started again."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from world import CHANNEL, SECRET, FaultySlack, World, serve

from bot.playground.trace_api import routes

ROOT = Path(__file__).parents[2]


class Process:
    """`python -m bot run` in HTTP mode."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process = process
        self.port = port
        self.web = self  # the world asks for `bot.web.port`

    async def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal and wait; returns the exit status and what was written."""
        self.process.send_signal(number)
        return await self.ended()

    async def ended(self) -> tuple[int, str]:
        """Wait for the end; returns the exit status and what was written."""
        _, written = await asyncio.wait_for(self.process.communicate(), 60)
        return int(self.process.returncode or 0), written.decode()


class Town:
    """A workspace and trace backends that outlive the bot; `gate` holds the backends' answers."""

    def __init__(self, slack: FaultySlack, url: str, state: Path) -> None:
        self.slack = slack
        self.url = url
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = asyncio.Event()
        self._state = state

    async def start(self, *, wait: bool = True, **environment: str) -> Process:
        """Start the bot and wait until it is ready."""
        port = _free_port()
        variables = {
            "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": SECRET, "SLACK_API_URL": f"{self.url}/api",
            "JAEGER_URL": f"{self.url}/jaeger", "HOST": "127.0.0.1", "PORT": str(port), "OPS_PORT": "0",
            "STATE_FILE": str(self._state), "PATH": os.environ["PATH"],
        } | environment  # fmt: skip
        process = Process(
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", "--mode", "http", cwd=ROOT, env=variables,
                stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            ),
            port,
        )  # fmt: skip
        if wait:
            async with asyncio.timeout(60):
                while not await _listens(port):
                    await asyncio.sleep(0.02)
        return process

    async def until(self, what) -> None:
        """Wait until something is true of the workspace."""
        async with asyncio.timeout(60):
            while not what():
                await asyncio.sleep(0.01)

    def world(self, process: Process) -> World:
        """Return the means to send the process signed requests."""
        return World(self.slack, process, self.url)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.fixture
async def town(samples, tmp_path):
    """Return everything around the bot."""
    slack = FaultySlack()

    @web.middleware
    async def gate(request, handler):
        if "/jaeger/" in request.path:
            made.asked.set()
            await made.gate.wait()
        return await handler(request)

    app = web.Application(middlewares=[gate])
    app.add_routes([*slack.routes(), *routes(samples)])

    @asynccontextmanager
    async def open_town():
        async with serve(app) as url:
            slack.base_url = url
            yield Town(slack, url, tmp_path / "ledger.sqlite3")

    async with open_town() as made:
        yield made
        assert slack.objections == []
    await slack.aclose()


def ids(samples) -> str:
    """Return a sample pair as it is typed."""
    found = next(sample for sample in samples.pairs if sample.name == "slow-query")
    return f"{found.baseline} {found.suspect}"


def complete(slack: FaultySlack) -> bool:
    """Tell whether the one answer stands, with its thread."""
    roots = slack.roots()
    return len(roots) == 1 and roots[0]["text"].startswith("Slower") and len(slack.replies(roots[0]["ts"])) == 2


async def test_sigterm_in_the_middle_of_a_comparison_lets_it_finish(town, samples) -> None:
    """A new release in the middle of an incident: the running comparison is answered, then the process ends well."""
    process = await town.start()
    town.gate.clear()
    await town.world(process).command(ids(samples))
    await asyncio.wait_for(town.asked.wait(), 60)
    process.process.send_signal(signal.SIGTERM)
    town.gate.set()
    assert (await process.ended())[0] == 0
    assert complete(town.slack)


async def test_all_that_a_process_writes_is_json_without_a_secret(town, samples) -> None:
    """A whole life, with a Slack that fails and somebody who forges requests: every line parses, none opens a door."""
    process = await town.start(SLACK_BOT_TOKEN="xoxb-1234-secret-token")
    world = town.world(process)
    town.slack.faults = [("chat.postMessage", "500"), ("chat.update", "invalid_blocks"), ("chat.update", "429")]
    await world.command(ids(samples), response_url=f"{town.url}/response/secret-path", trigger_id="secret-trigger")
    await town.until(lambda: complete(town.slack))
    await world.command("nonsense", response_url=f"{town.url}/response/secret-path")
    await world.send("text=secret-forged", headers={"X-Slack-Signature": "v0=00"})
    _, written = await process.end(signal.SIGTERM)
    lines = [json.loads(line) for line in written.splitlines()]
    assert {line.get("outcome") for line in lines if line["event"] == "request"} == {"answered", "refused"}
    assert "secret" not in written
    assert SECRET not in written
    assert "/response/" not in written


async def test_kill_9_in_the_middle_of_a_comparison_loses_and_repeats_nothing(town, samples) -> None:
    """The next process takes up what the killed one had accepted: one root, one thread."""
    first = await town.start()
    town.gate.clear()
    await town.world(first).command(ids(samples))
    await asyncio.wait_for(town.asked.wait(), 60)
    await town.until(town.slack.roots)
    await first.end(signal.SIGKILL)
    assert [root["text"].split(" ")[0] for root in town.slack.roots()] == ["Comparing"]
    town.gate.set()
    second = await town.start()
    await town.until(lambda: complete(town.slack))
    assert (await second.end(signal.SIGTERM))[0] == 0
    assert complete(town.slack)


async def test_kill_9_while_the_thread_is_written_completes_it_once(town, samples) -> None:
    """Replies that were posted already are found and not posted again."""
    first = await town.start()
    posted = town.slack.do_chat_postMessage
    halfway = asyncio.Event()

    def count(arguments):
        answer = posted(arguments)
        if arguments.get("thread_ts"):
            halfway.set()
        return answer

    town.slack.do_chat_postMessage = count
    await town.world(first).command(ids(samples))
    await asyncio.wait_for(halfway.wait(), 60)
    await first.end(signal.SIGKILL)
    second = await town.start()
    await town.until(lambda: complete(town.slack))
    assert (await second.end(signal.SIGTERM))[0] == 0
    assert complete(town.slack)


async def test_sigterm_while_slack_hangs_at_the_start_ends_the_process(town) -> None:
    """A start that cannot go on can be stopped."""
    never = asyncio.Event()
    asked = asyncio.Event()

    async def hang(_method, _arguments):
        asked.set()
        await never.wait()

    town.slack.answer = hang
    process = await town.start(wait=False)
    await asyncio.wait_for(asked.wait(), 60)
    began = time.monotonic()
    status, _ = await process.end(signal.SIGTERM)
    never.set()
    assert status == 0
    assert time.monotonic() - began < 8  # sooner than the call that hangs gives up


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"SLACK_SIGNING_SECRET": ""}, "SLACK_SIGNING_SECRET"),
        ({"STATE_FILE": "/nowhere/at/all.sqlite3"}, "STATE_FILE: cannot use /nowhere/at/all.sqlite3"),
        ({"HOST": "203.0.113.1"}, "HOST, PORT: cannot listen on 203.0.113.1"),
        ({"OPS_HOST": "203.0.113.1"}, "OPS_HOST, OPS_PORT: cannot listen on 203.0.113.1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_what_keeps_the_bot_from_starting_is_one_sentence(town, environment, said) -> None:
    """Exit status 2, a sentence that names the variable and where all of them are listed; never a traceback."""
    process = await town.start(wait=False, **environment)
    status, written = await process.ended()
    assert status == 2
    line, more = [line for line in written.splitlines() if not line.startswith("{")]
    assert said in line
    assert more == "(`compare-traces-bot settings` lists them all)"


async def test_a_token_that_slack_refuses_is_one_line(town) -> None:
    """The most common mistake of the first day is told as such."""
    town.slack.faults = [("auth.test", "invalid_auth")]
    status, written = await (await town.start(wait=False)).ended()
    assert status == 2
    assert "SLACK_BOT_TOKEN: Slack refuses it (invalid_auth)" in written
    assert "Traceback" not in written
    assert town.slack.messages[CHANNEL] == []


def test_what_the_first_question_needs_is_loaded_before_it_comes() -> None:
    """Loading code holds up the event loop: a process that serves has loaded what asking a backend takes."""
    script = """
import asyncio, sys
import httpx
from bot.cli.serving import stay_prompt

async def ask():
    async with httpx.AsyncClient() as client:
        await stay_prompt()
        before = set(sys.modules)
        try:
            await client.get("http://127.0.0.1:1/")
        except httpx.ConnectError:
            pass
    print(sorted(set(sys.modules) - before))

asyncio.run(ask())
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"
