"""Computing beside the event loop: one piece at a time, as if it were called."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar

import pytest

from bot.computing import computed


async def test_pieces_are_computed_one_after_the_other_in_their_order() -> None:
    """However many ask at once, one computes; each has its own result."""
    running, most, done = 0, 0, []

    def piece(number: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        done.append(number)
        running -= 1
        return number * number

    assert await asyncio.gather(*(computed(piece, number) for number in range(50))) == [n * n for n in range(50)]
    assert most == 1
    assert done == list(range(50))


async def test_the_loop_goes_on_meanwhile() -> None:
    """What is computed waits for something that only the event loop can do."""
    released = threading.Event()
    waiting = asyncio.ensure_future(computed(released.wait, 60))
    await asyncio.sleep(0)
    released.set()
    assert await waiting


async def test_what_nobody_waits_for_any_more_is_not_computed() -> None:
    """A piece whose asker has left before its turn is passed over."""
    released, computed_too = threading.Event(), []
    first = asyncio.ensure_future(computed(released.wait, 60))
    second = asyncio.ensure_future(computed(computed_too.append, 1))
    await asyncio.sleep(0)
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    released.set()
    assert await first
    await computed(int)
    assert computed_too == []


async def test_errors_and_the_context_are_the_callers() -> None:
    """What is raised is raised where it was asked for, and log lines have the id of their request."""
    request = ContextVar("request", default="")
    request.set("r1")
    assert await computed(request.get) == "r1"
    with pytest.raises(ZeroDivisionError):
        await computed(divmod, 1, 0)
