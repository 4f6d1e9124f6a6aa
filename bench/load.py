"""The bot under load: acknowledgements, time to verdict, throughput by number of workers, memory, and the event loop.

    driver: signed commands --> bot (one process, or web + workers on Redis) --> trace API (driver)
       ^                                    |
       '-------- Slack API (driver) <-------'

Each bot process looks at its clock every 2 ms, so that what holds up its event loop is seen: how late it was at worst,
how much it computed itself at worst, and for how much of the worst delay it was ready and had no core to run on. The
rest of that is threads of the same process, which keep the interpreter while they, too, wait for a core.

    python bench/load.py [--only large|workers] [--commands 300]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import threading
import time
import traceback
from functools import cached_property
from itertools import permutations
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import aiohttp
from aiohttp import web

from bench.deployment import SECRET, Commands, Deployment, of_whom, percentile, person
from bench.simulate.big import big_trace
from bot.playground.trace_api import Samples, routes
from bot.playground.workspace import Workspace

WAIT_S = 240.0
LOOK_S = 0.002
HELD_UP_S = 0.05
MIB = 1024 * 1024


class Watched(Workspace):
    """A workspace that notes when each person saw a verdict, or why there is none."""

    def __init__(self, channels: dict[str, str]) -> None:
        super().__init__(SECRET, channels)
        self.answered: dict[str, float] = {}
        self.began = asyncio.Event()  # somebody saw a verdict
        self.failed: dict[str, str] = {}

    async def answer(self, method: str, arguments: dict[str, Any]) -> web.StreamResponse:
        """Answer a call, and note what it shows to whom."""
        response = await super().answer(method, arguments)
        if method == "chat.update":
            self.answered.setdefault(of_whom(arguments), time.perf_counter())
            self.began.set()
        elif method == "chat.postEphemeral":
            self.failed[f"user{arguments['user'][-5:]}"] = arguments["text"]
        return response


class Large(Samples):
    """Pairs of large traces: as many ids as needed, two bodies."""

    def __init__(self, spans: int) -> None:
        super().__init__()
        self._spans = spans

    @cached_property
    def _bodies(self) -> tuple[bytes, bytes]:
        return big_trace(self._spans, 1), big_trace(self._spans, 2, suspect=True)

    def jaeger(self, trace_id: str) -> bytes | None:
        """Return the healthy trace for ids that begin with a, the slow one for b."""
        return self._bodies[trace_id[0] == "b"]


def memory(pid: int) -> tuple[float, float]:
    """Return the most memory that a process ever had, and what its children have now (MiB)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024
    children = 0.0
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            pages = int(Path(f"/proc/{child}/statm").read_text(encoding="ascii").split()[1])
            children += pages * 4096 / MIB
    return peak, children


class Run:
    """One deployment under one load."""

    def __init__(self, samples: Samples, workers: int, concurrent: int) -> None:
        self._samples = samples
        self._workers = workers
        self._concurrent = concurrent
        self.loops: list[dict[str, float]] = []
        self.peak, self.children = 0.0, 0.0

    async def __call__(self, questions: list[str], *, at_once: bool) -> None:
        """Send the questions, each from a channel and a person of its own, and wait for every answer."""
        slack = Watched({f"C{number:04}": f"inc-{number}" for number in range(len(questions))})
        app = web.Application()
        app.add_routes([*slack.routes(), *routes(self._samples)])
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = slack.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        with tempfile.TemporaryDirectory() as folder:
            limits = json.dumps(
                {"concurrent": self._concurrent, "waiting": 2_000, "deadline_s": 600, "analysis_s": 300}
            )
            program = (sys.executable, str(Path(__file__)), "--bot", folder)
            bot = Deployment(Path(folder), url, self._workers, program, LIMITS=limits)
            try:
                await bot.start()
                await self._load(bot, slack, questions, url, at_once=at_once)
                await self._look(bot, Path(folder))
            finally:
                await bot.stop()
                await runner.cleanup()
                await slack.aclose()

    async def _load(self, bot: Deployment, slack: Watched, questions: list[str], url: str, *, at_once: bool) -> None:
        began = time.perf_counter()
        sent: dict[str, float] = {}
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
            commands = Commands(session, bot.web_port, url)

            async def ask(number: int, question: str) -> None:
                sent[person(number)] = time.perf_counter()
                await commands.send(number, f"C{number:04}", question)

            asking = []
            for number, question in enumerate(questions):
                asking.append(asyncio.ensure_future(ask(number, question)))
                if not at_once:
                    await asyncio.sleep(0.01)
            await asyncio.gather(*asking)
            while len(slack.answered.keys() | slack.failed) < len(questions):
                self._measure(bot)
                if time.perf_counter() - began > WAIT_S:
                    break
                await asyncio.sleep(0.1)
        self.acks_ms = commands.acks_ms
        self.verdicts_s = [at - sent[user] for user, at in slack.answered.items() if user in sent]
        self.failures = slack.failed
        self.took_s = max(slack.answered.values(), default=began) - began

    def _measure(self, bot: Deployment) -> None:
        found = [memory(process.pid) for process in bot.running.values()]
        self.peak = max(self.peak, *(peak for peak, _ in found))
        self.children = max(self.children, sum(children for _, children in found))

    async def _look(self, bot: Deployment, folder: Path) -> None:
        """End the processes and read what they saw of their loops."""
        for process in bot.running.values():
            process.terminate()
        await asyncio.gather(*(process.wait() for process in bot.running.values()))
        self.loops = [json.loads(body) for body in _read(folder)]

    def row(self) -> str:
        """Return the figures as cells of a table."""
        cells = [
            f"{percentile(self.acks_ms, 0.5):.0f} / {percentile(self.acks_ms, 0.99):.0f} ms",
            f"{percentile(self.verdicts_s, 0.5):.1f} / {percentile(self.verdicts_s, 0.99):.1f} s",
            f"{len(self.verdicts_s) / self.took_s:.1f}/s",
            " / ".join(f"{max(its[what] for its in self.loops) * 1000:.0f}" for what in ("late_s", "own_s", "queued_s"))
            + " ms",
            f"{self.peak:.0f} + {self.children:.0f} MiB",
        ]
        return " | ".join(cells)


def _read(folder: Path) -> list[str]:
    return [file.read_text(encoding="utf-8") for file in folder.glob("loop-*.json")]


def queued_s() -> float:
    """Return for how long this thread was ready to run so far, and had no core."""
    return int(Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9


class Sampler:
    """Looks at a process's loop; a thread notes where it was when it was held up."""

    def __init__(self) -> None:
        self.late_s = self.own_s = self.queued_s = 0.0
        self.held_up = 0
        self.places: list[str] = []
        self._main = threading.get_ident()
        self._looked = time.perf_counter()

    async def __call__(self) -> None:
        """Look at the clock again and again; in place of the bot's own, coarser look."""
        threading.Thread(target=self._watch, daemon=True).start()
        while True:
            computed, queued = time.thread_time(), queued_s()
            began = time.perf_counter()
            await asyncio.sleep(LOOK_S)
            self._looked = now = time.perf_counter()
            late = now - began - LOOK_S
            if late > self.late_s:
                self.late_s, self.queued_s = late, queued_s() - queued
            self.own_s = max(self.own_s, min(late, time.thread_time() - computed))
            self.held_up += late > HELD_UP_S

    def _watch(self) -> None:
        while True:
            time.sleep(0.01)
            if time.perf_counter() - self._looked > HELD_UP_S and len(self.places) < 50:
                stack = traceback.extract_stack(sys._current_frames()[self._main])  # noqa: SLF001 - its documented use
                self.places.append(" < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(stack[-6:])))

    def write(self, folder: Path) -> None:
        """Leave what was seen for the driver."""
        seen = {
            "late_s": self.late_s,
            "own_s": self.own_s,
            "queued_s": self.queued_s,
            "held_up": self.held_up,
            "places": self.places,
        }
        (folder / f"loop-{self._main}.json").write_text(json.dumps(seen), encoding="utf-8")


def run_bot(folder: str, arguments: list[str]) -> int:
    """Run the bot with a sampler on its loop."""
    from bot import __main__  # noqa: PLC0415 - only in the processes that are it
    from bot.telemetry import metrics  # noqa: PLC0415 - only in the processes that are it

    sampler = Sampler()
    metrics.sample_loop_lag = sampler.__call__
    try:
        return __main__.main(arguments)
    finally:
        sampler.write(Path(folder))


async def large(count: int, spans: int) -> None:
    """So many comparisons of large traces at once, in one process."""
    run = Run(Large(spans), 0, 4)
    await run([f"a{number:031x} b{number:031x}" for number in range(1, count + 1)], at_once=True)
    print(f"{count} at once, 2 x {spans:,} spans, one process | {run.row()}")
    for its in run.loops:
        print(f"  held up {its['held_up']} times for more than {HELD_UP_S * 1000:.0f} ms")
        for place in sorted(set(its["places"]), key=its["places"].count, reverse=True)[:8]:
            print(f"    {its['places'].count(place)} x {place}")
    for sentence in sorted(set(run.failures.values())):
        print(f"  {sum(said == sentence for said in run.failures.values())} x {sentence[:200]}")


async def workers(commands: int) -> None:
    """Small traces, one process and then 1, 2 and 4 workers."""
    samples = Samples()
    ids = sorted({trace for pair in samples.pairs for trace in (pair.baseline, pair.suspect)})
    questions = [f"{a} {b}" for a, b in permutations(ids, 2)]
    asked = [questions[number % len(questions)] for number in range(commands)]
    for count in (0, 1, 2, 4):
        run = Run(samples, count, 4)
        await run(asked, at_once=False)
        name = f"{count} worker{'s' if count > 1 else ''}" if count else "one process"
        print(f"{commands} commands, {name} | {run.row()} | failed {len(run.failures)}", flush=True)


def main() -> int:
    """Run the benchmark from the command line."""
    if sys.argv[1:2] == ["--bot"]:
        return run_bot(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=("large", "workers"))
    parser.add_argument("--commands", type=int, default=300)
    parser.add_argument("--spans", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=50)
    options = parser.parse_args()
    print("| load | acknowledged p50 / p99 | verdict p50 / p99 | throughput | loop late / own / no core | memory |")
    if options.only != "workers":
        asyncio.run(large(options.at_once, options.spans))
    if options.only != "large":
        asyncio.run(workers(options.commands))
    return 0


if __name__ == "__main__":
    sys.exit(main())
