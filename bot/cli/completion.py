"""Completion of both command lines in a shell, made from their parsers: they can't fall behind the options.

eval "$(compare-traces-bot completion bash)"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import shtab

from analysis.__main__ import make_parser

if TYPE_CHECKING:
    import argparse

SHELLS = ("bash", "zsh", "fish", "tcsh")
PATHS = ("A", "B", "FILE", "PATH")  # what the engine's command line calls arguments that are files


def script(shell: Any, own: argparse.ArgumentParser) -> str:
    """Return what the shell has to read; `own` is the parser of the bot's command line."""
    engine = make_parser()
    for action in engine._actions:  # noqa: SLF001 - argparse lists its arguments nowhere else
        if action.metavar in PATHS:
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # where shtab looks for it
    return "\n".join(shtab.complete(parser, shell) for parser in (engine, own))
