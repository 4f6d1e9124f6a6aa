"""`python -m bot.analysing`: a child process that computes, below the priority of the one that acknowledges."""

from __future__ import annotations

import os

NICENESS = 5  # the event loop takes the core whenever it wants it, also while a child is still loading the engine

if __name__ == "__main__":
    os.nice(NICENESS)
    from bot.analysing.child import main

    main()
