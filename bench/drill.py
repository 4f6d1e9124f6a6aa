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
import logging
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.deployment import SECRET, Commands, Deployment, of_whom, percentile, person
from bot.playground.trace_api import Samples, routes
from bot.playground.workspace import BOT_ID, Workspace
from bot.state.work_queue import LEASE_S

CHANNELS = {f"C{number:03}": f"inc-{number}" for number in range(60)}
SLACK_FAULTS = ("429", "500", "cut after", "cut before")
BACKEND_FAULTS = ("500", "cut", "slow")
ROOM = '{"waiting": 2000, "per_channel": 2000, "oldest_s": 150}'  # what breaks is drilled here, not how much is let in
SETTLE_S = 240.0  # after the last command: longer than every lease and deadline, and than a request may take in all


class DrillSlack(Workspace):
    """A workspace that fails some calls, before or after they are applied."""

    def __init__(self, rng: random.Random, rate: float) -> None:
        super().__init__(SECRET, CHANNELS)
        self._rng = rng
        self.rate = rate
        self.faults: Counter[str] = Counter()
        self.told: Counter[str] = Counter()  # who was told alone, and how often

    async def _response(self, request: web.Request) -> web.Response:
        """Take what is said to one person; the address of a command ends with the name."""
        self.told[request.match_info["token"]] += 1
        return web.Response(text="ok")

    def do_chat_postEphemeral(self, arguments: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - named after Slack's method
        """Note whom it is for."""
        self.told[of_whom(arguments["user"])] += 1
        return super().do_chat_postEphemeral(arguments)

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


class Troubled(Deployment):
    """A deployment to which things happen."""

    def __init__(self, folder: Path, api: str, workers: int) -> None:
        super().__init__(folder, api, workers, LIMITS=ROOM)
        self.done: Counter[str] = Counter()

    async def kill_worker(self, rng: random.Random) -> None:
        """Kill a worker in the middle of its work, and start another one."""
        name = rng.choice([name for name in self.running if name.startswith("worker")])
        self.running[name].kill()
        await self.running[name].wait()
        await self.spawn(name, "worker")
        self.done["worker killed"] += 1

    async def stop_worker(self, rng: random.Random) -> None:
        """Ask a worker to end, as a deployment does, and start another one at once."""
        name = rng.choice([name for name in self.running if name.startswith("worker")])
        ending = self.running[name]
        ending.send_signal(signal.SIGTERM)
        await self.spawn(name, "worker")
        self.done["worker replaced"] += 1
        await ending.wait()

    async def restart_redis(self, rng: random.Random) -> None:
        """Kill Redis and start it again on its data, sooner or later than the lease of a request."""
        self.redis_process.kill()
        long = rng.random() < 0.3
        await asyncio.sleep(rng.uniform(LEASE_S + 1, LEASE_S + 3) if long else rng.uniform(0.5, 3))
        self.start_redis()
        self.done["redis restarted"] += 1

    async def stall_redis(self, rng: random.Random) -> None:
        """Let Redis stand still."""
        self.redis_process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(rng.uniform(1, 4))
        self.redis_process.send_signal(signal.SIGCONT)
        self.done["redis stalled"] += 1


class Drill:
    """Sends commands, makes trouble, and counts what became of each."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self._options = options
        self._folder = folder
        self._rng = random.Random(options.seed)
        self.slack = DrillSlack(random.Random(options.seed + 1), options.fault_rate)
        self.backend = Backend(random.Random(options.seed + 2), options.fault_rate)

    async def run(self) -> int:
        """Run the drill; returns the number of commands that were lost or answered twice."""
        app = web.Application(middlewares=[self.backend.middleware])
        app.add_routes(self.slack.routes())
        app.add_routes(routes(Samples()))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = self.slack.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self.processes = Troubled(self._folder, self.url, self._options.workers)
        try:
            await self.processes.start()
            trouble = asyncio.create_task(self._trouble())
            commands = await self._load()
            trouble.cancel()
            await asyncio.gather(trouble, return_exceptions=True)
            self.slack.rate = self.backend.rate = 0.0
            return await self._verdict(commands)
        finally:
            await self.processes.stop()
            await runner.cleanup()

    async def _load(self) -> int:
        """Send every command, at a steady pace with bursts; each is another question, so that none is a repeat."""
        samples = Samples()
        ids = sorted({trace for pair in samples.pairs for trace in (pair.baseline, pair.suspect)})
        questions = [(channel, a, b) for a, b in permutations(ids, 2) for channel in CHANNELS]
        self._rng.shuffle(questions)
        chosen = questions[: self._options.commands]
        async with aiohttp.ClientSession() as session:
            self.commands = Commands(session, self.processes.web_port, self.url)
            for number, (channel, a, b) in enumerate(chosen):
                said = await self.commands.send(number, channel, f"{a} {b}")
                if said:  # told at once, in the acknowledgement
                    self.slack.told[person(number)] += 1
                if number % 10:
                    await asyncio.sleep(1 / self._options.rate)
        return len(chosen)

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
        failed = self.slack.told.copy()
        for messages in self.slack.messages.values():
            for message in messages:
                if not message.get("ephemeral") and _is_root(message) and "Comparing" not in message["text"]:
                    answered[of_whom(message)] += 1
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
        users = [person(number) for number in range(commands)]
        lost = [user for user in users if not ended[user]]
        doubled = [user for user in users if ended[user] > 1]
        done = self.processes.done + self.slack.faults + self.backend.faults
        for name, count in sorted(done.items()):
            print(f"{name:20} {count:4}")
        acks = self.commands.acks_ms
        print(f"acknowledged within  {percentile(acks, 0.5):.0f} ms (median), {percentile(acks, 0.99):.0f} ms (p99)")
        for user in (*lost, *doubled)[:10]:
            print(f"{'lost' if user in lost else 'doubled'}: {user} answered {answered[user]} failed {failed[user]}")
        good = sum(answered[user] > 0 for user in users)
        told = sum(failed[user] > 0 and not answered[user] for user in users)
        print(f"commands={commands} answered={good} failed_with_message={told} lost={len(lost)} doubled={len(doubled)}")
        return len(lost) + len(doubled)


def _is_root(message: dict[str, Any]) -> bool:
    return message.get("bot_id") == BOT_ID and not message.get("thread_ts")


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
