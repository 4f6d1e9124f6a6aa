"""Fetched traces on disk: as they were sent, for nobody else to read, and not for longer than the comparison."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path

import pytest

from analysis.model import WireFormat
from bot.analysing.spool import spools
from bot.errors import SourceError
from bot.sources.base import FetchedTrace


@pytest.mark.parametrize("ends", ["well", "badly"])
async def test_traces_on_disk_are_for_the_bots_user_alone_and_go(ends) -> None:
    """Nobody else may enter their folder, and it goes with the comparison, however that ends."""
    trace = FetchedTrace(trace_id="a" * 32, body=b"a trace", wire=WireFormat.JAEGER_JSON, source="jaeger")
    with suppress(SourceError), spools() as (a, b):
        await a.add(trace)
        files = [Path(its.written().path) for its in (a, b)]
        (folder,) = {file.parent for file in files}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert files[0].read_bytes() == b"a trace"
        if ends == "badly":
            raise SourceError("broken", source="jaeger")
    assert not folder.exists()
