"""Commands of the documentation with what they print: read, run, and, by `make docs`, written anew.

A block of a page that begins with ```console holds commands after `$ `, each followed by its output; they run in a shell,
in a folder with two recorded traces (healthy.json, slow.json). `export NAME=value` stands for settings: tokens and
addresses in it are examples, and are replaced by those of a Slack and of a trace backend on this machine.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web
from socket_slack import SocketSlack
from world import serve

from bot.playground.trace_api import Samples, routes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "bench" / "README.md")
CONSOLE = re.compile(r"(?<=```console\n)(.*?)(?=```)", re.DOTALL)
PAIR = "n-plus-one"


def blocks(language: str) -> list[tuple[str, str]]:
    """Return the blocks of a language with the name of their page."""
    return [
        (page.name, found)
        for page in PAGES
        for found in re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    ]


async def played(session: str, folder: Path, addresses: dict[str, str]) -> str:
    """Return a console session with what its commands print today."""
    told, settings = [], {}
    for command in re.findall(r"^\$ (.*)$", session, re.MULTILINE):
        told.append(f"$ {command}\n")
        if command.startswith("export "):
            settings = {name: addresses[name] for name in re.findall(r"(\w+)=", command)}
            continue
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(folder), "PYTHONPATH": str(ROOT),
            "SLACK_API_URL": addresses["SLACK_API_URL"], **settings,
        }  # fmt: skip
        process = await asyncio.create_subprocess_shell(
            command, cwd=folder, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        told.append((await process.communicate())[0].decode())
    return "".join(told)


async def pages() -> AsyncIterator[tuple[Path, str]]:
    """Yield every page that has console sessions, as it has to be today."""
    samples = Samples()
    pair = next(sample for sample in samples.pairs if sample.name == PAIR)
    slack, app = SocketSlack(), web.Application()
    app.add_routes([*slack.routes(), *routes(samples)])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "healthy.json").write_bytes(samples.jaeger(pair.baseline))
        (folder / "slow.json").write_bytes(samples.jaeger(pair.suspect))
        async with serve(app) as url:
            slack.base_url = url
            addresses = {
                "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1", "SLACK_API_URL": f"{url}/api",
                "JAEGER_URL": f"{url}/jaeger", "TEMPO_URL": f"{url}/tempo",
            }  # fmt: skip
            for page in PAGES:
                text = page.read_text()
                sessions = CONSOLE.findall(text)
                today = await asyncio.gather(*(played(session, folder, addresses) for session in sessions))
                for was, now in zip(sessions, today, strict=True):
                    text = text.replace(was, now)
                if sessions:
                    yield page, text


async def _write() -> None:
    async for page, text in pages():
        page.write_text(text)


if __name__ == "__main__":
    asyncio.run(_write())
