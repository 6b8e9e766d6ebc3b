"""API keys, believed for a moment."""

import time
from collections.abc import Callable

from aiohttp import web
from cachetools import TTLCache

from sql.account import keys
from sql.account.keys import KeyRow
from sql.pool import Pool

KEYS: web.AppKey["KeyCache"] = web.AppKey("keys")

KEY_BELIEVED_S = 1.0
"""How long a key may poll without being looked up again: so long, at most, does a revoked one in processes that did not
revoke it."""


class KeyCache:
    """Keys that work by the hash of their secret, believed for a moment, so that a poll costs no query."""

    def __init__(self, pool: Pool, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._pool = pool
        self._known: TTLCache[bytes, KeyRow] = TTLCache(10_000, KEY_BELIEVED_S, timer=clock_s)
        self._forgotten = 0

    async def find(self, secret_hash: bytes) -> KeyRow | None:
        """Find a key that works, as it was a moment ago; None when there is none."""
        row = self._known.get(secret_hash)
        return await self.ask(secret_hash) if row is None else row

    async def ask(self, secret_hash: bytes) -> KeyRow | None:
        """Find a key that works now; None when there is none."""
        forgotten = self._forgotten
        row = await keys.find_key(self._pool, secret_hash)
        if row is None:
            self._known.pop(secret_hash, None)
        elif forgotten == self._forgotten:  # else it may have been on its way since before
            self._known[secret_hash] = row
        return row

    def forget(self) -> None:
        """Ask the database again for all keys: one was revoked."""
        self._known.clear()
        self._forgotten += 1
