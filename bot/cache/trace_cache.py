"""The cache: traces as backends sent them, and what settled searches found, for some minutes.

    source, tenant, what was asked --> name --> compressed, encrypted --> memory of one process, or Redis

Swapping, "compare with typical", a repeat, another try after a worker died, and other people's questions about the same
operation find here what the first one fetched. It lies below the rules of who may ask what: whoever comes here may ask
the source itself, for the tenant that is part of the name. It is never needed: what cannot be had here is a miss.

Raw traces can hold secrets, which are masked only when an answer is written. So nothing is kept in clear text: the key
is derived from a secret that all processes of a deployment share and that the store does not know.
"""

from __future__ import annotations

import base64
import secrets
import time
import zlib
from collections import OrderedDict
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec
import structlog
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from redis.exceptions import RedisError

from bot.computing import computed
from bot.telemetry import metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.settings import CacheSettings, Settings

VERSION = 1  # of what is kept and of its names: another one finds nothing of this
ENTRY_BYTES = 4 * 1024 * 1024  # the largest entry, as it is stored
PLAIN_BYTES = 32 * 1024 * 1024  # what is larger than this is not even compressed
AWAY_S = 5.0  # a store that did not answer is left alone for this long

Value = TypeVar("Value")

log = structlog.get_logger()


class Kind(StrEnum):
    """What is kept."""

    TRACE = "trace"
    SEARCH = "search"


class Store(Protocol):
    """Where sealed entries lie. May raise `RedisError` or `OSError`: it is away then."""

    async def get(self, name: str) -> bytes | None:
        """Return an entry; None when there is none."""
        ...

    async def put(self, name: str, entry: bytes, keep_s: float) -> None:
        """Keep an entry, in the place of others where there is no room."""
        ...

    async def aclose(self) -> None:
        """Let go of everything."""
        ...


class MemoryStore:
    """Entries in the memory of one process; the oldest go first."""

    def __init__(self, limit_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit_bytes
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self.bytes = 0

    async def get(self, name: str) -> bytes | None:
        """Return an entry; None when there is none."""
        until, entry = self._entries.get(name, (0.0, b""))
        return entry if self._clock() < until else None

    async def put(self, name: str, entry: bytes, keep_s: float) -> None:
        """Keep an entry."""
        if len(entry) > self._limit:
            return
        self.bytes -= len(self._entries.pop(name, (0.0, b""))[1])
        now = self._clock()
        self._entries[name] = (now + keep_s, entry)
        self.bytes += len(entry)
        while self.bytes > self._limit or next(iter(self._entries.values()))[0] <= now:
            self.bytes -= len(self._entries.popitem(last=False)[1][1])

    async def aclose(self) -> None:
        """Drop everything."""
        self._entries.clear()


class TraceCache:
    """Seals what is kept, and counts what is found. Never raises."""

    def __init__(self, store: Store, secret: str, settings: CacheSettings) -> None:
        self._store = store
        self._cipher = Fernet(_key(secret))
        self._keep_s = {Kind.TRACE: settings.traces_s, Kind.SEARCH: settings.populations_s}
        self._away_until = 0.0
        metrics.begin(metrics.CACHE_LOOKUPS, Kind, ("hit", "miss", "away"))

    async def get(self, kind: Kind, asked: tuple[object, ...], of: type[Value]) -> Value | None:
        """Return what was kept under a name; None when there is nothing."""
        if not self._keep_s[kind]:
            return None
        name, found = _name(kind, asked), None
        result = "away"
        if time.monotonic() >= self._away_until:
            try:
                entry = await self._store.get(name)
                found = None if entry is None else await computed(self._opened, name, entry, of)
                result = "miss" if found is None else "hit"
            except (RedisError, OSError) as error:
                self._is_away(error)
        metrics.CACHE_LOOKUPS.labels(kind, result).inc()
        return found

    async def put(self, kind: Kind, asked: tuple[object, ...], value: object) -> None:
        """Keep something under a name, unless it is too large."""
        if not self._keep_s[kind] or time.monotonic() < self._away_until:
            return
        name = _name(kind, asked)
        entry = await computed(self._sealed, name, value)
        if entry is None:
            return
        try:
            await self._store.put(name, entry, self._keep_s[kind])
        except (RedisError, OSError) as error:
            self._is_away(error)

    def _sealed(self, name: str, value: object) -> bytes | None:
        plain = name.encode() + msgspec.msgpack.encode(value)
        if len(plain) > PLAIN_BYTES:
            return None
        entry = self._cipher.encrypt(zlib.compress(plain, 1))
        return entry if len(entry) <= ENTRY_BYTES else None

    def _opened(self, name: str, entry: bytes, of: type[Value]) -> Value | None:
        """Open an entry; None where its key is another one, or where it was put under another name."""
        try:
            plain = zlib.decompress(self._cipher.decrypt(entry))
            its = name.encode()
            return msgspec.msgpack.decode(plain[len(its) :], type=of) if plain.startswith(its) else None
        except (InvalidToken, zlib.error, msgspec.MsgspecError):
            return None

    def _is_away(self, error: Exception) -> None:
        self._away_until = time.monotonic() + AWAY_S
        log.warning("the cache of traces is away", error=str(error)[:200])

    async def aclose(self) -> None:
        """Let go of everything."""
        await self._store.aclose()


def shared_secret(settings: Settings) -> str:
    """Return what all processes of a deployment know and the store does not; a random one where there is none."""
    keys = settings.slack_token_key.get_secret_value().split(",")
    return keys[0].strip() or settings.slack_bot_token.get_secret_value() or secrets.token_hex(32)


def _key(secret: str) -> bytes:
    derived = HKDF(SHA256(), 32, salt=None, info=b"compare-traces: cache of traces").derive(secret.encode())
    return base64.urlsafe_b64encode(derived)


def _name(kind: Kind, asked: tuple[object, ...]) -> str:
    return sha256(msgspec.msgpack.encode((VERSION, kind, *asked), order="deterministic")).hexdigest()
