"""`run`, `worker` and `mcp`: serve until told to stop."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sqlite3
import sys
from typing import TYPE_CHECKING

import anyio.lowlevel

from bot.app import Bot
from bot.cli.parser import MCP_EXTRA
from bot.settings import SettingsError
from bot.state.state_file import StateError
from bot.telemetry import tracing

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Coroutine
    from typing import Any

    from bot.settings import Settings

WORKER_NICENESS = 3  # on one machine, workers and their children yield to what acknowledges
SWITCH_S = 0.001  # how long another thread may keep the event loop from going on; 5 ms each by default


async def serve(settings: Settings, options: argparse.Namespace) -> None:
    """Serve as the command says; raises `SettingsError`."""
    match options.command:
        case "run":
            await _receive(settings, options.mode)
        case "worker":
            await _work(settings)
        case _:
            await _serve_models(settings, http=options.http, port=options.port)


async def _receive(settings: Settings, mode: str | None) -> None:
    """Serve a workspace, over "http" or "socket"; by default what the tokens are for."""
    socket = mode == "socket" or (mode is None and bool(settings.slack_app_token.get_secret_value()))
    await _serve(settings, Bot.start_socket if socket else Bot.start_http)


async def _work(settings: Settings) -> None:
    """Answer what other processes accept."""
    os.nice(WORKER_NICENESS)
    await _serve(settings, Bot.start_worker)


async def _serve(settings: Settings, start: Callable[[Bot], Coroutine[Any, Any, None]]) -> None:
    try:
        bot = Bot(settings)
    except (sqlite3.Error, StateError) as error:
        raise SettingsError(f"STATE_FILE: cannot use {settings.state_file}: {error}") from None
    await stay_prompt()
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    starting = asyncio.create_task(start(bot))
    stopped = asyncio.create_task(stopping.wait())
    stop_tracing = tracing.set_up()
    try:
        await asyncio.wait((starting, stopped), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            await starting
            await stopped
    except OSError as error:
        raise SettingsError(f"HOST, PORT: cannot listen on {settings.host}:{settings.port}: {error.strerror}") from None
    finally:
        starting.cancel()
        await bot.stop()
        await asyncio.to_thread(stop_tracing)


async def stay_prompt() -> None:
    """Keep pauses short: what was loaded lives as long as the process, and no garbage collection looks at it again."""
    await anyio.lowlevel.checkpoint()  # loads what the first request of httpx would load while somebody waits for it
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_S)


async def _serve_models(settings: Settings, *, http: bool, port: int) -> None:
    """Serve over MCP; the SDK is an extra, and what it brings is loaded here alone."""
    try:
        from bot.machines import mcp_server  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "bot":
            raise
        raise SettingsError(f"mcp: {error.name} is not installed: pip install '{MCP_EXTRA}'") from None
    await (mcp_server.serve_http(settings, port) if http else mcp_server.serve_stdio(settings))
