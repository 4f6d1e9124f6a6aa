"""Computing beside the event loop, one piece at a time.

A thread that computes keeps the interpreter for a while each time that it has it. With several of them the event loop
waits for its turn among all, and while others keep the machine busy as well, for each of their waits too:

    threads   a|b|c|d|   a|b|c|d|        one thread   a|a|b|b|
    loop              |l|        |l|     loop           |l| |l|

What waits for a disk or a database has nothing to do with that, and what a person waits for with a window open must not
queue behind a large trace: `asyncio.to_thread` is for both.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")

_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="computing")


async def computed(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function in the thread that computes, after what was there before; raises what it raises."""
    call = partial(copy_context().run, function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_THREAD, call)
