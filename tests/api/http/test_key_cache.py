"""Keys are believed for a moment, and no longer."""

from typing import Any

from api.http.auth import hash_of
from api.http.known.keys import KEY_BELIEVED_S, KeyCache
from sql.account import keys


async def test_a_key_is_asked_for_again_after_a_moment_and_when_one_was_revoked(pool: Any, account: Any) -> None:
    now_s = 0.0
    cache = KeyCache(pool, clock_s=lambda: now_s)
    secret_hash = hash_of(account.viewer_key)
    row = await cache.find(secret_hash)
    assert row is not None
    assert await keys.revoke_key(pool, account_id=account.id, key_id=row.id)  # as another process does
    assert await cache.find(secret_hash) == row
    assert await cache.ask(secret_hash) is None  # whoever does not poll
    assert await cache.find(secret_hash) is None

    other_hash = hash_of(account.key)
    other = await cache.find(other_hash)
    assert other is not None
    assert await keys.revoke_key(pool, account_id=account.id, key_id=other.id)
    now_s += KEY_BELIEVED_S
    assert await cache.find(other_hash) is None
