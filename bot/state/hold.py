"""One process at a time: a lock on a file beside the state, which goes with the process, however that ends."""

from __future__ import annotations

import asyncio
import fcntl
import time
from typing import TYPE_CHECKING

import structlog

from bot.settings import SettingsError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import IO

LOOK_S = 0.1

log = structlog.get_logger()


class Hold:
    """The lock of one process."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._handle: IO[bytes] | None = None

    async def take(self, patience_s: float) -> None:
        """Wait until no other process has it; raises `SettingsError` when one keeps it."""
        ending = time.monotonic() + patience_s
        handle = self._file.open("ab")
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= ending:
                    handle.close()
                    raise SettingsError(
                        "STATE_FILE: another process of the bot works with it: end that, or set REDIS_URL for several"
                    ) from None
            else:
                self._handle = handle
                return
            if not told:
                log.info("waiting for another process to end", file=str(self._file))
                told = True
            await asyncio.sleep(LOOK_S)

    def let_go(self) -> None:
        """Let the next process have it."""
        if self._handle is not None:
            self._handle.close()
            self._handle = None
