"""How all requests of two windows went, as the backend counts them, beside the sample that was compared. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.inquiry.comparing_windows import ComparedWindows


def counted(compared: ComparedWindows) -> list[str]:
    """Say how all requests of each window went, and what sets the worse ones of B apart; empty where nobody counts."""
    lines = [
        f"{letter}, as {compared.source} counts: {whole}"
        for letter, its in zip("AB", compared.sampled, strict=True)
        if (whole := its.all_words())
    ]
    return [*lines, *([compared.apart.words(compared.source)] if compared.apart else [])]
