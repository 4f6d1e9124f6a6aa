"""The playground: the real bot, in a browser, against recorded traces, without a Slack workspace.

python -m bot playground          starts it, having already compared one pair, and prints the address
python -m bot playground --cli    prints the same comparison in the terminal
"""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from pathlib import Path

from analysis import compare, render_text
from bot.playground.page_api import WINDOWS_STORY, windows_command
from bot.playground.server import Playground
from bot.playground.trace_api import Samples
from bot.telemetry import log

FIRST = "n-plus-one"  # the comparison that the first look shows
TRY = ("n-plus-one", "retry-storm", "same-trace-twice")
ALONE = "slow-network"  # its suspect has several healthy requests before it


def main(*, port: int, cli: bool = False) -> int:
    """Run the playground; returns the exit status."""
    if cli:
        return _print_first()
    log.configure()
    try:
        asyncio.run(_serve(port))
    except KeyboardInterrupt:
        return 0
    return 0


def _print_first() -> int:
    samples = Samples()
    pair = next(sample for sample in samples.pairs if sample.name == FIRST)
    baseline, suspect = samples.trace(pair.baseline), samples.trace(pair.suspect)
    if baseline is None or suspect is None:
        print("the samples are incomplete: install the package again", file=sys.stderr)  # noqa: T201 - a command line
        return 2
    print(f"{pair.story}\n\n{render_text(compare(baseline, suspect))}", end="")  # noqa: T201 - a command line
    return 0


async def _serve(port: int) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    with tempfile.TemporaryDirectory(prefix="compare-traces-") as folder:
        playground = Playground(port, Path(folder) / "ledger.sqlite3")
        try:
            await playground.start()
        except OSError:
            playground = Playground(0, Path(folder) / "ledger-2.sqlite3")  # the port is taken: any free one will do
            await playground.start()
        await show_first(playground)
        _greet(playground)
        await stopping.wait()
        await playground.stop()


async def show_first(playground: Playground) -> None:
    """Ask for the first comparison through the real slash command and wait for its answer."""
    pair = next(sample for sample in playground.samples.pairs if sample.name == FIRST)
    await playground.workspace.type("C0INCIDENT", "Checkout got slow after 14:00, anyone looking at traces?")
    await playground.workspace.type("C0INCIDENT", f"/compare-traces {pair.baseline} {pair.suspect}")
    if playground.bot is not None:
        await playground.bot.jobs.idle()


def _greet(playground: Playground) -> None:
    lines = [f"The playground is at {playground.url}", "", "Type one of these in the channel:", ""]
    for name in TRY:
        pair = next(sample for sample in playground.samples.pairs if sample.name == name)
        lines += [f"  /compare-traces {pair.baseline} {pair.suspect}", f"      {pair.story}", ""]
    one = next(sample for sample in playground.samples.pairs if sample.name == ALONE)
    lines += [f"  /compare-traces {one.suspect}", "      One trace: a typical one to compare with is found.", ""]
    lines += [f"  {windows_command(playground.traffic)}", f"      {WINDOWS_STORY}", ""]
    lines.append("Ctrl-C ends it.")
    print("\n".join(lines), flush=True)  # noqa: T201 - this is what the person came for
