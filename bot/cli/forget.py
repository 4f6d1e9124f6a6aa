"""`forget`: delete what is kept of somebody or of some time; without `--yes`, say what that would be."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from redis.exceptions import RedisError

from bot.requests.references import unix_seconds
from bot.settings import SettingsError
from bot.state.forgetting import Selection, counted
from bot.state.opening import open_state
from bot.state.state_file import StateError

if TYPE_CHECKING:
    import argparse

    from bot.settings import Settings


async def forget(settings: Settings, options: argparse.Namespace) -> None:
    """Delete what is kept of somebody or some time, or count it; raises `SettingsError`."""
    before = unix_seconds(options.before) if options.before else None
    if options.before and before is None:
        raise SettingsError("--before: name a day, such as 2026-01-31")
    selection = Selection(
        team=options.team, channel=options.channel, user=options.user, before=before, everything=options.all
    )
    if selection == Selection():
        raise SettingsError("say what to forget: --channel, --user, --team, --before or --all")
    try:
        state = open_state(settings)
        try:
            gone = await (state.forget(selection) if options.yes else state.selected(selection))
        finally:
            await state.aclose()
    except (sqlite3.Error, StateError, RedisError, OSError) as error:
        raise SettingsError(f"cannot use the state: {error}") from None
    print(f"forgotten: {counted(gone)}" if options.yes else f"would forget {counted(gone)}; say --yes to do it")
