"""What is secret here, on its way to the child process: that one loads the engine alone, not the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from analysis import CompareOptions

if TYPE_CHECKING:
    from bot.settings import Redaction


def written(redaction: Redaction) -> str:
    """Write it down for another process."""
    return msgspec.json.encode((redaction.names, redaction.patterns)).decode()


def options_of(written: str) -> CompareOptions:
    """Return the engine's options with the redaction that another process wrote down."""
    names, patterns = msgspec.json.decode(written, type=tuple[tuple[str, ...], tuple[str, ...]])
    return structs.replace(CompareOptions(), secret_names=names, secret_patterns=patterns)
