"""Who calls: programs are known by their bearer tokens, and each may ask what its token may."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

from msgspec import Struct

from bot.requests.request import Origin
from bot.settings.reach import PROGRAM

if TYPE_CHECKING:
    from bot.settings import Settings

LONGEST = 4_096  # characters of a header that are looked at


class Caller(Struct, frozen=True):
    """A program, or whoever started this process."""

    name: str

    @property
    def origin(self) -> Origin:
        """Where its requests come from: the program stands for the channel, with what that may ask."""
        return Origin(team="", channel=f"{PROGRAM}{self.name}", user=self.name, user_name=self.name)


class Tokens:
    """The tokens of all programs."""

    def __init__(self, settings: Settings) -> None:
        """Read them; raises `SettingsError` for one that is missing or too short."""
        self._digests = {name: _digest(token) for name, token in settings.program_tokens().items()}

    def __bool__(self) -> bool:
        return bool(self._digests)

    def caller(self, authorization: str) -> Caller | None:
        """Return whose token an Authorization header holds; takes as long whatever it holds."""
        scheme, _, token = authorization[:LONGEST].partition(" ")
        given = _digest(token.strip())
        found = None
        for name, digest in self._digests.items():
            if hmac.compare_digest(digest, given):
                found = Caller(name)
        return found if scheme.lower() == "bearer" else None


def _digest(token: str) -> bytes:
    """Make tokens comparable in a time that tells nothing of them, their length included."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
