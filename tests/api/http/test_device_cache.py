"""Devices believed for a moment: bounded, without secrets, and never longer than until they are revoked."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from api.http import auth
from api.http.auth import TOKEN_PREFIX, DeviceCache, Unauthorized, hash_of, new_secret
from sql.account import devices
from sql.account.accounts import ensure_account
from sql.account.devices import DeviceRow, create_device, revoke_device
from sql.pool import Db, Pool


@pytest.fixture
async def made(pool: Pool) -> Callable[[], Awaitable[tuple[int, int, str]]]:
    """`account_id, device_id, token = await made()`: a new device of one driver."""
    account_id = await ensure_account(pool, "mensajeria")
    driver_id = await pool.fetchval(
        "INSERT INTO driver (account_id, lane, external_id, name) VALUES ($1, 7, 'ana', 'Ana') RETURNING id", account_id
    )

    async def make() -> tuple[int, int, str]:
        token = new_secret(TOKEN_PREFIX)
        device_id = await create_device(
            pool, account_id=account_id, driver_id=driver_id, label=None, app="native",
            token_hash=hash_of(token), ingest_token_hash=hash_of(token[::-1]),
        )  # fmt: skip
        assert device_id is not None
        return account_id, device_id, token

    return make


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The hashes that the database was asked for."""
    hashes: list[bytes] = []
    find = devices.find_by_token

    async def counted(db: Db | Pool, secret_hash: bytes) -> DeviceRow | None:
        hashes.append(secret_hash)
        return await find(db, secret_hash)

    monkeypatch.setattr(auth.devices, "find_by_token", counted)
    return hashes


async def test_a_full_cache_forgets_those_longest_away_and_no_others(pool: Pool, made: Any, asked: list[bytes]) -> None:
    cache = DeviceCache(pool, ttl_s=60, size=3)
    tokens = [(await made())[2] for _ in range(4)]
    for token in tokens:
        await cache.by_token(token)
    asked.clear()
    for token in tokens[1:]:
        await cache.by_token(token)
    assert asked == []
    await cache.by_token(tokens[0])
    assert asked == [hash_of(tokens[0])]


async def test_what_is_in_memory_opens_nothing(pool: Pool, made: Any) -> None:
    cache = DeviceCache(pool, ttl_s=60)
    _, _, token = await made()
    await cache.by_token(token)
    await cache.by_ingest_token(token[::-1])
    assert token not in repr(vars(cache))
    assert token[::-1] not in repr(vars(cache))


async def test_a_device_is_believed_for_a_while_and_not_longer(pool: Pool, made: Any, asked: list[bytes]) -> None:
    now_s = 0.0
    cache = DeviceCache(pool, ttl_s=2, clock_s=lambda: now_s)
    _, _, token = await made()
    for now_s, times in ((0.0, 1), (1.9, 1), (2.1, 2)):  # noqa: B007 (the cache reads it)
        await cache.by_token(token)
        assert len(asked) == times


async def test_a_forgotten_device_is_asked_for_and_the_others_are_not(
    pool: Pool, made: Any, asked: list[bytes]
) -> None:
    cache = DeviceCache(pool, ttl_s=60)
    (account_id, gone, token), (_, _, other) = await made(), await made()
    await cache.by_token(token)
    await cache.by_token(other)
    await revoke_device(pool, account_id=account_id, device_id=gone)
    cache.forget(gone)
    asked.clear()
    await cache.by_token(other)
    with pytest.raises(Unauthorized):
        await cache.by_token(token)
    assert asked == [hash_of(token)]


async def test_an_answer_that_is_older_than_the_revocation_is_not_believed(
    pool: Pool, made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = DeviceCache(pool, ttl_s=60)
    account_id, device_id, token = await made()
    found, go_on = asyncio.Event(), asyncio.Event()
    find = devices.find_by_token

    async def slow(db: Db | Pool, secret_hash: bytes) -> DeviceRow | None:
        row = await find(db, secret_hash)
        found.set()
        await go_on.wait()
        return row

    monkeypatch.setattr(auth.devices, "find_by_token", slow)
    asking = asyncio.create_task(cache.by_token(token))
    await found.wait()
    await revoke_device(pool, account_id=account_id, device_id=device_id)
    cache.forget(device_id)
    go_on.set()
    await asking  # it came before
    with pytest.raises(Unauthorized):
        await cache.by_token(token)
